//! Places on lines, and the shortest way between geometries.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryBuilder, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Float64Type};
use geo::line_measures::LengthMeasurable;
use geo::{Closest, ClosestPoint, Coord, Distance, Euclidean, Geometry, Line, LinesIter, Point};

use super::super::Table;
use super::super::support::{Computed, nulls, numbers, primitives};
use super::access::{length, line_of, lines_of};
use super::kind::{Kind, is_empty, leaves, members};
use super::values::{geometries, shape_arrays, shapes};
use super::wkb;
use crate::error::TrinoError;
use crate::kernel::Call;

pub(super) fn register(table: &mut Table) {
    let locate = "Which part of the line lies before its point that is closest to a point, from 0 to 1.";
    table.kernel("line_locate_point(geometry, geometry) -> double", locate, |call| {
        let (lines, points) = (geometries(call, 0)?, geometries(call, 1)?);
        primitives::<Float64Type>(call, |row| located(&*lines.at(row)?, &*points.at(row)?))
    });
    let at = "The point before which this part of the line lies, from 0 to 1.";
    table.kernel("line_interpolate_point(geometry, double) -> geometry", at, |call| {
        let (lines, parts) = (geometries(call, 0)?, numbers::<Float64Type>(call, 1)?);
        shapes(call, |row| {
            let points = interpolated(&*lines.at(row)?, parts.value(row), false)?;
            Ok(points.and_then(|points| points.into_iter().next()))
        })
    });
    let all = "The points that lie this part of the line, from 0 to 1, apart from each other.";
    table.kernel("line_interpolate_points(geometry, double) -> array(geometry)", all, |call| {
        let (lines, parts) = (geometries(call, 0)?, numbers::<Float64Type>(call, 1)?);
        shape_arrays(call, |row| interpolated(&*lines.at(row)?, parts.value(row), true))
    });
    table.kernel("st_distance(geometry, geometry) -> double", "The distance on the plane.", |call| {
        let (left, right) = (geometries(call, 0)?, geometries(call, 1)?);
        primitives::<Float64Type>(call, |row| Ok(distance(&*left.at(row)?, &*right.at(row)?)))
    });
    let nearest = "The points of both that are closest to each other.";
    table.kernel("geometry_nearest_points(geometry, geometry) -> row(geometry, geometry)", nearest, nearest_points);
}

fn located(line: &Geometry, point: &Geometry) -> Result<Option<f64>, TrinoError> {
    if is_empty(line) || is_empty(point) {
        return Ok(None);
    }
    let refuse = |which: &str, wanted: &str, got: &Geometry| {
        let got = Kind::of(got).name();
        TrinoError::invalid(format!("{which} argument to line_locate_point must be {wanted}. Got: {got}"))
    };
    if !matches!(Kind::of(line), Kind::LineString | Kind::MultiLineString) {
        return Err(refuse("First", "a LineString or a MultiLineString", line));
    }
    let Geometry::Point(point) = point else { return Err(refuse("Second", "a Point", point)) };
    let (mut before, mut closest, mut least) = (0.0, 0.0, f64::INFINITY);
    for segment in lines_of(line).into_iter().flat_map(|line| line.lines()) {
        let on = on_segment(&segment, point.0);
        let far = Euclidean.distance(on, point.0);
        if far < least {
            (least, closest) = (far, before + Euclidean.distance(segment.start, on));
        }
        before += segment.length(&Euclidean);
    }
    Ok(Some(closest / length(line)))
}

/// The point of a segment that is closest to a point.
fn on_segment(segment: &Line, point: Coord) -> Coord {
    match segment.closest_point(&Point(point)) {
        Closest::Intersection(on) | Closest::SinglePoint(on) => on.0,
        Closest::Indeterminate => segment.start,
    }
}

fn interpolated(geometry: &Geometry, part: f64, repeated: bool) -> Result<Option<Vec<Geometry>>, TrinoError> {
    if is_empty(geometry) {
        return Ok(None);
    }
    let line = line_of(geometry, "line_interpolate_point")?;
    if !(0.0..=1.0).contains(&part) {
        return Err(TrinoError::invalid("fraction must be between 0 and 1"));
    }
    let end = |point: Option<&Coord>| Ok(point.map(|point| vec![Point(*point).into()]));
    if part == 0.0 {
        return end(line.0.first());
    }
    if part == 1.0 {
        return end(line.0.last());
    }
    let wanted = if repeated { (1.0 / part).floor() as usize } else { 1 };
    let whole = line.length(&Euclidean);
    let (mut points, mut passed, mut next) = (Vec::<Geometry>::new(), 0.0, part);
    for segment in line.lines() {
        let share = segment.length(&Euclidean) / whole;
        while next < passed + share && points.len() < wanted {
            let within = (next - passed) / share;
            points.push(Point(segment.start + segment.delta() * within).into());
            next += part;
        }
        passed += share;
    }
    if points.len() < wanted {
        points.extend(line.0.last().map(|point| Geometry::from(Point(*point))));
    }
    Ok(Some(points))
}

fn distance(left: &Geometry, right: &Geometry) -> Option<f64> {
    let between = |(left, right): (&Geometry, &Geometry)| Euclidean.distance(left, right);
    pairs(left, right).into_iter().map(between).reduce(f64::min)
}

/// Each member that isn't empty of the one with each of the other.
fn pairs<'a>(left: &'a Geometry, right: &'a Geometry) -> Vec<(&'a Geometry, &'a Geometry)> {
    let filled = |geometry: &'a Geometry| leaves(geometry).into_iter().filter(|leaf| !is_empty(leaf));
    filled(left).flat_map(|left| filled(right).map(move |right| (left, right))).collect()
}

fn nearest_points(call: &Call<'_>) -> Computed {
    let (left, right, nulls) = (geometries(call, 0)?, geometries(call, 1)?, nulls(call)?);
    let (mut firsts, mut seconds) = (BinaryBuilder::new(), BinaryBuilder::new());
    let mut valid = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        let found = match nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            true => None,
            false => nearest(&*left.at(row)?, &*right.at(row)?),
        };
        valid.push(found.is_some());
        firsts.append_option(found.map(|(first, _)| wkb::to_bytes(&first.into())));
        seconds.append_option(found.map(|(_, second)| wkb::to_bytes(&second.into())));
    }
    let DataType::Struct(fields) = call.result.to_arrow() else {
        return Err(TrinoError::internal("the nearest points are a row"));
    };
    let columns: Vec<ArrayRef> = vec![Arc::new(firsts.finish()), Arc::new(seconds.finish())];
    Ok(Arc::new(StructArray::try_new(fields, columns, Some(NullBuffer::from(valid)))?))
}

/// The points that are closest to each other; none where one is empty.
fn nearest(left: &Geometry, right: &Geometry) -> Option<(Point, Point)> {
    let far = |(left, right): &(Point, Point)| Euclidean.distance(*left, *right);
    let closest = |(left, right): (&Geometry, &Geometry)| nearest_of_leaves(left, right);
    let parts = |geometry: &Geometry| leaves(geometry).into_iter().cloned().flat_map(members).collect::<Vec<_>>();
    let (left, right) = (parts(left), parts(right));
    let pairs = left.iter().flat_map(|left| right.iter().map(move |right| (left, right)));
    let filled = pairs.filter(|(left, right)| !is_empty(left) && !is_empty(right));
    let found: Vec<_> = filled.filter_map(closest).collect();
    found.into_iter().min_by(|one, other| far(one).total_cmp(&far(other)))
}

/// A vertex of one of them is among the two points, unless they cross. What lies in an area is found there first.
fn nearest_of_leaves(left: &Geometry, right: &Geometry) -> Option<(Point, Point)> {
    let (left_segments, right_segments) = (segments(left), segments(right));
    let inside = |outer: &Geometry, segments: &[Line]| {
        let first = segments.first()?.start;
        geo::Intersects::intersects(outer, &Point(first)).then_some(Point(first))
    };
    if let Some(at) = inside(left, &right_segments).or_else(|| inside(right, &left_segments)) {
        return Some((at, at));
    }
    for (one, other) in left_segments.iter().flat_map(|one| right_segments.iter().map(move |other| (one, other))) {
        if let Some(crossing) = geo::line_intersection::line_intersection(*one, *other) {
            let at = match crossing {
                geo::LineIntersection::SinglePoint { intersection, .. } => intersection,
                geo::LineIntersection::Collinear { intersection } => intersection.start,
            };
            return Some((Point(at), Point(at)));
        }
    }
    let mut best: Option<(f64, Point, Point)> = None;
    let mut offer = |one: Coord, other: Coord| {
        let far = Euclidean.distance(one, other);
        if best.is_none_or(|(least, ..)| far < least) {
            best = Some((far, Point(one), Point(other)));
        }
    };
    for (one, other) in left_segments.iter().flat_map(|one| right_segments.iter().map(move |other| (one, other))) {
        offer(one.start, on_segment(other, one.start));
        offer(one.end, on_segment(other, one.end));
        offer(on_segment(one, other.start), other.start);
        offer(on_segment(one, other.end), other.end);
    }
    best.map(|(_, one, other)| (one, other))
}

/// The sides of what is no collection; a point is one of no length.
pub(super) fn segments(leaf: &Geometry) -> Vec<Line> {
    let point = |point: &Point| Line::new(point.0, point.0);
    match leaf {
        Geometry::Point(only) => vec![point(only)],
        Geometry::MultiPoint(points) => points.0.iter().map(point).collect(),
        Geometry::LineString(line) => line.lines().collect(),
        Geometry::MultiLineString(lines) => lines.lines_iter().collect(),
        Geometry::Polygon(polygon) => polygon.lines_iter().collect(),
        Geometry::MultiPolygon(polygons) => polygons.lines_iter().collect(),
        _ => Vec::new(),
    }
}
