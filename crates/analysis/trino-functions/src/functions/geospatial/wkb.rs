//! Well-known binary: the form in which geometries travel, and that ST_AsBinary gives. Little-endian, two coordinates.

use std::convert::Infallible;

use geo::{Coord, Geometry, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon};

use super::kind::no_polygon;

/// How deep collections may nest; deeper ones are refused rather than let the stack run out.
const MAX_DEPTH: usize = 64;
/// A flag of other dialects: a number of a spatial reference follows, which is passed over.
const HAS_REFERENCE: u32 = 0x2000_0000;

/// A geometry as bytes.
pub(super) fn to_bytes(geometry: &Geometry) -> Vec<u8> {
    let mut out = Vec::with_capacity(32);
    write(geometry, &mut out);
    out
}

fn write(geometry: &Geometry, out: &mut Vec<u8>) {
    match geometry {
        Geometry::Point(point) => {
            header(1, out);
            coordinate(&point.0, out);
        }
        Geometry::LineString(line) => {
            header(2, out);
            coordinates(line, out);
        }
        Geometry::Polygon(polygon) => {
            header(3, out);
            rings(polygon, out);
        }
        Geometry::MultiPoint(points) => several(4, points.0.iter().map(|point| Geometry::from(*point)), out),
        Geometry::MultiLineString(lines) => several(5, lines.0.iter().cloned().map(Geometry::from), out),
        Geometry::MultiPolygon(polygons) => several(6, polygons.0.iter().cloned().map(Geometry::from), out),
        Geometry::GeometryCollection(members) => several(7, members.0.iter().cloned(), out),
        Geometry::Line(line) => write(&LineString::from(line).into(), out),
        Geometry::Rect(rectangle) => write(&rectangle.to_polygon().into(), out),
        Geometry::Triangle(triangle) => write(&triangle.to_polygon().into(), out),
    }
}

fn several(code: u32, members: impl ExactSizeIterator<Item = Geometry>, out: &mut Vec<u8>) {
    header(code, out);
    count(members.len(), out);
    members.for_each(|member| write(&member, out));
}

fn header(code: u32, out: &mut Vec<u8>) {
    out.push(1);
    out.extend(code.to_le_bytes());
}

fn count(count: usize, out: &mut Vec<u8>) {
    out.extend((count as u32).to_le_bytes());
}

fn coordinate(coordinate: &Coord, out: &mut Vec<u8>) {
    out.extend(coordinate.x.to_le_bytes());
    out.extend(coordinate.y.to_le_bytes());
}

fn coordinates(line: &LineString, out: &mut Vec<u8>) {
    count(line.0.len(), out);
    line.0.iter().for_each(|point| coordinate(point, out));
}

fn rings(polygon: &Polygon, out: &mut Vec<u8>) {
    if polygon.exterior().0.is_empty() {
        return count(0, out);
    }
    count(1 + polygon.interiors().len(), out);
    coordinates(polygon.exterior(), out);
    polygon.interiors().iter().for_each(|ring| coordinates(ring, out));
}

/// A geometry from bytes of either byte order; none for anything else.
pub(super) fn from_bytes(bytes: &[u8]) -> Option<Geometry> {
    let mut reader = Reader { rest: bytes, little_endian: true };
    reader.geometry(0)
}

struct Reader<'a> {
    rest: &'a [u8],
    little_endian: bool,
}

impl Reader<'_> {
    fn geometry(&mut self, depth: usize) -> Option<Geometry> {
        if depth > MAX_DEPTH {
            return None;
        }
        let [order] = self.take()?;
        self.little_endian = order == 1;
        let mut code = self.number()?;
        if code & HAS_REFERENCE != 0 {
            code &= !HAS_REFERENCE;
            self.number()?;
        }
        Some(match code {
            1 => Point(self.coordinate()?).into(),
            2 => self.line()?.into(),
            3 => self.polygon()?.into(),
            4 => MultiPoint::new(self.members(depth, Geometry::try_into)?).into(),
            5 => MultiLineString::new(self.members(depth, Geometry::try_into)?).into(),
            6 => MultiPolygon::new(self.members(depth, Geometry::try_into)?).into(),
            7 => Geometry::GeometryCollection(self.members(depth, Ok::<_, Infallible>)?.into()),
            _ => return None,
        })
    }

    fn members<T, E>(&mut self, depth: usize, of: fn(Geometry) -> Result<T, E>) -> Option<Vec<T>> {
        let count = self.number()?;
        (0..count).map(|_| self.geometry(depth + 1).and_then(|member| of(member).ok())).collect()
    }

    fn polygon(&mut self) -> Option<Polygon> {
        let count = self.number()?;
        if count == 0 {
            return Some(no_polygon());
        }
        let exterior = self.line()?;
        let interiors = (1..count).map(|_| self.line()).collect::<Option<_>>()?;
        Some(Polygon::new(exterior, interiors))
    }

    fn line(&mut self) -> Option<LineString> {
        let count = self.number()?;
        (0..count).map(|_| self.coordinate()).collect::<Option<Vec<_>>>().map(LineString::new)
    }

    fn coordinate(&mut self) -> Option<Coord> {
        Some(Coord { x: self.double()?, y: self.double()? })
    }

    fn double(&mut self) -> Option<f64> {
        let bytes = self.take()?;
        Some(if self.little_endian { f64::from_le_bytes(bytes) } else { f64::from_be_bytes(bytes) })
    }

    fn number(&mut self) -> Option<u32> {
        let bytes = self.take()?;
        Some(if self.little_endian { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*taken)
    }
}
