//! Geometries of a group as one.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BinaryArray};

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
    let union = "The points of all geometries.";
    table.aggregate("geometry_union_agg(geometry) -> geometry", union, |args, result| {
        Ok(folded("geometry_union_agg", |_| Box::new(Joined { join: folding::union, all: None }), args, result))
    });
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
