//! Fewer points that tell the same ("Douglas–Peucker"), without lines that cross where none did before.

use geo::line_intersection::{LineIntersection, line_intersection};
use geo::{
    Coord, Distance, Euclidean, Geometry, Line, LineString, LinesIter, MultiLineString, MultiPolygon, Point, Polygon,
};

/// A geometry without the points that are at most so far from the lines between those that stay.
pub(super) fn simplified(geometry: &Geometry, tolerance: f64) -> Geometry {
    match geometry {
        Geometry::LineString(line) => of_line(line, &line.lines().collect::<Vec<_>>(), tolerance).into(),
        Geometry::MultiLineString(lines) => {
            let all: Vec<_> = lines.lines_iter().collect();
            MultiLineString::new(lines.0.iter().map(|line| of_line(line, &all, tolerance)).collect()).into()
        }
        Geometry::Polygon(polygon) => of_polygon(polygon, &polygon.lines_iter().collect::<Vec<_>>(), tolerance).into(),
        Geometry::MultiPolygon(polygons) => {
            let all: Vec<_> = polygons.lines_iter().collect();
            MultiPolygon::new(polygons.0.iter().map(|polygon| of_polygon(polygon, &all, tolerance)).collect()).into()
        }
        Geometry::GeometryCollection(members) => {
            Geometry::GeometryCollection(members.0.iter().map(|member| simplified(member, tolerance)).collect())
        }
        other => other.clone(),
    }
}

fn of_polygon(polygon: &Polygon, all: &[Line], tolerance: f64) -> Polygon {
    // Rings are gone along in the other direction, as Trino keeps them.
    let ring = |ring: &LineString| of_line(&ring.0.iter().rev().copied().collect(), all, tolerance);
    Polygon::new(ring(polygon.exterior()), polygon.interiors().iter().map(ring).collect())
}

fn of_line(line: &LineString, all: &[Line], tolerance: f64) -> LineString {
    let least = if line.is_closed() { 4 } else { 2 };
    if line.0.len() <= least {
        return line.clone();
    }
    let mut section = Section { points: &line.0, all, tolerance, least, kept: vec![line.0[0]] };
    section.simplify(0, line.0.len() - 1, 0);
    LineString::new(section.kept)
}

struct Section<'a> {
    points: &'a [Coord],
    all: &'a [Line],
    tolerance: f64,
    /// How many points have to stay.
    least: usize,
    kept: Vec<Coord>,
}

impl Section<'_> {
    /// Keeps the points that are needed after `from` up to `to`.
    fn simplify(&mut self, from: usize, to: usize, depth: usize) {
        let depth = depth + 1;
        if from + 1 == to {
            return self.kept.push(self.points[to]);
        }
        let (farthest, distance) = self.farthest(from, to);
        // With the points that are there, and one for each section that is still open, there might be too few.
        let known = if self.kept.len() > 1 { self.kept.len() } else { 0 };
        let enough = known >= self.least || depth + 1 >= self.least;
        if enough && distance <= self.tolerance && !self.crosses(from, to) {
            return self.kept.push(self.points[to]);
        }
        self.simplify(from, farthest, depth);
        self.simplify(farthest, to, depth);
    }

    fn farthest(&self, from: usize, to: usize) -> (usize, f64) {
        let way = Line::new(self.points[from], self.points[to]);
        let far = |index: usize| Euclidean.distance(&Point(self.points[index]), &way);
        let mut best = (from, -1.0);
        for index in from + 1..to {
            let distance = far(index);
            if distance > best.1 {
                best = (index, distance);
            }
        }
        best
    }

    /// Whether the short way crosses a line that isn't part of what it replaces.
    fn crosses(&self, from: usize, to: usize) -> bool {
        let way = Line::new(self.points[from], self.points[to]);
        let replaced = self.points[from..=to].windows(2).map(|pair| Line::new(pair[0], pair[1]));
        let replaced: Vec<_> = replaced.collect();
        self.all.iter().any(|other| {
            let is_replaced = replaced.iter().any(|line| line == other || Line::new(line.end, line.start) == *other);
            let proper = |found| match found {
                LineIntersection::SinglePoint { is_proper, .. } => is_proper,
                LineIntersection::Collinear { .. } => false,
            };
            !is_replaced && line_intersection(way, *other).is_some_and(proper)
        })
    }
}
