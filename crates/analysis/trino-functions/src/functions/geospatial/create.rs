//! Geometries from texts, bytes, numbers and other geometries, and back as text and bytes.

use arrow::datatypes::Float64Type;
use geo::{Coord, Geometry, LineString, MultiPoint, Point};

use super::super::Table;
use super::super::support::{binaries, bytes, numbers, text, write_texts};
use super::kind::{Kind, is_empty, only, oriented};
use super::values::{arrays, geometries, shapes};
use super::{geojson, hadoop, text as well_known, wkb};
use crate::error::TrinoError;

pub(super) fn register(table: &mut Table) {
    from_text(table);
    from_points(table);
    let binary = "A geometry from well-known binary.";
    table.kernel("st_geomfrombinary(varbinary) -> geometry", binary, |call| {
        let values = bytes(call, 0)?;
        shapes(call, |row| {
            let shape = wkb::from_bytes(values.value(row)).ok_or_else(|| TrinoError::invalid("Invalid WKB"))?;
            Ok(Some(oriented(shape)))
        })
    });
    let hadoop_shape = "A geometry from the form that Esri's Spatial Framework for Hadoop gives it.";
    table.kernel("geometry_from_hadoop_shape(varbinary) -> geometry", hadoop_shape, |call| {
        let values = bytes(call, 0)?;
        shapes(call, |row| hadoop::from_bytes(values.value(row)).map(Some))
    });
    table.kernel("st_asbinary(geometry) -> varbinary", "The geometry as well-known binary.", |call| {
        let values = bytes(call, 0)?;
        binaries(call, |row| Ok(values.value(row).to_vec()))
    });
    table.kernel("st_astext(geometry) -> varchar", "The geometry as well-known text.", |call| {
        let values = geometries(call, 0)?;
        write_texts(call, |row, out| {
            let mut written = String::new();
            well_known::write(&mut written, &*values.at(row)?);
            out.push_str(&written);
            Ok(Some(()))
        })
    });
    let json = "A geometry on the earth's surface from GeoJSON.";
    table.kernel("from_geojson_geometry(varchar) -> sphericalgeography", json, |call| {
        let texts = text(call, 0)?;
        shapes(call, |row| geojson::read(texts.value(row)).map(Some))
    });
    let as_json = "The geometry on the earth's surface as GeoJSON.";
    table.kernel("to_geojson_geometry(sphericalgeography) -> varchar", as_json, |call| {
        let values = geometries(call, 0)?;
        write_texts(call, |row, out| {
            out.push_str(&geojson::written(&*values.at(row)?));
            Ok(Some(()))
        })
    });
}

fn from_text(table: &mut Table) {
    table.kernel("st_geometryfromtext(varchar) -> geometry", "A geometry from well-known text.", |call| {
        let texts = text(call, 0)?;
        shapes(call, |row| well_known::from_text(texts.value(row)).map(Some))
    });
    table.kernel("st_linefromtext(varchar) -> geometry", "A line from well-known text.", |call| {
        let texts = text(call, 0)?;
        shapes(call, |row| parsed(texts.value(row), "ST_LineFromText", Kind::LineString))
    });
    table.kernel("st_polygon(varchar) -> geometry", "A polygon from well-known text.", |call| {
        let texts = text(call, 0)?;
        shapes(call, |row| parsed(texts.value(row), "ST_Polygon", Kind::Polygon))
    });
}

fn parsed(text: &str, function: &str, kind: Kind) -> Result<Option<Geometry>, TrinoError> {
    let shape = well_known::from_text(text)?;
    only(function, &shape, &[kind])?;
    Ok(Some(shape))
}

fn from_points(table: &mut Table) {
    table.kernel("st_point(double, double) -> geometry", "The point with these coordinates.", |call| {
        let (all_x, all_y) = (numbers::<Float64Type>(call, 0)?, numbers::<Float64Type>(call, 1)?);
        shapes(call, |row| Ok(Some(Point::new(all_x.value(row), all_y.value(row)).into())))
    });
    table.kernel("st_linestring(array(geometry)) -> geometry", "The line through these points.", |call| {
        let points = arrays(call, 0)?;
        shapes(call, |row| Ok(Some(line_through(points.at(row)?)?.into())))
    });
    let points = "These points as one geometry; NULL of none.";
    table.kernel("st_multipoint(array(geometry)) -> geometry", points, |call| {
        let points = arrays(call, 0)?;
        shapes(call, |row| several_points(points.at(row)?))
    });
}

fn line_through(points: Vec<Option<Geometry>>) -> Result<LineString, TrinoError> {
    let mut line: Vec<Coord> = Vec::with_capacity(points.len());
    for (index, point) in points.into_iter().enumerate() {
        let place = index + 1;
        let refuse =
            |what: &str| TrinoError::invalid(format!("Invalid input to ST_LineString: {what} at index {place}"));
        let shape = point.ok_or_else(|| refuse("null point"))?;
        let Geometry::Point(point) = shape else {
            let kind = Kind::of(&shape).name();
            let message = format!("ST_LineString takes only an array of valid points, {kind} was passed");
            return Err(TrinoError::invalid(message));
        };
        if is_empty(&shape) {
            return Err(refuse("empty point"));
        }
        if line.last() == Some(&point.0) {
            return Err(refuse("consecutive duplicate points"));
        }
        line.push(point.0);
    }
    Ok(drawn(line))
}

/// A line through points; one point is none.
pub(super) fn drawn(points: Vec<Coord>) -> LineString {
    LineString::new(if points.len() > 1 { points } else { Vec::new() })
}

fn several_points(points: Vec<Option<Geometry>>) -> Result<Option<Geometry>, TrinoError> {
    let mut several = Vec::with_capacity(points.len());
    for (index, point) in points.into_iter().enumerate() {
        let refuse =
            |what: &str| TrinoError::invalid(format!("Invalid input to ST_MultiPoint: {what} at index {}", index + 1));
        let shape = point.ok_or_else(|| refuse("null"))?;
        let Geometry::Point(point) = shape else {
            return Err(refuse(&format!("geometry is not a point: {}", Kind::of(&shape).name())));
        };
        if is_empty(&shape) {
            return Err(refuse("empty point"));
        }
        several.push(point);
    }
    Ok((!several.is_empty()).then(|| MultiPoint::new(several).into()))
}
