//! Whether a geometry is what its kind asks for, and where it is not.

use geo::line_intersection::{LineIntersection, line_intersection};
use geo::{Area, Coord, Geometry, Line, LineString, Point, Polygon, Validation};

use super::super::Table;
use super::super::support::{truths, write_texts};
use super::access::is_closed;
use super::kind::{is_empty, leaves};
use super::values::geometries;
use crate::types::format::java_double;

pub(super) fn register(table: &mut Table) {
    let simple = "Whether lines neither cross nor touch themselves, and points are there once.";
    table.kernel("st_issimple(geometry) -> boolean", simple, |call| {
        let values = geometries(call, 0)?;
        truths(call, |row| Ok(Some(flaw(&*values.at(row)?).is_none())))
    });
    table.kernel("st_isvalid(geometry) -> boolean", "Whether it is well formed.", |call| {
        let values = geometries(call, 0)?;
        truths(call, |row| Ok(Some(flaw(&*values.at(row)?).is_none())))
    });
    table.kernel("st_isring(geometry) -> boolean", "Whether the line is closed and simple.", |call| {
        let values = geometries(call, 0)?;
        truths(call, |row| {
            let shape = values.at(row)?;
            let line = super::access::line_of(&shape, "ST_IsRing")?;
            Ok(Some(!line.0.is_empty() && is_closed(line) && flaw(&shape).is_none()))
        })
    });
    let reason = "Why it is not well formed; NULL if it is.";
    table.kernel("geometry_invalid_reason(geometry) -> varchar", reason, |call| {
        let values = geometries(call, 0)?;
        write_texts(call, |row, out| Ok(flaw(&*values.at(row)?).map(|flaw| out.push_str(&flaw.to_string()))))
    });
}

/// What is wrong, and near which corners.
struct Flaw {
    what: &'static str,
    near: Vec<Coord>,
}

impl std::fmt::Display for Flaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.what)?;
        for (index, corner) in self.near.iter().enumerate() {
            let word = if index == 0 { " at or near" } else { " and" };
            write!(f, "{word} ({} {})", java_double(corner.x), java_double(corner.y))?;
        }
        Ok(())
    }
}

fn flaw(geometry: &Geometry) -> Option<Flaw> {
    leaves(geometry).into_iter().filter(|leaf| !is_empty(leaf)).find_map(|leaf| match leaf {
        Geometry::MultiPoint(points) => repeated(&points.0),
        Geometry::LineString(line) => of_lines(std::slice::from_ref(line)),
        Geometry::MultiLineString(lines) => of_lines(&lines.0),
        Geometry::Polygon(polygon) => {
            let rings: Vec<_> = std::iter::once(polygon.exterior()).chain(polygon.interiors()).map(turned).collect();
            of_lines(&rings).or_else(|| (!polygon.is_valid()).then_some(Flaw { what: CROSSING, near: Vec::new() }))
        }
        Geometry::MultiPolygon(polygons) => {
            let rings =
                polygons.0.iter().flat_map(|polygon| std::iter::once(polygon.exterior()).chain(polygon.interiors()));
            let rings: Vec<_> = rings.map(turned).collect();
            of_lines(&rings).or_else(|| (!polygons.is_valid()).then_some(Flaw { what: CROSSING, near: Vec::new() }))
        }
        _ => None,
    })
}

const CROSSING: &str = "Intersecting or overlapping segments";

/// A ring in the other direction, from the same point on: so corners are found in the order in which Trino finds them.
fn turned(ring: &LineString) -> LineString {
    if Polygon::new(ring.clone(), Vec::new()).signed_area() == 0.0 {
        return ring.clone();
    }
    LineString::new(ring.0.iter().rev().copied().collect())
}

fn repeated(points: &[Point]) -> Option<Flaw> {
    let twice = points.iter().enumerate().find(|(index, point)| points[..*index].contains(point));
    twice.map(|(_, point)| Flaw { what: "Repeated points", near: vec![point.0, point.0] })
}

fn of_lines(lines: &[LineString]) -> Option<Flaw> {
    degenerate(lines).or_else(|| crossing(lines))
}

fn degenerate(lines: &[LineString]) -> Option<Flaw> {
    let segment = lines.iter().flat_map(LineString::lines).find(|segment| segment.start == segment.end);
    segment.map(|segment| Flaw { what: "Degenerate segments", near: vec![segment.start] })
}

/// Segments that meet elsewhere than where one follows the other.
fn crossing(lines: &[LineString]) -> Option<Flaw> {
    let segments: Vec<(usize, usize, Line)> = lines
        .iter()
        .enumerate()
        .flat_map(|(line, of)| of.lines().enumerate().map(move |(index, segment)| (line, index, segment)))
        .collect();
    for (place, (line, index, segment)) in segments.iter().enumerate() {
        for (other_line, other_index, other) in &segments[place + 1..] {
            let Some(found) = line_intersection(*segment, *other) else { continue };
            let length = lines[*line].0.len() - 1;
            let follows = line == other_line && other_index - index == 1;
            let closes = line == other_line && is_closed(&lines[*line]) && *index == 0 && other_index + 1 == length;
            let fine = match found {
                LineIntersection::SinglePoint { intersection, .. } => {
                    let ends = |line: &LineString| [line.0.first().copied(), line.0.last().copied()];
                    let at_ends = line != other_line
                        && ends(&lines[*line]).contains(&Some(intersection))
                        && ends(&lines[*other_line]).contains(&Some(intersection));
                    (follows && intersection == other.start) || (closes && intersection == segment.start) || at_ends
                }
                LineIntersection::Collinear { .. } => false,
            };
            if !fine {
                return Some(Flaw { what: CROSSING, near: vec![segment.start, other.start] });
            }
        }
    }
    None
}
