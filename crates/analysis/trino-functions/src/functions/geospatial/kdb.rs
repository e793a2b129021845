//! Spatial partitions: a tree that cuts the plane into rectangles with about as many things in each, as text of JSON.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{Int32Builder, ListBuilder};
use arrow::datatypes::Float64Type;
use geo::{Coord, Rect};
use serde_json::Value;

use super::super::Table;
use super::super::support::{Computed, nulls, numbers, text};
use super::kind::envelope;
use super::values::geometries;
use crate::error::{ErrorCode, TrinoError};
use crate::kernel::Call;
use crate::types::format::java_double;

/// How deep a tree becomes at most. Halves of halves need twenty levels for the most things that are looked at.
const DEEPEST: usize = 100;

pub(super) fn register(table: &mut Table) {
    let within = "The numbers of the partitions that the rectangle around the geometry reaches.";
    table.kernel("spatial_partitions(kdbtree, geometry) -> array(integer)", within, |call| partitions(call, false));
    let near = "The numbers of the partitions that the rectangle around the geometry, widened by a distance, reaches.";
    table
        .kernel("spatial_partitions(kdbtree, geometry, double) -> array(integer)", near, |call| partitions(call, true));
}

/// A rectangle without its right and upper border.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::functions) struct Extent {
    low: Coord,
    high: Coord,
}

/// A node of the tree.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::functions) struct Node {
    extent: Extent,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    /// A partition, and its number.
    Leaf(i32),
    Halves(Box<(Node, Node)>),
}

impl Extent {
    const EVERYWHERE: Self = Self {
        low: Coord { x: f64::NEG_INFINITY, y: f64::NEG_INFINITY },
        high: Coord { x: f64::INFINITY, y: f64::INFINITY },
    };

    fn reaches(&self, other: &Rect) -> bool {
        let (min, max) = (other.min(), other.max());
        self.low.x <= max.x && self.high.x > min.x && self.low.y <= max.y && self.high.y > min.y
    }

    /// Whether it is wider than high. What has no end is longer than anything else.
    fn is_wide(&self) -> bool {
        let ends = |low: f64, high: f64| u8::from(low == f64::NEG_INFINITY) + u8::from(high == f64::INFINITY);
        let (across, up) = (ends(self.low.x, self.high.x), ends(self.low.y, self.high.y));
        match across == up {
            true => self.high.x - self.low.x >= self.high.y - self.low.y,
            false => across > up,
        }
    }
}

/// The direction in which a rectangle is cut.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Axis {
    X,
    Y,
}

impl Axis {
    fn of(self, place: Coord) -> (f64, f64) {
        match self {
            Self::X => (place.x, place.y),
            Self::Y => (place.y, place.x),
        }
    }

    fn set(self, mut place: Coord, value: f64) -> Coord {
        match self {
            Self::X => place.x = value,
            Self::Y => place.y = value,
        }
        place
    }
}

impl Node {
    /// A tree for things whose lower left corners are these, with so many of them in a partition at most.
    pub(in crate::functions) fn build(corners: &mut [Coord], most: usize) -> Self {
        Self::of(Extent::EVERYWHERE, corners, most, 0, &mut 0)
    }

    fn of(extent: Extent, corners: &mut [Coord], most: usize, depth: usize, next: &mut i32) -> Self {
        if corners.len() > most && depth < DEEPEST {
            let axes = if extent.is_wide() { [Axis::X, Axis::Y] } else { [Axis::Y, Axis::X] };
            for axis in axes {
                let Some((place, value)) = cut(axis, corners) else { continue };
                let (left, right) = corners.split_at_mut(place);
                let low = Extent { high: axis.set(extent.high, value), ..extent };
                let high = Extent { low: axis.set(extent.low, value), ..extent };
                let left = Self::of(low, left, most, depth + 1, next);
                let right = Self::of(high, right, most, depth + 1, next);
                return Self { extent, kind: Kind::Halves(Box::new((left, right))) };
            }
        }
        let number = *next;
        *next += 1;
        Self { extent, kind: Kind::Leaf(number) }
    }

    /// The partitions that a rectangle reaches: the right or upper one comes first.
    fn reached(&self, rectangle: &Rect, found: &mut Vec<i32>) {
        if !self.extent.reaches(rectangle) {
            return;
        }
        match &self.kind {
            Kind::Leaf(number) => found.push(*number),
            Kind::Halves(halves) => {
                halves.1.reached(rectangle, found);
                halves.0.reached(rectangle, found);
            }
        }
    }

    /// The tree as text.
    pub(in crate::functions) fn to_json(&self) -> String {
        let mut out = String::from("{\"root\":");
        self.write(&mut out);
        out.push('}');
        out
    }

    fn write(&self, out: &mut String) {
        let Extent { low, high } = self.extent;
        let numbers = [("xmin", low.x), ("ymin", low.y), ("xmax", high.x), ("ymax", high.y)];
        let numbers = numbers.map(|(name, value)| match value.is_finite() {
            true => format!("\"{name}\":{}", java_double(value)),
            false => format!("\"{name}\":\"{}\"", java_double(value)),
        });
        // Writing to a string never fails.
        let _ = write!(out, "{{\"extent\":{{{}}},", numbers.join(","));
        match &self.kind {
            Kind::Leaf(number) => {
                let _ = write!(out, "\"leafId\":{number}");
            }
            Kind::Halves(halves) => {
                out.push_str("\"left\":");
                halves.0.write(out);
                out.push_str(",\"right\":");
                halves.1.write(out);
            }
        }
        out.push('}');
    }

    fn from_json(json: &Value, depth: usize) -> Option<Self> {
        let place = json.get("extent")?;
        let number = |name: &str| match place.get(name)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) if text == "Infinity" => Some(f64::INFINITY),
            Value::String(text) if text == "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        };
        let low = Coord { x: number("xmin")?, y: number("ymin")? };
        let high = Coord { x: number("xmax")?, y: number("ymax")? };
        if low.x > high.x || low.y > high.y || depth > DEEPEST {
            return None;
        }
        let child = |name: &str| json.get(name).filter(|child| !child.is_null());
        let kind = match (child("leafId"), child("left"), child("right")) {
            (Some(number), None, None) => {
                Kind::Leaf(number.as_i64().and_then(|number| i32::try_from(number).ok()).filter(|number| *number >= 0)?)
            }
            (None, Some(left), Some(right)) => {
                Kind::Halves(Box::new((Self::from_json(left, depth + 1)?, Self::from_json(right, depth + 1)?)))
            }
            _ => return None,
        };
        Some(Self { extent: Extent { low, high }, kind })
    }
}

/// Puts the places in order, and says how many of them lie below a cut, and where it is; none if all from the middle on are
/// the same in this direction.
fn cut(axis: Axis, corners: &mut [Coord]) -> Option<(usize, f64)> {
    corners.sort_by(|a, b| {
        let (a, b) = (axis.of(*a), axis.of(*b));
        a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
    });
    let middle = corners.len().checked_sub(1)? / 2;
    let value = axis.of(corners[middle]).0;
    let place = middle + corners[middle..].iter().take_while(|corner| axis.of(**corner).0 == value).count();
    let next = axis.of(*corners.get(place)?).0;
    // Neighbours may have nothing between them; the greater one begins the right half.
    let between = value / 2.0 + next / 2.0;
    Some((place, if between > value { between } else { next }))
}

/// A tree from its text.
///
/// # Errors
/// INVALID_CAST_ARGUMENT: it is none.
pub(crate) fn tree(text: &str) -> Result<String, TrinoError> {
    Ok(parsed(text)?.to_json())
}

fn parsed(text: &str) -> Result<Node, TrinoError> {
    let json: Option<Value> = serde_json::from_str(text).ok();
    json.as_ref()
        .and_then(|json| Node::from_json(json.get("root")?, 0))
        .ok_or_else(|| TrinoError::new(ErrorCode::InvalidCastArgument, "Invalid JSON string for KDB tree"))
}

fn partitions(call: &Call<'_>, widened: bool) -> Computed {
    let (trees, shapes) = (text(call, 0)?, geometries(call, 1)?);
    let distances = if widened { Some(numbers::<Float64Type>(call, 2)?) } else { None };
    let nulls = nulls(call)?;
    // Nearly always all rows have the same tree.
    let mut known: Option<(&str, Node)> = None;
    let mut lists = ListBuilder::new(Int32Builder::new());
    for row in 0..call.rows {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            lists.append_null();
            continue;
        }
        let tree = trees.value(row);
        if known.as_ref().is_none_or(|(other, _)| *other != tree) {
            known = Some((tree, parsed(tree)?));
        }
        let distance = distances.as_ref().map_or(Ok(0.0), |distances| checked(distances.value(row)));
        let reached = distance.and_then(|distance| {
            let shape = shapes.at(row)?;
            Ok(envelope(&shape).zip(known.as_ref()).map(|(around, (_, tree))| {
                let wide = Coord { x: distance, y: distance };
                let mut found = Vec::new();
                tree.reached(&Rect::new(around.min() - wide, around.max() + wide), &mut found);
                found
            }))
        });
        match call.forgive(reached)? {
            Some(found) => lists.append_value(found.into_iter().map(Some)),
            None => lists.append_null(),
        }
    }
    Ok(Arc::new(lists.finish()))
}

fn checked(distance: f64) -> Result<f64, TrinoError> {
    let what = match distance {
        distance if distance.is_nan() => "NaN",
        distance if distance.is_infinite() => "infinite",
        distance if distance < 0.0 => "negative",
        distance => return Ok(distance),
    };
    Err(TrinoError::invalid(format!("distance is {what}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> Vec<Coord> {
        (0..10).flat_map(|x| (0..5).map(move |y| Coord { x: f64::from(x), y: f64::from(y) })).collect()
    }

    fn reached(tree: &Node, low: (f64, f64), high: (f64, f64)) -> Vec<i32> {
        let mut found = Vec::new();
        tree.reached(&Rect::new(low, high), &mut found);
        found
    }

    #[test]
    fn partitions_hold_about_as_many_things() {
        let tree = Node::build(&mut grid(), 25);
        assert_eq!(
            tree.to_json(),
            "{\"root\":{\"extent\":{\"xmin\":\"-Infinity\",\"ymin\":\"-Infinity\",\"xmax\":\"Infinity\",\"ymax\":\"Infinity\"},\
            \"left\":{\"extent\":{\"xmin\":\"-Infinity\",\"ymin\":\"-Infinity\",\"xmax\":4.5,\"ymax\":\"Infinity\"},\"leafId\":0},\
            \"right\":{\"extent\":{\"xmin\":4.5,\"ymin\":\"-Infinity\",\"xmax\":\"Infinity\",\"ymax\":\"Infinity\"},\"leafId\":1}}}"
        );
        assert_eq!(reached(&tree, (4.5, 0.0), (4.5, 0.0)), [1]);
        assert_eq!(reached(&tree, (4.0, 0.0), (5.0, 9.0)), [1, 0]);
        let finer = Node::build(&mut grid(), 5);
        let mut all = reached(&finer, (0.0, 0.0), (9.0, 4.0));
        all.sort_unstable();
        assert_eq!(all, (0..all.len() as i32).collect::<Vec<_>>());
        assert!(all.len() >= 10);
        for corner in grid() {
            assert_eq!(reached(&finer, corner.x_y(), corner.x_y()).len(), 1);
        }
    }

    #[test]
    fn equal_things_are_one_partition() {
        let tree = Node::build(&mut vec![Coord { x: 1.0, y: 2.0 }; 50], 3);
        assert_eq!(tree.kind, Kind::Leaf(0));
        let neighbours = [1.0, 1.0_f64.next_up()].map(|x| Coord { x, y: 0.0 });
        let tree = Node::build(&mut neighbours.to_vec(), 1);
        assert_eq!(neighbours.map(|place| reached(&tree, place.x_y(), place.x_y())[0]), [0, 1]);
    }

    #[test]
    fn trees_are_read_as_they_are_written() {
        let tree = Node::build(&mut grid(), 7);
        assert_eq!(parsed(&tree.to_json()).unwrap(), tree);
        for bad in [
            "",
            "{}",
            r#"{"root":{"extent":{"xmin":1,"ymin":0,"xmax":0,"ymax":0},"leafId":0}}"#,
            r#"{"root":{"extent":{"xmin":0,"ymin":0,"xmax":0,"ymax":0}}}"#,
            r#"{"root":{"extent":{"xmin":0,"ymin":0,"xmax":0,"ymax":0},"leafId":-1}}"#,
        ] {
            assert!(parsed(bad).unwrap_err().to_string().contains("Invalid JSON string for KDB tree"), "{bad}");
        }
        assert!(checked(f64::NAN).unwrap_err().to_string().contains("distance is NaN"));
    }
}
