//! Lines cut where they meet others, which is what set operations on lines are made of.

use std::cmp::Ordering;
use std::collections::HashMap;

use geo::coordinate_position::{CoordPos, CoordinatePosition};
use geo::line_intersection::{LineIntersection, line_intersection};
use geo::{Coord, Distance, Euclidean, Line, LineString, MultiPolygon, Point};

/// How far from a line, for each unit of its size, a point may be to be taken for one of it.
const TOLERANCE: f64 = 1e-11;

/// A part of a segment between two places where it is cut.
pub(super) struct Piece {
    pub(super) line: Line,
    /// Whether it lies on one of the lines that cut.
    pub(super) shared: bool,
}

/// Where a point lies on a segment: 0 at its start, 1 at its end.
fn place(segment: &Line, point: Coord) -> f64 {
    let delta = segment.delta();
    match delta.x.abs() >= delta.y.abs() {
        true if delta.x == 0.0 => 0.0,
        true => (point.x - segment.start.x) / delta.x,
        false => (point.y - segment.start.y) / delta.y,
    }
}

/// The pieces of a segment, from its start on.
fn pieces_of(segment: &Line, cutters: &[Line]) -> Vec<Piece> {
    let mut cuts = vec![(0.0, segment.start), (1.0, segment.end)];
    let mut shared = Vec::new();
    for cutter in cutters {
        match line_intersection(*segment, *cutter) {
            Some(LineIntersection::SinglePoint { intersection, .. }) => {
                cuts.push((place(segment, intersection), intersection));
            }
            Some(LineIntersection::Collinear { intersection }) => {
                let (start, end) = (place(segment, intersection.start), place(segment, intersection.end));
                cuts.push((start, intersection.start));
                cuts.push((end, intersection.end));
                shared.push((start.min(end), start.max(end)));
            }
            None => {}
        }
    }
    cuts.sort_by(|one, other| one.0.total_cmp(&other.0));
    cuts.dedup_by(|later, earlier| later.1 == earlier.1);
    let piece = |pair: &[(f64, Coord)]| {
        let middle = (pair[0].0 + pair[1].0) / 2.0;
        let shared = shared.iter().any(|(start, end)| (*start..=*end).contains(&middle));
        Piece { line: Line::new(pair[0].1, pair[1].1), shared }
    };
    cuts.windows(2).map(piece).collect()
}

/// The pieces of lines, each line's by themselves.
pub(super) fn pieces(lines: &[LineString], cutters: &[Line]) -> Vec<Vec<Piece>> {
    let of_line = |line: &LineString| line.lines().flat_map(|segment| pieces_of(&segment, cutters)).collect();
    lines.iter().map(of_line).collect()
}

/// Lines of the pieces that are wanted, as long as they follow each other.
pub(super) fn joined(pieces: &[Vec<Piece>], wanted: impl Fn(&Piece) -> bool) -> Vec<LineString> {
    let mut lines = Vec::new();
    for of_line in pieces {
        let mut current: Vec<Coord> = Vec::new();
        for piece in of_line {
            if !wanted(piece) {
                finish(&mut current, &mut lines);
                continue;
            }
            if current.is_empty() {
                current.push(piece.line.start);
            }
            current.push(piece.line.end);
        }
        finish(&mut current, &mut lines);
    }
    lines
}

fn finish(current: &mut Vec<Coord>, lines: &mut Vec<LineString>) {
    if !current.is_empty() {
        lines.push(LineString::new(std::mem::take(current)));
    }
}

/// Lines that meet each other only where they end, as few as there can be, sorted by where they begin. Points on them
/// become points of theirs.
pub(super) fn noded(lines: Vec<LineString>, points: impl Iterator<Item = Coord>) -> Vec<LineString> {
    let segments: Vec<Line> = lines.iter().flat_map(|line| line.lines()).collect();
    let points = points.map(|point| Line::new(point, point));
    let cutters: Vec<Line> = segments.iter().copied().chain(points).collect();
    let mut graph = Graph::default();
    for segment in &segments {
        pieces_of(segment, &cutters).into_iter().for_each(|piece| graph.add(piece.line));
    }
    graph.chains()
}

/// Pieces by where they end.
#[derive(Default)]
struct Graph {
    edges: Vec<(Coord, Coord)>,
    used: Vec<bool>,
    at: HashMap<[u64; 2], Vec<usize>>,
}

impl Graph {
    fn key(point: Coord) -> [u64; 2] {
        [(point.x + 0.0).to_bits(), (point.y + 0.0).to_bits()]
    }

    /// Takes a piece in that isn't there yet.
    fn add(&mut self, piece: Line) {
        let Line { start, end } = piece;
        let known = self.at.get(&Self::key(start)).into_iter().flatten();
        let is_same =
            |edge: &usize| matches!(self.edges[*edge], (a, b) if (a, b) == (start, end) || (b, a) == (start, end));
        if start == end || known.into_iter().any(is_same) {
            return;
        }
        let index = self.edges.len();
        self.edges.push((start, end));
        self.used.push(false);
        self.at.entry(Self::key(start)).or_default().push(index);
        self.at.entry(Self::key(end)).or_default().push(index);
    }

    /// Where exactly two pieces meet, they are one line.
    fn goes_on(&self, point: Coord) -> Option<&[usize]> {
        self.at.get(&Self::key(point)).filter(|edges| edges.len() == 2).map(Vec::as_slice)
    }

    fn chains(mut self) -> Vec<LineString> {
        let mut lines = Vec::new();
        for index in 0..self.edges.len() {
            if self.used[index] {
                continue;
            }
            self.used[index] = true;
            let (start, end) = self.edges[index];
            let mut before = self.follow(start);
            before.reverse();
            let after = self.follow(end);
            lines.push(LineString::new(before.into_iter().chain([start, end]).chain(after).collect()));
        }
        let beginning = |line: &LineString| line.0.iter().take(2).map(|point| [point.y, point.x]).collect::<Vec<_>>();
        lines.sort_by(|one, other| beginning(one).partial_cmp(&beginning(other)).unwrap_or(Ordering::Equal));
        lines
    }

    /// The points after this one, as far as the way is clear.
    fn follow(&mut self, from: Coord) -> Vec<Coord> {
        let (mut points, mut at) = (Vec::new(), from);
        while let Some(next) = self.goes_on(at).and_then(|edges| edges.iter().copied().find(|edge| !self.used[*edge])) {
            self.used[next] = true;
            let (start, end) = self.edges[next];
            at = if start == at { end } else { start };
            points.push(at);
        }
        points
    }
}

/// Whether a piece that no side of the areas shares lies in them.
pub(super) fn within(piece: &Piece, areas: &MultiPolygon) -> bool {
    let Line { start, end } = piece.line;
    let middle = Coord { x: f64::midpoint(start.x, end.x), y: f64::midpoint(start.y, end.y) };
    piece.shared || areas.coordinate_position(&middle) == CoordPos::Inside
}

/// The points at which segments of both meet without a piece in common.
pub(super) fn crossings(lines: &[Line], others: &[Line]) -> Vec<Coord> {
    let mut points: Vec<Coord> = Vec::new();
    for (line, other) in lines.iter().flat_map(|line| others.iter().map(move |other| (line, other))) {
        if let Some(LineIntersection::SinglePoint { intersection, .. }) = line_intersection(*line, *other) {
            points.push(intersection);
        }
    }
    points
}

/// Whether a point lies on one of the lines, as far as numbers can tell.
pub(super) fn on_lines(point: Coord, lines: &[Line]) -> bool {
    lines.iter().any(|line| is_on(point, line))
}

/// Whether a point lies on a segment, as far as numbers can tell.
pub(super) fn is_on(point: Coord, line: &Line) -> bool {
    let size = [point.x, point.y, line.start.x, line.start.y, line.end.x, line.end.y];
    let size = size.into_iter().fold(0.0, |most: f64, number| most.max(number.abs()));
    Euclidean.distance(&Point(point), line) <= size * TOLERANCE
}
