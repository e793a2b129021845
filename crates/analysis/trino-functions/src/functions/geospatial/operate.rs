//! Geometries made of geometries.

use std::cmp::Ordering;
use std::f64::consts::TAU;

use arrow::datatypes::Float64Type;
use geo::buffer::{BufferStyle, LineCap, LineJoin};
use geo::coords_iter::CoordsIter;
use geo::{
    Buffer, Centroid, ConvexHull, Coord, Geometry, GeometryCollection, LineString, MultiLineString, MultiPoint,
    MultiPolygon, Point, Polygon, Rect, unary_union,
};

use super::super::Table;
use super::super::support::{Computed, numbers};
use super::access::dimension_of;
use super::kind::{Kind, envelope, filled, finite, is_empty, no_point, no_polygon, only, oriented};
use super::overlay::Parts;
use super::simplify::simplified;
use super::values::{arrays, geometries, shape_arrays, shapes};
use crate::error::TrinoError;
use crate::kernel::Call;

/// The sides that stand for a circle.
const SIDES: u32 = 96;
/// The angle of one of them.
const ARC: f64 = TAU / SIDES as f64;

pub(super) fn register(table: &mut Table) {
    sets(table);
    table.kernel("st_boundary(geometry) -> geometry", "The ends of lines, the sides of areas.", |call| {
        each(call, |shape| boundary(shape).map(Some))
    });
    table.kernel("st_envelope(geometry) -> geometry", "The rectangle around it.", |call| {
        each(call, |shape| Ok(Some(envelope(shape).map_or_else(|| no_polygon().into(), rectangle))))
    });
    let corners = "The lower left and the upper right corner of the rectangle around it.";
    table.kernel("st_envelopeaspts(geometry) -> array(geometry)", corners, |call| {
        let values = geometries(call, 0)?;
        shape_arrays(call, |row| {
            let around = envelope(&*values.at(row)?);
            Ok(around.map(|around| vec![Point(around.min()).into(), Point(around.max()).into()]))
        })
    });
    table.kernel("st_centroid(geometry) -> geometry", "The point in its middle.", |call| {
        each(call, |shape| centroid(shape).map(Some))
    });
    let hull = "The least geometry without dents that holds it.";
    table.kernel("st_convexhull(geometry) -> geometry", hull, |call| {
        each(call, |shape| finite(shape).map(|()| Some(hull_of(shape))))
    });
    let buffer = "All points that are at most so far away.";
    table.kernel("st_buffer(geometry, double) -> geometry", buffer, |call| {
        with_number(call, "distance", |shape, distance| Ok((!is_empty(shape)).then(|| buffered(shape, distance))))
    });
    let simplify = "A geometry with fewer points, which are at most so far away.";
    table.kernel("simplify_geometry(geometry, double) -> geometry", simplify, |call| {
        with_number(call, "distanceTolerance", |shape, tolerance| Ok(Some(oriented(simplified(shape, tolerance)))))
    });
}

fn sets(table: &mut Table) {
    table.kernel("st_intersection(geometry, geometry) -> geometry", "The points that both have.", |call| {
        both(call, |left, right| {
            let nothing = Geometry::MultiPolygon(MultiPolygon::new(Vec::new()));
            Ok(Parts::of(left).intersection(&Parts::of(right)).geometry().unwrap_or(nothing))
        })
    });
    table.kernel("st_difference(geometry, geometry) -> geometry", "The points that only the first has.", |call| {
        both(call, |left, right| {
            let rest = Parts::of(left).difference(&Parts::of(right));
            Ok(rest.geometry().unwrap_or_else(|| nothing(dimension_of(left))))
        })
    });
    let either = "The points that one of them has and the other not.";
    table.kernel("st_symdifference(geometry, geometry) -> geometry", either, |call| {
        both(call, |left, right| {
            let (dimension, other) = (dimension_of(left), dimension_of(right));
            let rest = match dimension.cmp(&other) {
                Ordering::Equal => Parts::of(left).symmetric_difference(&Parts::of(right)),
                // What has fewer dimensions takes nothing away and adds nothing.
                Ordering::Less => Parts::of(right),
                Ordering::Greater => Parts::of(left),
            };
            Ok(rest.geometry().unwrap_or_else(|| nothing(dimension.max(other))))
        })
    });
    table.kernel("st_union(geometry, geometry) -> geometry", "The points of both.", |call| {
        both(call, |left, right| Ok(union([left, right])))
    });
    table.kernel("geometry_union(array(geometry)) -> geometry", "The points of all.", |call| {
        let values = arrays(call, 0)?;
        shapes(call, |row| {
            let all = values.at(row)?;
            all.iter().flatten().try_for_each(finite)?;
            let union = union(all.iter().flatten());
            Ok((!all.is_empty()).then_some(union))
        })
    });
}

fn each(call: &Call<'_>, of: impl Fn(&Geometry) -> Result<Option<Geometry>, TrinoError>) -> Computed {
    let values = geometries(call, 0)?;
    shapes(call, |row| of(&*values.at(row)?))
}

fn both(call: &Call<'_>, of: impl Fn(&Geometry, &Geometry) -> Result<Geometry, TrinoError>) -> Computed {
    let (left, right) = (geometries(call, 0)?, geometries(call, 1)?);
    shapes(call, |row| {
        let (left, right) = (left.at(row)?, right.at(row)?);
        finite(&left)?;
        finite(&right)?;
        of(&left, &right).map(Some)
    })
}

/// A geometry and a number that is none of NaN and negative; 0 leaves the geometry as it is.
fn with_number(
    call: &Call<'_>,
    name: &str,
    of: impl Fn(&Geometry, f64) -> Result<Option<Geometry>, TrinoError>,
) -> Computed {
    let (values, all_numbers) = (geometries(call, 0)?, numbers::<Float64Type>(call, 1)?);
    shapes(call, |row| {
        let (shape, number) = (values.at(row)?, all_numbers.value(row));
        match number {
            _ if number.is_nan() => Err(TrinoError::invalid(format!("{name} is NaN"))),
            _ if number < 0.0 => Err(TrinoError::invalid(format!("{name} is negative"))),
            0.0 => Ok(Some((*shape).clone())),
            _ => {
                finite(&shape)?;
                of(&shape, number)
            }
        }
    })
}

/// A rectangle as a polygon, from its lower left corner on; one without a width is one nevertheless.
pub(super) fn rectangle(around: Rect) -> Geometry {
    let (low, high) = (around.min(), around.max());
    let corner = |x, y| Coord { x, y };
    let ring = vec![low, corner(high.x, low.y), high, corner(low.x, high.y), low];
    Polygon::new(LineString::new(ring), Vec::new()).into()
}

/// The empty geometry of a dimension.
fn nothing(dimension: i8) -> Geometry {
    match dimension {
        0 => no_point().into(),
        1 => Geometry::LineString(LineString::new(Vec::new())),
        _ => no_polygon().into(),
    }
}

/// All geometries as one.
pub(super) fn union<'a>(geometries: impl IntoIterator<Item = &'a Geometry>) -> Geometry {
    let (mut all, mut dimension) = (Parts::default(), 0);
    for geometry in geometries {
        all = all.union(&Parts::of(geometry));
        dimension = dimension.max(dimension_of(geometry));
    }
    all.geometry().unwrap_or_else(|| nothing(dimension))
}

fn boundary(geometry: &Geometry) -> Result<Geometry, TrinoError> {
    let lines = |polygons: &[Polygon]| {
        let rings = polygons.iter().flat_map(|polygon| std::iter::once(polygon.exterior()).chain(polygon.interiors()));
        MultiLineString::new(rings.filter(|ring| !ring.0.is_empty()).cloned().collect())
    };
    Ok(match geometry {
        Geometry::Polygon(polygon) => lines(std::slice::from_ref(polygon)).into(),
        Geometry::MultiPolygon(polygons) => lines(&polygons.0).into(),
        Geometry::LineString(line) => ends(std::slice::from_ref(line)).into(),
        Geometry::MultiLineString(lines) => ends(&lines.0).into(),
        Geometry::GeometryCollection(_) => {
            return Err(TrinoError::invalid("ST_Boundary does not apply to GEOMETRY_COLLECTION"));
        }
        _ => Geometry::MultiPoint(MultiPoint::new(Vec::new())),
    })
}

/// Points at which an odd number of lines end.
fn ends(lines: &[LineString]) -> MultiPoint {
    let mut ends: Vec<Coord> = Vec::new();
    let both = |line: &LineString| [line.0.first().copied(), line.0.last().copied()];
    for end in lines.iter().flat_map(both).flatten() {
        match ends.iter().position(|known| *known == end) {
            Some(known) => drop(ends.remove(known)),
            None => ends.push(end),
        }
    }
    MultiPoint::new(ends.into_iter().map(Point).collect())
}

fn centroid(geometry: &Geometry) -> Result<Geometry, TrinoError> {
    let kinds =
        [Kind::Point, Kind::MultiPoint, Kind::LineString, Kind::MultiLineString, Kind::Polygon, Kind::MultiPolygon];
    only("ST_Centroid", geometry, &kinds)?;
    if is_empty(geometry) {
        return Ok(no_point().into());
    }
    Ok(geometry.centroid().unwrap_or_else(no_point).into())
}

/// The hull, which of points on one line is a line.
pub(super) fn hull_of(geometry: &Geometry) -> Geometry {
    if is_empty(geometry) || matches!(geometry, Geometry::Point(_)) {
        return geometry.clone();
    }
    let filled: Vec<Geometry> =
        super::kind::leaves(geometry).into_iter().filter(|leaf| !is_empty(leaf)).cloned().collect();
    let hull = GeometryCollection::from(filled.clone()).convex_hull();
    let mut corners: Vec<Coord> = hull.exterior().coords_iter().collect();
    corners.pop();
    corners.dedup();
    match corners.as_slice() {
        [point] => Point(*point).into(),
        [one, other] => LineString::new(vec![*one, *other]).into(),
        _ => {
            // From the first point on that was there.
            let first = GeometryCollection::from(filled)
                .coords_iter()
                .find_map(|point| corners.iter().position(|corner| *corner == point));
            corners.rotate_left(first.unwrap_or(0));
            Polygon::new(LineString::new(corners), Vec::new()).into()
        }
    }
}

fn circle(middle: Coord, radius: f64) -> Polygon {
    // Rounded, so that the outermost points are as far away as they should be.
    let exact = |part: f64| (part * 1e15).round() / 1e15;
    let corner = |index: u32| {
        let (up, right) = (f64::from(index) * ARC).sin_cos();
        Coord { x: middle.x + radius * exact(right), y: middle.y + radius * exact(up) }
    };
    Polygon::new(LineString::new((0..SIDES).map(corner).collect()), Vec::new())
}

/// The convex hull of two geometries.
pub(super) fn common_hull(one: &Geometry, other: &Geometry) -> Geometry {
    hull_of(&union([one, other]))
}

fn buffered(geometry: &Geometry, distance: f64) -> Geometry {
    let style = BufferStyle::new(distance).line_join(LineJoin::Round(ARC)).line_cap(LineCap::Round(ARC));
    let mut polygons = match geometry {
        Geometry::Point(point) => vec![circle(point.0, distance)],
        Geometry::MultiPoint(points) => {
            let circles: Vec<_> = points.0.iter().map(|point| circle(point.0, distance)).collect();
            unary_union(&circles).0
        }
        other => filled(other).buffer_with_style(style).0,
    };
    oriented(match polygons.len() {
        1 => polygons.remove(0).into(),
        _ => MultiPolygon::new(polygons).into(),
    })
}
