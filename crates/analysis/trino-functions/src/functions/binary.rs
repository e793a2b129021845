//! Functions of bytes: hashes, encodings, numbers as bytes.

mod encode;
mod hash;

use arrow::datatypes::Int64Type;

use super::Table;
use super::support::{Computed, bigints, binaries, bytes, optional_bigints, primitives, text};
use crate::error::TrinoError;
use crate::kernel::Call;

pub(crate) fn register(table: &mut Table) {
    table.kernel("to_utf8(varchar) -> varbinary", "The text's bytes in UTF-8.", |call| {
        let values = text(call, 0)?;
        binaries(call, |row| Ok(values.value(row)))
    });
    table.kernel("length(varbinary) -> bigint", "The number of bytes.", |call| {
        let values = bytes(call, 0)?;
        primitives::<Int64Type>(call, |row| Ok(Some(values.value(row).len() as i64)))
    });
    table.kernel("reverse(varbinary) -> varbinary", "The bytes in reverse order.", |call| {
        let values = bytes(call, 0)?;
        binaries(call, |row| Ok(values.value(row).iter().rev().copied().collect::<Vec<_>>()))
    });
    table.kernel("concat(varbinary...) -> varbinary", "Bytes one after the other.", concat);
    table.kernel("substr(varbinary, bigint) -> varbinary", "The bytes from a position on.", substr);
    table.kernel("substr(varbinary, bigint, bigint) -> varbinary", "Some of the bytes.", substr);
    table.kernel("lpad(varbinary, bigint, varbinary) -> varbinary", "The bytes filled up in front.", |call| {
        pad(call, true)
    });
    table.kernel("rpad(varbinary, bigint, varbinary) -> varbinary", "The bytes filled up behind.", |call| {
        pad(call, false)
    });
    encode::register(table);
    hash::register(table);
}

fn concat(call: &Call<'_>) -> Computed {
    if call.len() < 2 {
        return Err(TrinoError::invalid("There must be two or more concatenation arguments"));
    }
    let pieces = (0..call.len()).map(|index| bytes(call, index)).collect::<Result<Vec<_>, _>>()?;
    let mut all = Vec::new();
    binaries(call, |row| {
        all.clear();
        pieces.iter().for_each(|piece| all.extend_from_slice(piece.value(row)));
        Ok(all.clone())
    })
}

fn substr(call: &Call<'_>) -> Computed {
    let (values, starts, lengths) = (bytes(call, 0)?, bigints(call, 1)?, optional_bigints(call, 2)?);
    binaries(call, |row| {
        let (value, start) = (values.value(row), starts.value(row));
        let length = lengths.as_ref().map_or(i64::MAX, |lengths| lengths.value(row));
        let size = value.len() as i64;
        let from = if start > 0 { start - 1 } else { size.saturating_add(start) };
        if start == 0 || from < 0 || from >= size || length <= 0 {
            return Ok(&[][..]);
        }
        Ok(&value[from as usize..from.saturating_add(length).min(size) as usize])
    })
}

fn pad(call: &Call<'_>, front: bool) -> Computed {
    let (values, sizes, paddings) = (bytes(call, 0)?, bigints(call, 1)?, bytes(call, 2)?);
    binaries(call, |row| {
        let (value, padding) = (values.value(row), paddings.value(row));
        let size = i32::try_from(sizes.value(row)).ok().and_then(|size| usize::try_from(size).ok());
        let size = size.ok_or_else(|| TrinoError::invalid("Target length must be in the range [0..2147483647]"))?;
        if padding.is_empty() {
            return Err(TrinoError::invalid("Padding bytes must not be empty"));
        }
        let filling = padding.iter().cycle().take(size.saturating_sub(value.len()));
        let value = value[..size.min(value.len())].iter();
        Ok(if front {
            filling.chain(value).copied().collect()
        } else {
            value.chain(filling).copied().collect::<Vec<_>>()
        })
    })
}

#[cfg(test)]
mod tests;
