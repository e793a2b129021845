//! Casts, explicit and implicit.

use datafusion::logical_expr::cast as arrow_cast;

use crate::Typed;
use crate::error::TrinoError;
use crate::types::Type;
use crate::types::coercion::can_coerce;

/// The value where `to` is asked for, without a CAST in the statement.
///
/// # Errors
/// TYPE_MISMATCH where only a CAST could convert it.
pub fn coerce((expr, from): Typed, to: &Type) -> Result<Typed, TrinoError> {
    if !can_coerce(&from, to) {
        return Err(TrinoError::mismatch(format!("Cannot coerce {from} to {to}")));
    }
    let same = from.to_arrow() == to.to_arrow();
    Ok((if same { expr } else { arrow_cast(expr, to.to_arrow()) }, to.clone()))
}
