//! What geometries have in common, together, or alone. Points, lines and areas are treated each for themselves.

use geo::coords_iter::CoordsIter;
use geo::line_intersection::{LineIntersection, line_intersection};
use geo::{
    BooleanOps, BoundingRect, Coord, Geometry, Intersects, Line, LineString, LinesIter, MultiLineString, MultiPoint,
    MultiPolygon, Point, Polygon,
};

use super::kind::{is_empty, leaves, oriented_polygon};
use super::noding::{crossings, is_on, joined, noded, on_lines, pieces, within};

/// How far, for each unit of the geometries' size, a computed corner may be from the one that it stands for.
const SNAP: f64 = 1e-7;

/// What geometries are made of.
#[derive(Debug, Clone, Default)]
pub(super) struct Parts {
    points: Vec<Coord>,
    lines: Vec<LineString>,
    areas: Vec<Polygon>,
}

impl Parts {
    /// The parts of a geometry.
    pub(super) fn of(geometry: &Geometry) -> Self {
        let mut parts = Self::default();
        for leaf in leaves(geometry).into_iter().filter(|leaf| !is_empty(leaf)) {
            match leaf {
                Geometry::Point(point) => parts.points.push(point.0),
                Geometry::MultiPoint(points) => parts.points.extend(points.0.iter().map(|point| point.0)),
                Geometry::LineString(line) => parts.lines.push(line.clone()),
                Geometry::MultiLineString(lines) => parts.lines.extend(lines.0.iter().cloned()),
                Geometry::Polygon(polygon) => parts.areas.push(polygon.clone()),
                Geometry::MultiPolygon(polygons) => parts.areas.extend(polygons.0.iter().cloned()),
                _ => {}
            }
        }
        parts
    }

    fn all_areas(&self) -> MultiPolygon {
        MultiPolygon::new(self.areas.clone())
    }

    fn segments(&self) -> Vec<Line> {
        self.lines.iter().flat_map(|line| line.lines()).collect()
    }

    fn sides(&self) -> Vec<Line> {
        self.areas.iter().flat_map(LinesIter::lines_iter).collect()
    }

    /// What both have in common.
    pub(super) fn intersection(&self, other: &Self) -> Self {
        let (areas, other_areas) = (self.all_areas(), other.all_areas());
        let common = combined(&areas, &other_areas, |one, other| one.intersection(other));
        let mut lines = self.lines_in(other);
        lines.extend(joined(&pieces(&other.lines, &self.sides()), |piece| within(piece, &areas)));
        lines.extend(self.common_sides(other, &common));
        let mut found = Self { points: Vec::new(), lines, areas: common };
        let (all, all_others) = (self.all_segments(), other.all_segments());
        let in_both = |point: &Coord| self.holds(*point, &areas) && other.holds(*point, &other_areas);
        let mut points: Vec<Coord> = self.points.iter().chain(&other.points).copied().filter(in_both).collect();
        points.extend(crossings(&all, &all_others));
        found.add_points(points);
        found
    }

    fn all_segments(&self) -> Vec<Line> {
        self.segments().into_iter().chain(self.sides()).collect()
    }

    fn holds(&self, point: Coord, areas: &MultiPolygon) -> bool {
        self.points.contains(&point) || on_lines(point, &self.segments()) || areas.intersects(&Point(point))
    }

    /// The lines as far as they are also in lines or areas of the other.
    fn lines_in(&self, other: &Self) -> Vec<LineString> {
        let mut lines = joined(&pieces(&self.lines, &other.segments()), |piece| piece.shared);
        let areas = other.all_areas();
        lines.extend(joined(&pieces(&self.lines, &other.sides()), |piece| within(piece, &areas)));
        lines
    }

    /// Sides of areas that touch along them.
    fn common_sides(&self, other: &Self, common: &[Polygon]) -> Vec<LineString> {
        let rings = |polygon: &Polygon| {
            std::iter::once(polygon.exterior().clone()).chain(polygon.interiors().iter().cloned()).collect::<Vec<_>>()
        };
        let rings: Vec<_> = self.areas.iter().flat_map(rings).collect();
        let shared = joined(&pieces(&rings, &other.sides()), |piece| piece.shared);
        let areas = Self { areas: common.to_vec(), ..Self::default() };
        let covering = areas.all_areas();
        joined(&pieces(&shared, &areas.sides()), |piece| !within(piece, &covering))
    }

    /// Takes points in that nothing of it holds yet.
    fn add_points(&mut self, points: impl IntoIterator<Item = Coord>) {
        let areas = self.all_areas();
        for point in points {
            if !self.holds(point, &areas) {
                self.points.push(point);
            }
        }
    }

    /// What only this one has. What is taken away has at least as many dimensions.
    pub(super) fn difference(&self, other: &Self) -> Self {
        let (areas, other_areas) = (self.all_areas(), other.all_areas());
        let kept = |point: &Coord| !other.holds(*point, &other_areas);
        let on_other = pieces(&self.lines, &other.segments());
        let apart = joined(&on_other, |piece| !piece.shared);
        Self {
            points: self.points.iter().copied().filter(kept).collect(),
            lines: joined(&pieces(&apart, &other.sides()), |piece| !within(piece, &other_areas)),
            areas: match other.areas.is_empty() {
                true => self.areas.clone(),
                false => combined(&areas, &other_areas, |one, other| one.difference(other)),
            },
        }
    }

    /// What one of both has, points and lines as far as nothing covers them.
    pub(super) fn union(&self, other: &Self) -> Self {
        let areas = match (self.areas.is_empty(), other.areas.is_empty()) {
            (true, _) if other.areas.len() < 2 => other.areas.iter().map(from_lowest).collect(),
            (_, true) if self.areas.len() < 2 => self.areas.iter().map(from_lowest).collect(),
            _ => combined(&self.all_areas(), &other.all_areas(), |one, other| one.union(other)),
        };
        let cutters = self.segments().into_iter().chain(other.segments());
        let points = self.points.iter().chain(&other.points).map(|point| Line::new(*point, *point));
        let areas = with_corners(areas, &cutters.chain(points).collect::<Vec<_>>());
        let only_areas = Self { areas, ..Self::default() };
        let covering = only_areas.all_areas();
        let points = self.points.iter().chain(&other.points).copied();
        let lines = self.lines.iter().chain(&other.lines).cloned().collect();
        let lines = joined(&pieces(&noded(lines, points), &only_areas.sides()), |piece| !within(piece, &covering));
        let mut all = Self { lines, ..only_areas };
        all.add_points(self.points.iter().chain(&other.points).copied());
        all
    }

    /// What only one of both has.
    pub(super) fn symmetric_difference(&self, other: &Self) -> Self {
        let (one, two) = (self.difference(other), other.difference(self));
        let areas = match (self.areas.is_empty(), other.areas.is_empty()) {
            (false, false) => combined(&self.all_areas(), &other.all_areas(), |one, other| one.xor(other)),
            _ => one.areas.into_iter().chain(two.areas).collect(),
        };
        Self {
            points: one.points.into_iter().chain(two.points).collect(),
            lines: noded(one.lines.into_iter().chain(two.lines).collect(), std::iter::empty()),
            areas,
        }
    }

    /// The parts as one geometry; none of nothing.
    pub(super) fn geometry(mut self) -> Option<Geometry> {
        self.points.sort_by(upwards);
        self.points.dedup();
        let mut parts: Vec<Geometry> = Vec::new();
        match self.points.as_slice() {
            [] => {}
            [point] => parts.push(Point(*point).into()),
            points => parts.push(MultiPoint::new(points.iter().copied().map(Point).collect()).into()),
        }
        match self.lines.len() {
            0 => {}
            1 => parts.extend(self.lines.pop().map(Geometry::from)),
            _ => parts.push(MultiLineString::new(self.lines).into()),
        }
        match self.areas.len() {
            0 => {}
            1 => parts.extend(self.areas.pop().map(Geometry::from)),
            _ => parts.push(MultiPolygon::new(self.areas).into()),
        }
        if parts.len() > 1 {
            return Some(Geometry::GeometryCollection(parts.into()));
        }
        parts.pop()
    }
}

/// From below, then from the left.
fn upwards(one: &Coord, other: &Coord) -> std::cmp::Ordering {
    one.y.total_cmp(&other.y).then(one.x.total_cmp(&other.x))
}

/// Areas with a corner wherever something meets their sides.
fn with_corners(areas: Vec<Polygon>, cutters: &[Line]) -> Vec<Polygon> {
    if cutters.is_empty() {
        return areas;
    }
    let cut = |ring: &LineString| {
        joined(&pieces(std::slice::from_ref(ring), cutters), |_| true).pop().unwrap_or_else(|| ring.clone())
    };
    let with = |polygon: Polygon| Polygon::new(cut(polygon.exterior()), polygon.interiors().iter().map(cut).collect());
    areas.into_iter().map(with).collect()
}

/// An operation on areas. The library computes on a grid, so corners move by a trifle: they get back to where they stand
/// for. It also leaves corners out that lie on a side: they come back.
fn combined(
    one: &MultiPolygon,
    other: &MultiPolygon,
    operation: fn(&MultiPolygon, &MultiPolygon) -> MultiPolygon,
) -> Vec<Polygon> {
    let corners = Corners::of(one, other);
    let exact = |polygon: Polygon| {
        let (exterior, interiors) = polygon.into_inner();
        let interiors = interiors.into_iter().map(|ring| corners.ring(ring)).collect();
        oriented_polygon(Polygon::new(corners.ring(exterior), interiors))
    };
    let mut polygons: Vec<_> = operation(one, other).0.into_iter().map(exact).collect();
    polygons.retain(|polygon| polygon.exterior().0.len() > 3);
    polygons.sort_by(|one, other| match (one.exterior().0.first(), other.exterior().0.first()) {
        (Some(one), Some(other)) => upwards(one, other),
        _ => std::cmp::Ordering::Equal,
    });
    polygons
}

/// A closed ring of corners, from the lowest one on.
fn ring_from_lowest(mut corners: Vec<Coord>) -> LineString {
    let lowest = (0..corners.len()).min_by(|one, other| upwards(&corners[*one], &corners[*other]));
    corners.rotate_left(lowest.unwrap_or(0));
    let mut ring = LineString::new(corners);
    ring.close();
    ring
}

/// A polygon whose rings begin at their lowest corners, as those of computed ones do.
fn from_lowest(polygon: &Polygon) -> Polygon {
    let ring = |ring: &LineString| ring_from_lowest(ring.0[..ring.0.len().saturating_sub(1)].to_vec());
    Polygon::new(ring(polygon.exterior()), polygon.interiors().iter().map(ring).collect())
}

/// The sides of an area that may meet the other one's.
fn sides_near(area: &MultiPolygon, other: &MultiPolygon) -> Vec<Line> {
    let Some(reach) = other.bounding_rect() else { return Vec::new() };
    area.lines_iter().filter(|side| side.bounding_rect().intersects(&reach)).collect()
}

/// The corners that a result may have: those of both, and where their sides cross.
struct Corners {
    known: Vec<Coord>,
    near: f64,
}

impl Corners {
    fn of(one: &MultiPolygon, other: &MultiPolygon) -> Self {
        let mut known: Vec<Coord> = one.coords_iter().chain(other.coords_iter()).collect();
        let size = known.iter().fold(0.0, |most: f64, corner| most.max(corner.x.abs()).max(corner.y.abs()));
        // Only sides within reach of the other one can cross any of its sides.
        let (sides, other_sides) = (sides_near(one, other), sides_near(other, one));
        for (side, other) in sides.iter().flat_map(|side| other_sides.iter().map(move |other| (side, other))) {
            if let Some(LineIntersection::SinglePoint { intersection, .. }) = line_intersection(*side, *other) {
                known.push(intersection);
            }
        }
        known.sort_by(upwards);
        known.dedup();
        Self { known, near: size * SNAP }
    }

    /// A ring with exact corners, from its lowest one on.
    fn ring(&self, ring: LineString) -> LineString {
        let mut corners: Vec<Coord> = Vec::new();
        for side in ring.lines() {
            let (start, end) = (self.exact(side.start), self.exact(side.end));
            if start == end {
                continue;
            }
            corners.push(start);
            corners.extend(self.between(&Line::new(start, end)));
        }
        ring_from_lowest(corners)
    }

    fn exact(&self, corner: Coord) -> Coord {
        let far = |known: &Coord| (known.x - corner.x).abs().max((known.y - corner.y).abs());
        // Sorted from below, so that only a few are in reach.
        let first = self.known.partition_point(|known| known.y < corner.y - self.near);
        let reach = self.known[first..].iter().take_while(|known| known.y <= corner.y + self.near);
        let closest =
            reach.filter(|known| far(known) <= self.near).min_by(|one, other| far(one).total_cmp(&far(other)));
        closest.copied().unwrap_or(corner)
    }

    /// The corners on a side, from its start on.
    fn between(&self, side: &Line) -> Vec<Coord> {
        let (low, high) = (side.start.y.min(side.end.y), side.start.y.max(side.end.y));
        let first = self.known.partition_point(|known| known.y < low);
        let reach = self.known[first..].iter().take_while(|known| known.y <= high);
        let inner = |known: &&Coord| **known != side.start && **known != side.end && is_on(**known, side);
        let mut corners: Vec<Coord> = reach.filter(inner).copied().collect();
        let along = |corner: &Coord| {
            let (from, way) = (*corner - side.start, side.delta());
            from.x * way.x + from.y * way.y
        };
        corners.sort_by(|one, other| along(one).total_cmp(&along(other)));
        corners
    }
}
