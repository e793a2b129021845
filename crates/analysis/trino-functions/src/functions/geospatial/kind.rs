//! What kind of geometry a geometry is, and what all kinds have in common.

use std::borrow::Cow;
use std::fmt;

use geo::winding_order::Winding;
use geo::{BoundingRect, Coord, CoordsIter, Geometry, LineString, MultiPolygon, Point, Polygon, Rect};

use crate::error::TrinoError;

/// The kinds, in the order in which refusals list them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Point,
    MultiPoint,
    LineString,
    MultiLineString,
    Polygon,
    MultiPolygon,
    Collection,
}

impl Kind {
    /// The kind of a geometry.
    pub(super) fn of(geometry: &Geometry) -> Self {
        match geometry {
            Geometry::Point(_) => Self::Point,
            Geometry::MultiPoint(_) => Self::MultiPoint,
            Geometry::Line(_) | Geometry::LineString(_) => Self::LineString,
            Geometry::MultiLineString(_) => Self::MultiLineString,
            Geometry::Polygon(_) | Geometry::Rect(_) | Geometry::Triangle(_) => Self::Polygon,
            Geometry::MultiPolygon(_) => Self::MultiPolygon,
            Geometry::GeometryCollection(_) => Self::Collection,
        }
    }

    /// The name that ST_GeometryType gives it.
    pub(super) fn standard_name(self) -> &'static str {
        match self {
            Self::Point => "ST_Point",
            Self::MultiPoint => "ST_MultiPoint",
            Self::LineString => "ST_LineString",
            Self::MultiLineString => "ST_MultiLineString",
            Self::Polygon => "ST_Polygon",
            Self::MultiPolygon => "ST_MultiPolygon",
            Self::Collection => "ST_GeomCollection",
        }
    }

    /// The name in GeoJSON, and in some refusals.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Point => "Point",
            Self::MultiPoint => "MultiPoint",
            Self::LineString => "LineString",
            Self::MultiLineString => "MultiLineString",
            Self::Polygon => "Polygon",
            Self::MultiPolygon => "MultiPolygon",
            Self::Collection => "GeometryCollection",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Point => "POINT",
            Self::MultiPoint => "MULTI_POINT",
            Self::LineString => "LINE_STRING",
            Self::MultiLineString => "MULTI_LINE_STRING",
            Self::Polygon => "POLYGON",
            Self::MultiPolygon => "MULTI_POLYGON",
            Self::Collection => "GEOMETRY_COLLECTION",
        })
    }
}

/// Refuses a geometry of another kind than these.
pub(super) fn only(function: &str, geometry: &Geometry, kinds: &[Kind]) -> Result<(), TrinoError> {
    refuse_others(geometry, kinds, |wanted| format!("{function} only applies to {wanted}"))
}

/// The same on the earth's surface.
pub(super) fn only_spherical(function: &str, geometry: &Geometry, kinds: &[Kind]) -> Result<(), TrinoError> {
    let message =
        |wanted: &str| format!("When applied to SphericalGeography inputs, {function} only supports {wanted}");
    refuse_others(geometry, kinds, message)
}

fn refuse_others(geometry: &Geometry, kinds: &[Kind], message: impl FnOnce(&str) -> String) -> Result<(), TrinoError> {
    let kind = Kind::of(geometry);
    if kinds.contains(&kind) {
        return Ok(());
    }
    let wanted: Vec<_> = kinds.iter().map(Kind::to_string).collect();
    Err(TrinoError::invalid(format!("{}. Input type is: {kind}", message(&wanted.join(" or ")))))
}

/// `POINT EMPTY`, which geometries of other kinds than points need no value for.
pub(super) fn no_point() -> Point {
    Point::new(f64::NAN, f64::NAN)
}

/// `POLYGON EMPTY`.
pub(super) fn no_polygon() -> Polygon {
    Polygon::new(LineString::new(Vec::new()), Vec::new())
}

/// Whether there is no point in it.
pub(super) fn is_empty(geometry: &Geometry) -> bool {
    match geometry {
        Geometry::Point(point) => is_no_point(point),
        Geometry::LineString(line) => line.0.is_empty(),
        Geometry::Polygon(polygon) => polygon.exterior().0.is_empty(),
        Geometry::MultiPoint(points) => points.0.iter().all(is_no_point),
        Geometry::MultiLineString(lines) => lines.0.iter().all(|line| line.0.is_empty()),
        Geometry::MultiPolygon(polygons) => polygons.0.iter().all(|polygon| polygon.exterior().0.is_empty()),
        Geometry::GeometryCollection(members) => members.0.iter().all(is_empty),
        Geometry::Line(_) | Geometry::Rect(_) | Geometry::Triangle(_) => false,
    }
}

fn is_no_point(point: &Point) -> bool {
    point.x().is_nan() || point.y().is_nan()
}

/// Refuses coordinates that are no finite numbers, which no set operation can place.
pub(super) fn finite(geometry: &Geometry) -> Result<(), TrinoError> {
    let is_finite = |point: Coord| point.x.is_finite() && point.y.is_finite();
    match leaves(geometry).into_iter().filter(|leaf| !is_empty(leaf)).all(|leaf| leaf.coords_iter().all(is_finite)) {
        true => Ok(()),
        false => Err(TrinoError::invalid("Coordinates have to be finite numbers")),
    }
}

/// The rectangle around it; none for an empty one.
pub(super) fn envelope(geometry: &Geometry) -> Option<Rect> {
    match geometry {
        Geometry::Point(point) if is_no_point(point) => None,
        Geometry::GeometryCollection(members) => members.0.iter().filter_map(envelope).reduce(both),
        other => other.bounding_rect(),
    }
}

fn both(one: Rect, other: Rect) -> Rect {
    let (low, high) = (one.min(), one.max());
    let (other_low, other_high) = (other.min(), other.max());
    Rect::new(
        Coord { x: low.x.min(other_low.x), y: low.y.min(other_low.y) },
        Coord { x: high.x.max(other_high.x), y: high.y.max(other_high.y) },
    )
}

/// The geometries that are no collections, in order.
pub(super) fn leaves(geometry: &Geometry) -> Vec<&Geometry> {
    match geometry {
        Geometry::GeometryCollection(members) => members.0.iter().flat_map(leaves).collect(),
        other => vec![other],
    }
}

/// The members of a geometry that has members; itself otherwise.
pub(super) fn members(geometry: Geometry) -> Vec<Geometry> {
    match geometry {
        Geometry::MultiPoint(points) => points.0.into_iter().map(Geometry::from).collect(),
        Geometry::MultiLineString(lines) => lines.0.into_iter().map(Geometry::from).collect(),
        Geometry::MultiPolygon(polygons) => polygons.0.into_iter().map(Geometry::from).collect(),
        Geometry::GeometryCollection(members) => members.0,
        other => vec![other],
    }
}

/// The geometry without the points that are none, which the algorithms know nothing of.
pub(super) fn filled(geometry: &Geometry) -> Cow<'_, Geometry> {
    if !leaves(geometry).into_iter().any(|leaf| matches!(leaf, Geometry::Point(point) if is_no_point(point))) {
        return Cow::Borrowed(geometry);
    }
    let rest: Vec<Geometry> = leaves(geometry).into_iter().filter(|leaf| !is_empty(leaf)).cloned().collect();
    Cow::Owned(Geometry::GeometryCollection(rest.into()))
}

/// Geometries as they are kept. Polygons have the exterior ring counter-clockwise, the others clockwise, each from its
/// first point on; several points have none that is empty.
pub(super) fn oriented(geometry: Geometry) -> Geometry {
    match geometry {
        Geometry::MultiPoint(points) => {
            Geometry::MultiPoint(points.0.into_iter().filter(|point| !is_no_point(point)).collect())
        }
        Geometry::Polygon(polygon) => oriented_polygon(polygon).into(),
        Geometry::MultiPolygon(polygons) => {
            MultiPolygon::new(polygons.0.into_iter().map(oriented_polygon).collect()).into()
        }
        Geometry::GeometryCollection(members) => {
            Geometry::GeometryCollection(members.0.into_iter().map(oriented).collect())
        }
        other => other,
    }
}

/// A polygon with its rings in the right direction.
pub(super) fn oriented_polygon(polygon: Polygon) -> Polygon {
    let (mut exterior, mut interiors) = polygon.into_inner();
    exterior.make_ccw_winding();
    interiors.iter_mut().for_each(Winding::make_cw_winding);
    Polygon::new(exterior, interiors)
}
