//! Wire types of the catalog's operations; also the rows of the store, so that nothing is lost between the two.

mod entities;
mod requests;

pub use entities::*;
pub use requests::*;
