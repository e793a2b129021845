//! Geometries on the earth's surface: a ball, whose great circles are the shortest ways.

use std::f64::consts::PI;

use arrow::datatypes::Float64Type;
use geo::{Coord, Geometry, LineString, Polygon};

use super::super::Table;
use super::super::support::{numbers, primitives};
use super::kind::{Kind, envelope, is_empty, leaves, only_spherical};
use super::values::{geometries, shapes};
use crate::error::TrinoError;

/// The earth's radius in kilometres.
pub(super) const EARTH_RADIUS_KM: f64 = 6_371.01;
const EARTH_RADIUS_M: f64 = EARTH_RADIUS_KM * 1_000.0;

pub(super) fn register(table: &mut Table) {
    let to = "The geometry on the earth's surface: x is the longitude and y the latitude, in degrees.";
    table.kernel("to_spherical_geography(geometry) -> sphericalgeography", to, |call| {
        let places = geometries(call, 0)?;
        shapes(call, |row| {
            let shape = places.at(row)?;
            check_places(&shape)?;
            Ok(Some((*shape).clone()))
        })
    });
    let back = "The same coordinates on a plane.";
    table.kernel("to_geometry(sphericalgeography) -> geometry", back, |call| call.array(0)).never_fails();
    table.kernel("st_area(sphericalgeography) -> double", "The area in square metres.", |call| {
        let places = geometries(call, 0)?;
        primitives::<Float64Type>(call, |row| area(&*places.at(row)?))
    });
    let distance = "The distance of two points in metres.";
    table.kernel("st_distance(sphericalgeography, sphericalgeography) -> double", distance, |call| {
        let (left, right) = (geometries(call, 0)?, geometries(call, 1)?);
        primitives::<Float64Type>(call, |row| distance_of(&*left.at(row)?, &*right.at(row)?))
    });
    table.kernel("st_length(sphericalgeography) -> double", "The length of lines in metres.", |call| {
        let places = geometries(call, 0)?;
        primitives::<Float64Type>(call, |row| length(&*places.at(row)?))
    });
    let great = "The distance in kilometres of two places, each a latitude and a longitude.";
    table.kernel("great_circle_distance(double, double, double, double) -> double", great, |call| {
        let values = [numbers(call, 0)?, numbers(call, 1)?, numbers(call, 2)?, numbers::<Float64Type>(call, 3)?];
        primitives::<Float64Type>(call, |row| {
            let [latitude, longitude, other_latitude, other_longitude] =
                values.each_ref().map(|value| value.value(row));
            check_latitude(latitude)?;
            check_longitude(longitude)?;
            check_latitude(other_latitude)?;
            check_longitude(other_longitude)?;
            Ok(Some(kilometres(latitude, longitude, other_latitude, other_longitude)))
        })
    });
}

fn check_places(geometry: &Geometry) -> Result<(), TrinoError> {
    let Some(around) = envelope(geometry) else { return Ok(()) };
    check_latitude(around.min().y)?;
    check_latitude(around.max().y)?;
    check_longitude(around.min().x)?;
    check_longitude(around.max().x)
}

fn check_latitude(latitude: f64) -> Result<(), TrinoError> {
    match (-90.0..=90.0).contains(&latitude) {
        true => Ok(()),
        false => Err(TrinoError::invalid("Latitude must be between -90 and 90")),
    }
}

fn check_longitude(longitude: f64) -> Result<(), TrinoError> {
    match (-180.0..=180.0).contains(&longitude) {
        true => Ok(()),
        false => Err(TrinoError::invalid("Longitude must be between -180 and 180")),
    }
}

/// The length of the great circle's arc between two places.
pub(super) fn kilometres(latitude: f64, longitude: f64, other_latitude: f64, other_longitude: f64) -> f64 {
    let (sine, cosine) = latitude.to_radians().sin_cos();
    let (other_sine, other_cosine) = other_latitude.to_radians().sin_cos();
    let (across, along) = (longitude.to_radians() - other_longitude.to_radians()).sin_cos();
    let east = other_cosine * across;
    let north = cosine * other_sine - sine * other_cosine * along;
    let up = sine * other_sine + cosine * other_cosine * along;
    (east * east + north * north).sqrt().atan2(up) * EARTH_RADIUS_KM
}

fn between(one: Coord, other: Coord) -> f64 {
    kilometres(one.y, one.x, other.y, other.x)
}

fn distance_of(left: &Geometry, right: &Geometry) -> Result<Option<f64>, TrinoError> {
    if is_empty(left) || is_empty(right) {
        return Ok(None);
    }
    only_spherical("ST_Distance", left, &[Kind::Point])?;
    only_spherical("ST_Distance", right, &[Kind::Point])?;
    let (Geometry::Point(left), Geometry::Point(right)) = (left, right) else { return Ok(None) };
    Ok(Some(between(left.0, right.0) * 1_000.0))
}

fn length(geometry: &Geometry) -> Result<Option<f64>, TrinoError> {
    if is_empty(geometry) {
        return Ok(None);
    }
    only_spherical("ST_Length", geometry, &[Kind::LineString, Kind::MultiLineString])?;
    let of_line = |line: &LineString| {
        line.0.windows(2).map(|pair| between(pair[0], pair[1])).fold(0.0, |all, length| all + length)
    };
    let sum = match geometry {
        Geometry::LineString(line) => of_line(line),
        Geometry::MultiLineString(lines) => lines.0.iter().fold(0.0, |all, line| all + of_line(line)),
        _ => 0.0,
    };
    Ok(Some(sum * 1_000.0))
}

fn area(geometry: &Geometry) -> Result<Option<f64>, TrinoError> {
    if is_empty(geometry) {
        return Ok(None);
    }
    only_spherical("ST_Area", geometry, &[Kind::Polygon, Kind::MultiPolygon])?;
    let mut excess = 0.0;
    for leaf in leaves(geometry) {
        let polygons = match leaf {
            Geometry::Polygon(polygon) => std::slice::from_ref(polygon),
            Geometry::MultiPolygon(polygons) => &polygons.0,
            _ => &[],
        };
        for polygon in polygons {
            excess += excess_of(polygon)?;
        }
    }
    Ok(Some((excess * EARTH_RADIUS_M * EARTH_RADIUS_M).abs()))
}

fn excess_of(polygon: &Polygon) -> Result<f64, TrinoError> {
    let mut excess = ring_excess(polygon.exterior())?.abs();
    for hole in polygon.interiors() {
        excess -= ring_excess(hole)?.abs();
    }
    Ok(excess)
}

/// By how much a ring's angles exceed those on a plane, which is its area on a ball of radius one. A ring around a pole
/// turns by nothing instead of by a full circle, and what it encloses is the rest of the half ball.
fn ring_excess(ring: &LineString) -> Result<f64, TrinoError> {
    let closed = ring.0.len() > 1 && ring.0.first() == ring.0.last();
    let points = &ring.0[..ring.0.len() - usize::from(closed)];
    let Some(last) = points.last().filter(|_| points.len() >= 3) else {
        return Err(TrinoError::invalid("Polygon is not valid: a loop contains less then 3 vertices."));
    };
    let (mut excess, mut turned) = (0.0, 0.0);
    let (mut previous, mut arrived, mut first_left) = (*last, None, None);
    for point in points {
        if *point == previous {
            let message = "Polygon is not valid: it has two identical consecutive vertices";
            return Err(TrinoError::invalid(message));
        }
        let (from, to) = (Place::new(previous), Place::new(*point));
        let across = to.longitude - from.longitude;
        let (from_tangent, tangent) = ((from.latitude / 2.0).tan(), (to.latitude / 2.0).tan());
        excess += 2.0 * ((across / 2.0).tan() * (from_tangent + tangent)).atan2(1.0 + from_tangent * tangent);
        let left = from.bearing(&to).rem_euclid(2.0 * PI);
        let arrives = (to.bearing(&from) + PI) % (2.0 * PI);
        first_left.get_or_insert(left);
        if let Some(arrived) = arrived {
            turned += turn(left - arrived);
        }
        turned += turn(arrives - left);
        (previous, arrived) = (*point, Some(arrives));
    }
    if let (Some(left), Some(arrived)) = (first_left, arrived) {
        turned += turn(left - arrived);
    }
    let around_pole = turned.abs() < PI / 4.0;
    Ok(if around_pole { excess.abs() - 2.0 * PI } else { excess })
}

/// An angle from minus a half circle to a half circle.
fn turn(angle: f64) -> f64 {
    (angle + 3.0 * PI) % (2.0 * PI) - PI
}

/// A place in radians.
struct Place {
    latitude: f64,
    longitude: f64,
}

impl Place {
    fn new(degrees: Coord) -> Self {
        Self { latitude: degrees.y.to_radians(), longitude: degrees.x.to_radians() }
    }

    /// In which direction the way to another place begins.
    fn bearing(&self, to: &Self) -> f64 {
        let across = to.longitude - self.longitude;
        let east = across.sin() * to.latitude.cos();
        let north = self.latitude.cos() * to.latitude.sin() - self.latitude.sin() * to.latitude.cos() * across.cos();
        east.atan2(north)
    }
}
