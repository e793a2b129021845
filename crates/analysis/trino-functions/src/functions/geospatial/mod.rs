//! Geometries on a plane and on the earth's surface, and Bing tiles ("Geospatial functions" in Trino's documentation).
//! Values travel as well-known binary; the algorithms on them are those of the crate `geo`.
//!
//! | Module | What it holds |
//! |---|---|
//! | `kind` | the kinds of geometries, and what all have in common |
//! | `values` | geometries as arguments and results |
//! | `wkb`, `text`, `geojson`, `hadoop` | geometries as bytes and texts |
//! | `create` | functions that make geometries of these, and back |
//! | `access`, `validity` | what can be asked of one geometry |
//! | `relate` | how two lie to each other |
//! | `along` | places on lines, distances |
//! | `operate`, `overlay`, `noding`, `simplify` | geometries made of geometries |
//! | `sphere` | areas, lengths and distances on the earth's surface |
//! | `tile`, `tiles`, `cover` | Bing tiles |
//! | `kdb` | spatial partitions |
//! | `polyline` | encoded polylines |

mod access;
mod along;
mod cover;
mod create;
mod geojson;
mod hadoop;
mod kdb;
mod kind;
mod noding;
mod operate;
mod overlay;
mod polyline;
mod relate;
mod simplify;
mod sphere;
#[cfg(test)]
mod tests;
mod text;
mod tile;
mod tiles;
mod validity;
mod values;
mod wkb;

use geo::Geometry;

use self::operate::rectangle;
use super::Table;
use crate::error::TrinoError;

pub(crate) fn register(table: &mut Table) {
    create::register(table);
    access::register(table);
    validity::register(table);
    relate::register(table);
    along::register(table);
    operate::register(table);
    sphere::register(table);
    tiles::register(table);
    polyline::register(table);
    kdb::register(table);
}

/// Appends a geometry as its text.
pub(crate) fn write_geometry(out: &mut String, bytes: &[u8]) {
    if let Some(geometry) = wkb::from_bytes(bytes) {
        text::write(out, &geometry);
    }
}

/// Appends a Bing tile as text.
pub(crate) fn write_tile(out: &mut String, value: i64) {
    tiles::write(out, value);
}

/// A spatial partitioning from its text.
///
/// # Errors
/// INVALID_CAST_ARGUMENT: it is none.
pub(crate) fn kdb_tree(text: &str) -> Result<String, TrinoError> {
    kdb::tree(text)
}

/// What aggregates make of geometries.
pub(super) mod folding {
    use geo::Coord;

    use super::kdb::Node;
    use super::{Geometry, TrinoError, kind, operate, values, wkb};

    /// The lower left corner of a geometry, if there is anything of it.
    pub(in crate::functions) fn corner(bytes: &[u8]) -> Result<Option<Coord>, TrinoError> {
        Ok(kind::envelope(&values::decoded(bytes)?).map(|around| around.min()))
    }

    /// Spatial partitions for things with these lower left corners, as text.
    pub(in crate::functions) fn partitions(corners: &mut [Coord], most: usize) -> String {
        Node::build(corners, most).to_json()
    }

    /// The union of two geometries, one of which may be missing yet.
    pub(in crate::functions) fn union(known: Option<Vec<u8>>, bytes: &[u8]) -> Result<Vec<u8>, TrinoError> {
        joined(known, bytes, |one, other| operate::union([one, other]))
    }

    /// The convex hull of two geometries, one of which may be missing yet.
    pub(in crate::functions) fn hull(known: Option<Vec<u8>>, bytes: &[u8]) -> Result<Vec<u8>, TrinoError> {
        match known {
            Some(known) => joined(Some(known), bytes, operate::common_hull),
            None => {
                let first = values::decoded(bytes)?;
                super::kind::finite(&first)?;
                Ok(wkb::to_bytes(&operate::hull_of(&first)))
            }
        }
    }

    fn joined(
        known: Option<Vec<u8>>,
        bytes: &[u8],
        together: impl Fn(&Geometry, &Geometry) -> Geometry,
    ) -> Result<Vec<u8>, TrinoError> {
        let next = values::decoded(bytes)?;
        super::kind::finite(&next)?;
        let Some(known) = known else { return Ok(bytes.to_vec()) };
        if super::kind::is_empty(&next) {
            return Ok(known);
        }
        Ok(wkb::to_bytes(&together(&values::decoded(&known)?, &next)))
    }
}
