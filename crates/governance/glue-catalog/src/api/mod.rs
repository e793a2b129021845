//! Wire types of the catalog's operations; also the rows of the store, so that nothing is lost between the two.

mod entities;
mod requests;
mod statistics;

pub use entities::*;
pub use requests::*;
pub use statistics::*;
