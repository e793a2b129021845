//! Geometries of a group as one.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BinaryArray, StringArray};
use geo::Coord;

use super::super::Table;
use super::super::geospatial::folding;
use super::fold::{Fold, folded};
use crate::error::TrinoError;
use crate::types::Type;

pub(super) fn register(table: &mut Table) {
    let hull = "The least geometry without dents that holds all geometries.";
    table.aggregate("convex_hull_agg(geometry) -> geometry", hull, |args, result| {
        Ok(folded("convex_hull_agg", |_| Box::new(Joined { join: folding::hull, all: None }), args, result))
    });
    let partitions = "Spatial partitions with about as many of the geometries in each, as text of JSON.";
    table.aggregate("spatial_partitioning(geometry) -> varchar", partitions, |args, result| {
        Ok(folded("spatial_partitioning", |_| Box::new(Corners::default()), args, result))
    });
    let union = "The points of all geometries.";
    table.aggregate("geometry_union_agg(geometry) -> geometry", union, |args, result| {
        Ok(folded("geometry_union_agg", |_| Box::new(Joined { join: folding::union, all: None }), args, result))
    });
}

/// How many partitions Trino makes: as many as it has tasks for a stage, by default.
const PARTITIONS: usize = 100;
/// How many geometries are looked at; Trino draws a sample of more.
const MOST_SAMPLES: usize = 1_000_000;

/// The lower left corners of the rectangles around geometries.
#[derive(Debug, Default)]
struct Corners {
    places: Vec<Coord>,
    count: u64,
    chance: u64,
}

impl Corners {
    /// Takes in a place: of more than there is room for each has the same chance to stay.
    fn add(&mut self, place: Coord) {
        self.count += 1;
        if self.places.len() < MOST_SAMPLES {
            return self.places.push(place);
        }
        // A generator of its own: the same rows give the same partitions.
        self.chance = self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let index = usize::try_from((self.chance >> 16) % self.count).unwrap_or(usize::MAX);
        if let Some(known) = self.places.get_mut(index) {
            *known = place;
        }
    }
}

impl Fold for Corners {
    fn update(&mut self, args: &[ArrayRef]) -> Result<(), TrinoError> {
        for bytes in args[0].as_binary::<i32>().iter().flatten() {
            if let Some(place) = folding::corner(bytes)? {
                self.add(place);
            }
        }
        Ok(())
    }

    fn save(&self) -> Vec<u8> {
        self.places.iter().flat_map(|place| [place.x.to_le_bytes(), place.y.to_le_bytes()]).flatten().collect()
    }

    fn absorb(&mut self, saved: &[u8]) -> Result<(), TrinoError> {
        let (places, _) = saved.as_chunks::<16>();
        for place in places {
            let number = |from: usize| f64::from_le_bytes(std::array::from_fn(|index| place[from + index]));
            self.add(Coord { x: number(0), y: number(8) });
        }
        Ok(())
    }

    /// NULL for no geometry.
    fn finish(&mut self, _: &Type) -> Result<ArrayRef, TrinoError> {
        let most = self.places.len().div_ceil(PARTITIONS);
        let tree = (!self.places.is_empty()).then(|| folding::partitions(&mut self.places, most));
        Ok(Arc::new(StringArray::from(vec![tree])))
    }

    fn size(&self) -> usize {
        self.places.capacity() * size_of::<Coord>()
    }
}

/// Puts two geometries together; there is none before the first one.
type Join = fn(Option<Vec<u8>>, &[u8]) -> Result<Vec<u8>, TrinoError>;

/// One geometry of all so far.
#[derive(Debug)]
struct Joined {
    join: Join,
    all: Option<Vec<u8>>,
}

impl Joined {
    fn add(&mut self, bytes: &[u8]) -> Result<(), TrinoError> {
        self.all = Some((self.join)(self.all.take(), bytes)?);
        Ok(())
    }
}

impl Fold for Joined {
    fn update(&mut self, args: &[ArrayRef]) -> Result<(), TrinoError> {
        args[0].as_binary::<i32>().iter().flatten().try_for_each(|bytes| self.add(bytes))
    }

    /// Nothing at all for no geometry.
    fn save(&self) -> Vec<u8> {
        self.all.clone().unwrap_or_default()
    }

    fn absorb(&mut self, saved: &[u8]) -> Result<(), TrinoError> {
        if saved.is_empty() { Ok(()) } else { self.add(saved) }
    }

    fn finish(&mut self, _: &Type) -> Result<ArrayRef, TrinoError> {
        Ok(Arc::new(BinaryArray::from_iter([self.all.as_deref()])))
    }

    fn size(&self) -> usize {
        self.all.as_ref().map_or(0, Vec::capacity)
    }
}
