//! Well-known text: reading it, and writing it as Trino shows geometries.

use std::str::FromStr;

use geo::{Coord, Geometry, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon};
use wkt::Wkt;
use wkt::types as written;

use super::kind::{is_empty, no_point, no_polygon, oriented};
use crate::error::TrinoError;

/// How deep a text's parentheses may nest; deeper ones are refused rather than let the stack run out.
const MAX_DEPTH: usize = 64;

/// A geometry from its text.
///
/// # Errors
/// INVALID_FUNCTION_ARGUMENT for what is no such text, and for coordinates of more than two numbers.
pub(super) fn from_text(text: &str) -> Result<Geometry, TrinoError> {
    let refuse = || TrinoError::invalid(format!("Invalid WKT: {text}"));
    if is_too_deep(text) {
        return Err(refuse());
    }
    let geometry = Wkt::from_str(text).map_err(|_| refuse())?;
    if geometry.dimension() != written::Dimension::XY {
        // Without a letter that says so, further numbers are none of a coordinate's.
        let says_so = |part: &str| part.trim_end().ends_with(['Z', 'z', 'M', 'm']);
        if !text.split('(').any(says_so) {
            return Err(refuse());
        }
        return Err(TrinoError::invalid(format!("Geometries with Z or M are not supported: {text}")));
    }
    Ok(oriented(geometry_of(geometry).ok_or_else(refuse)?))
}

/// Whether the parentheses nest too deep. What follows the last one is passed over, as by Trino.
fn is_too_deep(text: &str) -> bool {
    let mut depth = 0_usize;
    text.bytes().any(|letter| {
        match letter {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > MAX_DEPTH
    })
}

fn geometry_of(text: Wkt<f64>) -> Option<Geometry> {
    Some(match text {
        Wkt::Point(point) => point_of(&point).into(),
        Wkt::LineString(line) => line_of(&line).into(),
        Wkt::Polygon(polygon) => polygon_of(&polygon).into(),
        Wkt::MultiPoint(points) => MultiPoint::new(points.points().iter().map(point_of).collect()).into(),
        Wkt::MultiLineString(lines) => MultiLineString::new(lines.line_strings().iter().map(line_of).collect()).into(),
        Wkt::MultiPolygon(polygons) => MultiPolygon::new(polygons.polygons().iter().map(polygon_of).collect()).into(),
        Wkt::GeometryCollection(members) => {
            let members = members.into_inner().0.into_iter().map(geometry_of);
            Geometry::GeometryCollection(members.collect::<Option<_>>()?)
        }
    })
}

fn point_of(point: &written::Point<f64>) -> Point {
    point.coord().map_or_else(no_point, |coordinate| Point::new(coordinate.x, coordinate.y))
}

/// A line of one point goes from there to there.
fn line_of(line: &written::LineString<f64>) -> LineString {
    let mut points: Vec<_> = line.coords().iter().map(|at| Coord { x: at.x, y: at.y }).collect();
    if let [only] = points.as_slice() {
        points.push(*only);
    }
    LineString::new(points)
}

fn polygon_of(polygon: &written::Polygon<f64>) -> Polygon {
    let mut rings = polygon.rings().iter().map(line_of);
    match rings.next() {
        Some(exterior) => Polygon::new(exterior, rings.collect()),
        None => no_polygon(),
    }
}

/// Appends the geometry's text.
pub(super) fn write(out: &mut String, geometry: &Geometry) {
    match geometry {
        Geometry::Point(point) => tagged(out, "POINT", is_empty(geometry), |out| coordinates(out, &[point.0])),
        Geometry::LineString(line) => tagged(out, "LINESTRING", line.0.is_empty(), |out| coordinates(out, &line.0)),
        Geometry::Polygon(polygon) => tagged(out, "POLYGON", is_empty(geometry), |out| rings(out, polygon)),
        Geometry::MultiPoint(points) => tagged(out, "MULTIPOINT", points.0.is_empty(), |out| {
            all(out, &points.0, |out, point| coordinates(out, &[point.0]));
        }),
        Geometry::MultiLineString(lines) => tagged(out, "MULTILINESTRING", lines.0.is_empty(), |out| {
            all(out, &lines.0, |out, line| coordinates(out, &line.0));
        }),
        Geometry::MultiPolygon(polygons) => {
            tagged(out, "MULTIPOLYGON", polygons.0.is_empty(), |out| all(out, &polygons.0, rings));
        }
        Geometry::GeometryCollection(members) => {
            tagged(out, "GEOMETRYCOLLECTION", members.0.is_empty(), |out| all(out, &members.0, write));
        }
        Geometry::Line(line) => write(out, &LineString::from(line).into()),
        Geometry::Rect(rectangle) => write(out, &rectangle.to_polygon().into()),
        Geometry::Triangle(triangle) => write(out, &triangle.to_polygon().into()),
    }
}

fn tagged(out: &mut String, name: &str, empty: bool, content: impl FnOnce(&mut String)) {
    out.push_str(name);
    out.push(' ');
    if empty { out.push_str("EMPTY") } else { content(out) }
}

fn all<T>(out: &mut String, items: &[T], mut each: impl FnMut(&mut String, &T)) {
    out.push('(');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        each(out, item);
    }
    out.push(')');
}

fn rings(out: &mut String, polygon: &Polygon) {
    if polygon.exterior().0.is_empty() {
        return out.push_str("EMPTY");
    }
    let all_rings: Vec<_> = std::iter::once(polygon.exterior()).chain(polygon.interiors()).collect();
    all(out, &all_rings, |out, ring| coordinates(out, &ring.0));
}

fn coordinates(out: &mut String, coordinates: &[Coord]) {
    all(out, coordinates, |out, coordinate| {
        number(out, coordinate.x);
        out.push(' ');
        number(out, coordinate.y);
    });
}

/// Java's `%.17g` without zeros at the end: scientific below a ten thousandth and from ten to the seventeenth on, and then
/// with all its zeros.
fn number(out: &mut String, value: f64) {
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    match value {
        f64::INFINITY => out.push_str("Infinity"),
        f64::NEG_INFINITY => out.push_str("-Infinity"),
        _ if value == 0.0 || (-4..17).contains(&exponent) => out.push_str(&value.to_string()),
        _ => {
            let point = if mantissa.contains('.') { "" } else { "." };
            let digits = format!("{mantissa}{point}");
            let width = 18 + usize::from(value < 0.0);
            let sign = if exponent < 0 { '-' } else { '+' };
            out.push_str(&format!("{digits:0<width$}e{sign}{:02}", exponent.abs()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let mut out = String::new();
        write(&mut out, &from_text(text).unwrap());
        out
    }

    #[test]
    fn texts_come_back_in_one_form() {
        for text in [
            "POINT EMPTY",
            "MULTIPOINT ((1 2), (3 4))",
            "POLYGON ((1 1, 4 1, 4 4, 1 4, 1 1))",
            "GEOMETRYCOLLECTION (POINT (1 2), GEOMETRYCOLLECTION (LINESTRING (0 0, 1 1)))",
        ] {
            assert_eq!(shown(text), text);
        }
        assert_eq!(shown("polygon((1 1, 1 4, 4 4, 4 1))"), "POLYGON ((1 1, 4 1, 4 4, 1 4, 1 1))");
        assert_eq!(shown("POINT (1e-5 -1.5e20)"), "POINT (1.0000000000000000e-05 -1.5000000000000000e+20)");
    }

    #[test]
    fn what_is_no_geometry_is_refused() {
        let deep = format!("{}POINT (1 2){}", "GEOMETRYCOLLECTION (".repeat(100_000), ")".repeat(100_000));
        for text in ["", "POINT", "POINT (1)", "POINT (1 2", "CIRCLE (1 2)", "POINT Z (1 2 3)", &deep] {
            assert!(from_text(text).is_err(), "{}", &text[..text.len().min(20)]);
        }
    }
}
