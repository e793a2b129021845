//! Dates and times: milliseconds since 1970 to and from text, by ISO 8601 or by XPath's format-dateTime pictures.

mod calendar;
mod format;
mod parse;
mod picture;

use super::{Builtin, Call};
use crate::jsonata::eval::Result;
use crate::jsonata::value::Val;

pub(super) fn call(call: &Call<'_>) -> Option<Result> {
    let now = call.evaluator.bindings.now.timestamp_millis();
    Some(match call.builtin {
        Builtin::Now => text(now as f64, call, 0),
        Builtin::Millis => Ok(Val::Number(now as f64)),
        Builtin::FromMillis => match call.number(0) {
            Ok(Some(millis)) => text(millis, call, 1),
            Ok(None) => Ok(Val::Undefined),
            Err(error) => Err(error),
        },
        Builtin::ToMillis => to_millis(call, now),
        _ => return None,
    })
}

fn text(millis: f64, call: &Call<'_>, picture: usize) -> Result {
    let zone = call.text(picture + 1)?;
    let picture = call.text(picture)?;
    format::format(millis, picture.as_deref(), zone.as_deref()).map(Val::text)
}

fn to_millis(call: &Call<'_>, now: i64) -> Result {
    let Some(text) = call.text(0)? else { return Ok(Val::Undefined) };
    match call.text(1)? {
        Some(picture) => Ok(parse::by_picture(&text, &picture, now)?.map_or(Val::Undefined, Val::Number)),
        None => parse::iso(&text).map(Val::Number),
    }
}
