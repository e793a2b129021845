//! GeoJSON (RFC 7946): geometries, and features without what they have besides.

use geo::{Coord, Geometry, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon};
use serde_json::Value;

use super::kind::{Kind, no_point, no_polygon, oriented};
use crate::error::TrinoError;
use crate::types::format::java_double;

/// How deep collections may nest.
const MAX_DEPTH: usize = 64;
/// What stands at the end of each document: no reference is known.
const REFERENCE: &str = ",\"crs\":{\"type\":\"name\",\"properties\":{\"name\":\"EPSG:0\"}}}";

/// A geometry from its document.
///
/// # Errors
/// INVALID_FUNCTION_ARGUMENT for what is no geometry.
pub(super) fn read(text: &str) -> Result<Geometry, TrinoError> {
    let document = serde_json::from_str(text).map_err(|error| refuse(&error.to_string()))?;
    geometry(&document, 0).map(oriented)
}

fn refuse(what: &str) -> TrinoError {
    TrinoError::invalid(format!("Invalid GeoJSON: {what}"))
}

fn geometry(document: &Value, depth: usize) -> Result<Geometry, TrinoError> {
    if depth > MAX_DEPTH {
        return Err(refuse("Geometries nest too deep."));
    }
    if !document.is_object() {
        return Err(refuse("Could not parse Geometry from Json string."));
    }
    let Some(kind) = document.get("type").and_then(Value::as_str) else {
        return Err(refuse("Could not parse Geometry from Json string.  No 'type' property found."));
    };
    let unreadable = || refuse(&format!("Could not parse {kind} from GeoJson string."));
    let nothing = Value::Array(Vec::new());
    let coordinates = document.get("coordinates").unwrap_or(&nothing);
    let members = |name: &str| -> Result<Geometry, TrinoError> {
        let members = document.get(name).and_then(Value::as_array).ok_or_else(unreadable)?;
        let members: Vec<_> = members.iter().map(|member| geometry(member, depth + 1)).collect::<Result<_, _>>()?;
        Ok(Geometry::GeometryCollection(members.into()))
    };
    let read = match kind {
        "Point" => point(coordinates).map(Geometry::from),
        "LineString" => line(coordinates).map(Geometry::from),
        "Polygon" => polygon(coordinates).map(Geometry::from),
        "MultiPoint" => all(coordinates, point).map(|points| MultiPoint::new(points).into()),
        "MultiLineString" => all(coordinates, line).map(|lines| MultiLineString::new(lines).into()),
        "MultiPolygon" => all(coordinates, polygon).map(|polygons| MultiPolygon::new(polygons).into()),
        "GeometryCollection" => return members("geometries"),
        "FeatureCollection" => return members("features"),
        "Feature" => return geometry(document.get("geometry").unwrap_or(&Value::Null), depth + 1),
        _ => {
            let what = format!("Could not parse Geometry from GeoJson string.  Unsupported 'type':{kind}");
            return Err(refuse(&what));
        }
    };
    read.ok_or_else(unreadable)
}

fn all<T>(value: &Value, each: fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    value.as_array()?.iter().map(each).collect()
}

fn point(value: &Value) -> Option<Point> {
    match value.as_array()?.as_slice() {
        [] => Some(no_point()),
        _ => coordinate(value).map(Point),
    }
}

/// Numbers after the second one are passed over.
fn coordinate(value: &Value) -> Option<Coord> {
    match value.as_array()?.as_slice() {
        [x, y, ..] => Some(Coord { x: x.as_f64()?, y: y.as_f64()? }),
        _ => None,
    }
}

fn line(value: &Value) -> Option<LineString> {
    all(value, coordinate).filter(|points| points.len() != 1).map(LineString::new)
}

/// A ring has to be closed.
fn ring(value: &Value) -> Option<LineString> {
    line(value).filter(|ring| ring.0.len() > 3 && ring.is_closed())
}

fn polygon(value: &Value) -> Option<Polygon> {
    let mut rings = all(value, ring)?.into_iter();
    Some(rings.next().map_or_else(no_polygon, |exterior| Polygon::new(exterior, rings.collect())))
}

/// The geometry's document.
pub(super) fn written(geometry: &Geometry) -> String {
    let mut out = String::new();
    write(&mut out, geometry);
    out.push_str(REFERENCE);
    out
}

/// All but the last brace.
fn write(out: &mut String, geometry: &Geometry) {
    let member = if matches!(geometry, Geometry::GeometryCollection(_)) { "geometries" } else { "coordinates" };
    out.push_str(&format!("{{\"type\":\"{}\",\"{member}\":", Kind::of(geometry).name()));
    match geometry {
        Geometry::Point(point) if point.x().is_nan() => out.push_str("[]"),
        Geometry::Point(point) => pair(out, &point.0),
        Geometry::LineString(line) => list(out, &line.0, pair),
        Geometry::Polygon(polygon) => rings(out, polygon),
        Geometry::MultiPoint(points) => list(out, &points.0, |out, point| pair(out, &point.0)),
        Geometry::MultiLineString(lines) => list(out, &lines.0, |out, line| list(out, &line.0, pair)),
        Geometry::MultiPolygon(polygons) => list(out, &polygons.0, rings),
        Geometry::GeometryCollection(members) => list(out, &members.0, |out, member| {
            write(out, member);
            out.push('}');
        }),
        Geometry::Line(_) | Geometry::Rect(_) | Geometry::Triangle(_) => out.push_str("[]"),
    }
}

/// Rings in the other direction, from the same point on.
fn rings(out: &mut String, polygon: &Polygon) {
    let filled = |ring: &&LineString| !ring.0.is_empty();
    let rings = std::iter::once(polygon.exterior()).chain(polygon.interiors()).filter(filled);
    let rings: Vec<Vec<Coord>> = rings.map(|ring| ring.0.iter().rev().copied().collect()).collect();
    list(out, &rings, |out, ring| list(out, ring, pair));
}

fn pair(out: &mut String, coordinate: &Coord) {
    out.push_str(&format!("[{},{}]", number(coordinate.x), number(coordinate.y)));
}

/// Eight digits after the point at most; very small and large numbers as Java shows them.
fn number(value: f64) -> String {
    if value.abs() < 1e-3 || value >= 1e7 {
        return java_double(value);
    }
    let shown = format!("{value:.8}");
    shown.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn list<T>(out: &mut String, items: &[T], mut each: impl FnMut(&mut String, &T)) {
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        each(out, item);
    }
    out.push(']');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for text in [
            "{\"type\":\"Point\",\"coordinates\":[1,-2.5]",
            "{\"type\":\"Point\",\"coordinates\":[0.0,1.0E-7]",
            "{\"type\":\"Polygon\",\"coordinates\":[[[1,1],[1,9],[9,9],[1,1]]]",
            "{\"type\":\"MultiPoint\",\"coordinates\":[]",
            "{\"type\":\"GeometryCollection\",\"geometries\":[{\"type\":\"LineString\",\"coordinates\":[[1,2],[3,4]]}]",
        ] {
            let document = format!("{text}{REFERENCE}");
            assert_eq!(written(&read(&document).unwrap()), document);
        }
    }

    #[test]
    fn refusals_say_what_is_wrong() {
        let refusal = |text: &str| read(text).unwrap_err().message;
        assert_eq!(
            refusal("{\"type\":\"Circle\"}"),
            "Invalid GeoJSON: Could not parse Geometry from GeoJson string.  Unsupported 'type':Circle"
        );
        assert_eq!(
            refusal("{\"coordinates\":[1,2]}"),
            "Invalid GeoJSON: Could not parse Geometry from Json string.  No 'type' property found."
        );
        assert_eq!(
            refusal("{\"type\":\"LineString\",\"coordinates\":[[1,2]]}"),
            "Invalid GeoJSON: Could not parse LineString from GeoJson string."
        );
        assert!(refusal("x").starts_with("Invalid GeoJSON: "));
    }
}
