//! What can be asked of one geometry.

use arrow::datatypes::{Float64Type, Int8Type, Int32Type, Int64Type};
use geo::line_measures::LengthMeasurable;
use geo::{Area, Euclidean, Geometry, LineString, Point, Polygon, Rect};

use super::super::Table;
use super::super::support::{Computed, numbers, primitives, texts, truths};
use super::kind::{Kind, envelope, is_empty, leaves, members, only};
use super::values::{geometries, shape_arrays, shapes};
use crate::error::TrinoError;
use crate::kernel::{Call, Kernel};

pub(super) fn register(table: &mut Table) {
    numbers_of(table);
    bounds(table);
    truths_of(table);
    parts(table);
    several(table);
}

fn numbers_of(table: &mut Table) {
    table.kernel("st_area(geometry) -> double", "The area on the plane.", |call| {
        doubles(call, |shape| {
            Ok(Some(leaves(shape).into_iter().map(Area::unsigned_area).fold(0.0, |all, area| all + area)))
        })
    });
    table.kernel("st_length(geometry) -> double", "The length of lines.", |call| {
        doubles(call, |shape| {
            only("ST_Length", shape, &[Kind::LineString, Kind::MultiLineString])?;
            Ok(Some(length(shape)))
        })
    });
    table.kernel("st_x(geometry) -> double", "The point's x.", |call| {
        doubles(call, |shape| of_point(shape, "ST_X", Point::x))
    });
    table.kernel("st_y(geometry) -> double", "The point's y.", |call| {
        doubles(call, |shape| of_point(shape, "ST_Y", Point::y))
    });
    table.kernel("st_coorddim(geometry) -> tinyint", "How many numbers a coordinate has.", |call| {
        primitives::<Int8Type>(call, |_| Ok(Some(2)))
    });
    let dimension = "The dimension: 0 of points, 1 of lines, 2 of areas.";
    table.kernel("st_dimension(geometry) -> tinyint", dimension, |call| {
        let values = geometries(call, 0)?;
        primitives::<Int8Type>(call, |row| Ok(Some(dimension_of(&*values.at(row)?))))
    });
    table.kernel("st_numpoints(geometry) -> bigint", "How many points it is made of.", |call| {
        let values = geometries(call, 0)?;
        primitives::<Int64Type>(call, |row| Ok(Some(point_count(&*values.at(row)?) as i64)))
    });
    table.kernel("st_numgeometries(geometry) -> integer", "How many members it has.", |call| {
        let values = geometries(call, 0)?;
        primitives::<Int32Type>(call, |row| {
            let shape = values.at(row)?;
            Ok(Some(if is_empty(&shape) { 0 } else { members((*shape).clone()).len() as i32 }))
        })
    });
    let holes = "How many interior rings the polygon has.";
    table.kernel("st_numinteriorring(geometry) -> bigint", holes, |call| {
        let values = geometries(call, 0)?;
        primitives::<Int64Type>(call, |row| {
            let shape = values.at(row)?;
            let polygon = polygon_of(&shape, "ST_NumInteriorRing")?;
            Ok(polygon.map(|polygon| polygon.interiors().len() as i64))
        })
    });
}

fn bounds(table: &mut Table) {
    let bounds: [(_, _, Kernel); 4] = [
        ("st_xmax(geometry) -> double", "The greatest x.", |call| bound(call, |around| around.max().x)),
        ("st_xmin(geometry) -> double", "The least x.", |call| bound(call, |around| around.min().x)),
        ("st_ymax(geometry) -> double", "The greatest y.", |call| bound(call, |around| around.max().y)),
        ("st_ymin(geometry) -> double", "The least y.", |call| bound(call, |around| around.min().y)),
    ];
    for (signature, description, kernel) in bounds {
        table.kernel(signature, description, kernel);
    }
}

fn bound(call: &Call<'_>, of: fn(&Rect) -> f64) -> Computed {
    doubles(call, |shape| Ok(envelope(shape).as_ref().map(of)))
}

fn doubles(call: &Call<'_>, of: impl Fn(&Geometry) -> Result<Option<f64>, TrinoError>) -> Computed {
    let values = geometries(call, 0)?;
    primitives::<Float64Type>(call, |row| of(&*values.at(row)?))
}

fn truths_of(table: &mut Table) {
    let closed = "Whether each line ends where it begins.";
    table.kernel("st_isclosed(geometry) -> boolean", closed, |call| {
        let values = geometries(call, 0)?;
        truths(call, |row| {
            let shape = values.at(row)?;
            only("ST_IsClosed", &shape, &[Kind::LineString, Kind::MultiLineString])?;
            Ok(Some(lines_of(&shape).into_iter().all(is_closed)))
        })
    });
    table.kernel("st_isempty(geometry) -> boolean", "Whether there is no point in it.", |call| {
        let values = geometries(call, 0)?;
        truths(call, |row| Ok(Some(is_empty(&*values.at(row)?))))
    });
    table.kernel("st_geometrytype(geometry) -> varchar", "The kind of geometry.", |call| {
        let values = geometries(call, 0)?;
        texts(call, |row| Ok(Some(Kind::of(&*values.at(row)?).standard_name())))
    });
}

fn parts(table: &mut Table) {
    table.kernel("st_startpoint(geometry) -> geometry", "The line's first point.", |call| {
        let values = geometries(call, 0)?;
        shapes(call, |row| {
            let shape = values.at(row)?;
            Ok(line_of(&shape, "ST_StartPoint")?.0.first().map(|point| Point(*point).into()))
        })
    });
    table.kernel("st_endpoint(geometry) -> geometry", "The line's last point.", |call| {
        let values = geometries(call, 0)?;
        shapes(call, |row| {
            let shape = values.at(row)?;
            Ok(line_of(&shape, "ST_EndPoint")?.0.last().map(|point| Point(*point).into()))
        })
    });
    table.kernel("st_pointn(geometry, integer) -> geometry", "The line's point at a place, from 1 on.", |call| {
        nth(call, |shape, index| Ok(line_of(shape, "ST_PointN")?.0.get(index).map(|point| Point(*point).into())))
    });
    table.kernel("st_exteriorring(geometry) -> geometry", "The polygon's outer ring as a line.", |call| {
        let values = geometries(call, 0)?;
        shapes(call, |row| {
            let shape = values.at(row)?;
            Ok(polygon_of(&shape, "ST_ExteriorRing")?.map(|polygon| polygon.exterior().clone().into()))
        })
    });
    let ring = "The polygon's interior ring at a place, from 1 on, as a line.";
    table.kernel("st_interiorringn(geometry, integer) -> geometry", ring, |call| {
        nth(call, |shape, index| {
            let polygon = polygon_of(shape, "ST_InteriorRingN")?;
            Ok(polygon.and_then(|polygon| polygon.interiors().get(index)).cloned().map(Geometry::from))
        })
    });
    table.kernel("st_geometryn(geometry, integer) -> geometry", "The member at a place, from 1 on.", |call| {
        nth(call, |shape, index| Ok(members(shape.clone()).into_iter().nth(index).filter(|_| !is_empty(shape))))
    });
}

/// What stands at the place that the second argument says.
fn nth(call: &Call<'_>, of: impl Fn(&Geometry, usize) -> Result<Option<Geometry>, TrinoError>) -> Computed {
    let (values, places) = (geometries(call, 0)?, numbers::<Int32Type>(call, 1)?);
    shapes(call, |row| {
        // What has no such place at all is refused whatever the place.
        let index = usize::try_from(places.value(row).checked_sub(1).unwrap_or(-1)).unwrap_or(usize::MAX);
        of(&*values.at(row)?, index)
    })
}

fn several(table: &mut Table) {
    table.kernel("st_geometries(geometry) -> array(geometry)", "The members.", |call| {
        let values = geometries(call, 0)?;
        shape_arrays(call, |row| {
            let shape = values.at(row)?;
            Ok((!is_empty(&shape)).then(|| members((*shape).clone())))
        })
    });
    let rings = "The polygon's interior rings as lines.";
    table.kernel("st_interiorrings(geometry) -> array(geometry)", rings, |call| {
        let values = geometries(call, 0)?;
        shape_arrays(call, |row| {
            let shape = values.at(row)?;
            let polygon = polygon_of(&shape, "ST_InteriorRings")?;
            Ok(polygon.map(|polygon| polygon.interiors().iter().cloned().map(Geometry::from).collect()))
        })
    });
    table.kernel("st_points(geometry) -> array(geometry)", "The points that it is made of.", |call| {
        let values = geometries(call, 0)?;
        shape_arrays(call, |row| {
            let shape = values.at(row)?;
            Ok((!is_empty(&shape)).then(|| leaves(&shape).into_iter().flat_map(vertices).collect()))
        })
    });
}

/// All points of what is no collection. Rings come in the other direction, from the same point on.
fn vertices(leaf: &Geometry) -> Vec<Geometry> {
    let of_line = |line: &LineString| line.0.iter().map(|point| Point(*point).into()).collect::<Vec<Geometry>>();
    let of_ring = |ring: &LineString| ring.0.iter().rev().map(|point| Point(*point).into()).collect::<Vec<Geometry>>();
    let of_polygon = |polygon: &Polygon| {
        std::iter::once(polygon.exterior()).chain(polygon.interiors()).flat_map(of_ring).collect::<Vec<_>>()
    };
    match leaf {
        Geometry::LineString(line) => of_line(line),
        Geometry::MultiLineString(lines) => lines.0.iter().flat_map(of_line).collect(),
        Geometry::Polygon(polygon) => of_polygon(polygon),
        Geometry::MultiPolygon(polygons) => polygons.0.iter().flat_map(of_polygon).collect(),
        other => members(other.clone()),
    }
}

/// How many points it is made of; a ring's first one counts once.
pub(super) fn point_count(geometry: &Geometry) -> usize {
    let of_ring = |ring: &LineString| ring.0.len().saturating_sub(1);
    let of_polygon =
        |polygon: &Polygon| std::iter::once(polygon.exterior()).chain(polygon.interiors()).map(of_ring).sum::<usize>();
    match geometry {
        _ if is_empty(geometry) => 0,
        Geometry::Point(_) => 1,
        Geometry::MultiPoint(points) => points.0.len(),
        Geometry::LineString(line) => line.0.len(),
        Geometry::MultiLineString(lines) => lines.0.iter().map(|line| line.0.len()).sum(),
        Geometry::Polygon(polygon) => of_polygon(polygon),
        Geometry::MultiPolygon(polygons) => polygons.0.iter().map(of_polygon).sum(),
        Geometry::GeometryCollection(members) => members.0.iter().map(point_count).sum(),
        Geometry::Line(_) | Geometry::Rect(_) | Geometry::Triangle(_) => 0,
    }
}

/// 0 of points, 1 of lines, 2 of areas; a collection has the greatest of its members'.
pub(super) fn dimension_of(geometry: &Geometry) -> i8 {
    match Kind::of(geometry) {
        Kind::Point | Kind::MultiPoint => 0,
        Kind::LineString | Kind::MultiLineString => 1,
        Kind::Polygon | Kind::MultiPolygon => 2,
        Kind::Collection => leaves(geometry).into_iter().map(dimension_of).max().unwrap_or(0),
    }
}

/// The length of lines; 0 for others.
pub(super) fn length(geometry: &Geometry) -> f64 {
    lines_of(geometry).into_iter().fold(0.0, |all, line| all + line.length(&Euclidean))
}

/// The lines of a geometry of lines.
pub(super) fn lines_of(geometry: &Geometry) -> Vec<&LineString> {
    match geometry {
        Geometry::LineString(line) => vec![line],
        Geometry::MultiLineString(lines) => lines.0.iter().collect(),
        _ => Vec::new(),
    }
}

/// Whether a line ends where it begins.
pub(super) fn is_closed(line: &LineString) -> bool {
    line.0.first() == line.0.last()
}

fn of_point(geometry: &Geometry, function: &str, of: fn(Point) -> f64) -> Result<Option<f64>, TrinoError> {
    only(function, geometry, &[Kind::Point])?;
    let Geometry::Point(point) = geometry else { return Ok(None) };
    Ok((!is_empty(geometry)).then(|| of(*point)))
}

/// A line, or the refusal of anything else.
pub(super) fn line_of<'a>(geometry: &'a Geometry, function: &str) -> Result<&'a LineString, TrinoError> {
    only(function, geometry, &[Kind::LineString])?;
    match geometry {
        Geometry::LineString(line) => Ok(line),
        _ => Err(TrinoError::internal("a line is a LineString")),
    }
}

/// A polygon, none for an empty one, or the refusal of anything else.
fn polygon_of<'a>(geometry: &'a Geometry, function: &str) -> Result<Option<&'a Polygon>, TrinoError> {
    only(function, geometry, &[Kind::Polygon])?;
    match geometry {
        Geometry::Polygon(polygon) if !is_empty(geometry) => Ok(Some(polygon)),
        _ => Ok(None),
    }
}
