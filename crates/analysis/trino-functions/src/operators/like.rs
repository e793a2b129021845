//! LIKE. Trino has no escape character unless ESCAPE names one; Arrow's is always the backslash.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::kernels::comparison::like as arrow_like;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, Like, lit, not};

use crate::Typed;
use crate::cast;
use crate::error::TrinoError;
use crate::kernel::{Bound, Call};
use crate::types::Type;

/// `value [NOT] LIKE pattern [ESCAPE escape]`
///
/// # Errors
/// TYPE_MISMATCH for what is no text; INVALID_FUNCTION_ARGUMENT for a constant pattern that misuses its escape character.
pub fn like(value: Typed, pattern: Typed, escape: Option<Typed>, negated: bool) -> Result<Typed, TrinoError> {
    let value = text(value, "Left side of LIKE expression")?;
    let pattern = text(pattern, "Pattern for LIKE expression")?;
    let escape = escape.map(|escape| text(escape, "Escape for LIKE expression")).transpose()?;
    if let (Some(pattern), Some(escape)) =
        (constant(&pattern), escape.as_ref().map_or(Some(None), |e| constant(e).map(Some)))
    {
        let pattern = match escape {
            Some(None) => None,
            None => pattern.map(|pattern| translate(pattern, None)).transpose()?,
            Some(Some(escape)) => pattern.map(|pattern| translate(pattern, Some(escape))).transpose()?,
        };
        let pattern = Box::new(lit(ScalarValue::Utf8(pattern)));
        return Ok((Expr::Like(Like::new(negated, Box::new(value), pattern, None, false)), Type::Boolean));
    }
    let args: Vec<_> = [Some(value), Some(pattern), escape].into_iter().flatten().collect();
    let matched = Bound::operator("like", like_rows, vec![Type::VARCHAR; args.len()], Type::Boolean).call(args);
    Ok((if negated { not(matched) } else { matched }, Type::Boolean))
}

fn text(value: Typed, what: &str) -> Result<Expr, TrinoError> {
    match value.1 {
        Type::Varchar(_) | Type::Char(_) | Type::Unknown => Ok(cast::cast(value, &Type::VARCHAR)?.0),
        other => Err(TrinoError::mismatch(format!("{what} must evaluate to a varchar (actual: {other})"))),
    }
}

/// A literal's text; `Some(None)` for a NULL.
fn constant(expr: &Expr) -> Option<Option<&str>> {
    match expr {
        Expr::Literal(ScalarValue::Utf8(text), _) => Some(text.as_deref()),
        _ => None,
    }
}

/// The pattern with the backslash as its escape character.
fn translate(pattern: &str, escape: Option<&str>) -> Result<String, TrinoError> {
    let mut letters = escape.unwrap_or_default().chars();
    let escape = match (escape, letters.next(), letters.next()) {
        (None, ..) | (Some(_), None, _) => None,
        (Some(_), Some(letter), None) => Some(letter),
        _ => return Err(TrinoError::invalid("Escape string must be a single character")),
    };
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern.chars();
    while let Some(letter) = rest.next() {
        if Some(letter) == escape {
            match rest.next() {
                Some(special) if special == '%' || special == '_' => out.extend(['\\', special]),
                Some('\\') if escape == Some('\\') => out.push_str("\\\\"),
                Some(same) if Some(same) == escape => out.push(same),
                _ => {
                    let message = "Escape character must be followed by '%', '_' or the escape character itself";
                    return Err(TrinoError::invalid(message));
                }
            }
        } else if letter == '\\' {
            out.push_str("\\\\");
        } else {
            out.push(letter);
        }
    }
    Ok(out)
}

fn like_rows(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let (values, patterns) = (call.array(0)?, call.array(1)?);
    let escapes = if call.len() > 2 { Some(call.array(2)?) } else { None };
    let translated = |row: usize| {
        let escape = escapes.as_ref().map(|escapes| escapes.as_string::<i32>());
        if patterns.is_null(row) || escape.is_some_and(|escapes| escapes.is_null(row)) {
            return Ok(None);
        }
        translate(patterns.as_string::<i32>().value(row), escape.map(|escapes| escapes.value(row))).map(Some)
    };
    let patterns: StringArray =
        (0..call.rows).map(translated).collect::<Result<Vec<_>, TrinoError>>()?.into_iter().collect();
    Ok(Arc::new(arrow_like(values.as_string::<i32>(), &patterns)?))
}
