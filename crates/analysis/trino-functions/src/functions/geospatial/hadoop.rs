//! Geometries as Esri's Spatial Framework for Hadoop keeps them: a reference of four bytes, a kind of one, then a shape as
//! in a shapefile ("ESRI Shapefile Technical Description").

use geo::winding_order::{Winding, WindingOrder};
use geo::{Coord, Geometry, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon};

use super::kind::{no_point, no_polygon, oriented};
use crate::error::TrinoError;

/// What stands before the shape.
const HEADER: usize = 5;
/// The rectangle around a shape, four doubles.
const BOX: usize = 32;

/// A geometry from its bytes.
pub(super) fn from_bytes(bytes: &[u8]) -> Result<Geometry, TrinoError> {
    if bytes.len() <= HEADER {
        return Err(TrinoError::invalid("Hadoop shape input is too short"));
    }
    let (header, shape) = bytes.split_at(HEADER);
    let kind = header[HEADER - 1];
    let read = Reader(shape).shape().ok_or_else(|| TrinoError::invalid("Invalid Hadoop shape"))?;
    if kind > 6 {
        return Err(TrinoError::invalid(format!("Invalid Hadoop shape type: {}", kind as i8)));
    }
    as_kind(read, kind).map(oriented).ok_or_else(|| TrinoError::invalid("Invalid Hadoop shape"))
}

/// What a shape holds: several of each, whatever the kind of the geometry.
enum Shape {
    Nothing,
    Point(Point),
    Points(Vec<Point>),
    Lines(Vec<LineString>),
    Polygons(Vec<Polygon>),
}

fn as_kind(shape: Shape, kind: u8) -> Option<Geometry> {
    Some(match (kind, shape) {
        (0 | 1, Shape::Point(point)) => point.into(),
        (0 | 1, Shape::Nothing) => no_point().into(),
        (0 | 4, Shape::Points(points)) => MultiPoint::new(points).into(),
        (4, Shape::Point(point)) => MultiPoint::new(vec![point]).into(),
        (2, Shape::Lines(lines)) if lines.len() < 2 => {
            lines.into_iter().next().unwrap_or_else(|| LineString::new(Vec::new())).into()
        }
        (0 | 5, Shape::Lines(lines)) => MultiLineString::new(lines).into(),
        (3, Shape::Polygons(polygons)) if polygons.len() < 2 => {
            polygons.into_iter().next().unwrap_or_else(no_polygon).into()
        }
        (0 | 6, Shape::Polygons(polygons)) => MultiPolygon::new(polygons).into(),
        _ => return None,
    })
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn shape(&mut self) -> Option<Shape> {
        Some(match self.number()? {
            0 => Shape::Nothing,
            1 => Shape::Point(Point(self.coordinate()?)),
            8 => {
                self.skip(BOX)?;
                let count = self.number()?;
                Shape::Points((0..count).map(|_| self.coordinate().map(Point)).collect::<Option<_>>()?)
            }
            3 => Shape::Lines(self.paths()?),
            5 => Shape::Polygons(polygons(self.paths()?)),
            _ => return None,
        })
    }

    fn paths(&mut self) -> Option<Vec<LineString>> {
        self.skip(BOX)?;
        let (paths, points) = (self.number()?, self.number()?);
        let mut starts: Vec<_> = (0..paths).map(|_| self.number()).collect::<Option<_>>()?;
        starts.push(points);
        let points: Vec<_> = (0..points).map(|_| self.coordinate()).collect::<Option<_>>()?;
        let path = |ends: &[u32]| points.get(ends[0] as usize..ends[1] as usize).map(|path| path.to_vec().into());
        starts.windows(2).map(path).collect()
    }

    fn coordinate(&mut self) -> Option<Coord> {
        Some(Coord { x: f64::from_le_bytes(self.take()?), y: f64::from_le_bytes(self.take()?) })
    }

    fn number(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.0 = self.0.get(count..)?;
        Some(())
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }
}

/// A ring that runs clockwise begins a polygon, the others are holes of the one before.
fn polygons(rings: Vec<LineString>) -> Vec<Polygon> {
    let mut polygons: Vec<(LineString, Vec<LineString>)> = Vec::new();
    for ring in rings {
        match polygons.last_mut() {
            Some((_, holes)) if ring.winding_order() == Some(WindingOrder::CounterClockwise) => holes.push(ring),
            _ => polygons.push((ring, Vec::new())),
        }
    }
    polygons.into_iter().map(|(exterior, holes)| Polygon::new(exterior, holes)).collect()
}
