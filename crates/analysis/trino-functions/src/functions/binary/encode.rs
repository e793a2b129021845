//! Bytes as text, and numbers as bytes.

use arrow::array::ArrowPrimitiveType;
use arrow::datatypes::{Float32Type, Float64Type, Int32Type, Int64Type};
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::super::Table;
use super::super::support::{Computed, binaries, bytes, numbers, primitives, text, write_texts};
use crate::error::TrinoError;
use crate::kernel::Call;
use crate::types::Type;

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

pub(super) fn register(table: &mut Table) {
    table.kernel("to_hex(varbinary) -> varchar", "Bytes in hexadecimal digits.", |call| {
        encode(call, |bytes| hex::encode_upper(bytes))
    });
    table.kernel("to_base64(varbinary) -> varchar", "Bytes in base64.", |call| {
        encode(call, |bytes| STANDARD.encode(bytes))
    });
    table.kernel("to_base64url(varbinary) -> varchar", "Bytes in the base64 of URLs.", |call| {
        encode(call, |bytes| URL_SAFE.encode(bytes))
    });
    table.kernel("to_base32(varbinary) -> varchar", "Bytes in base32.", |call| encode(call, to_base32));
    for signature in ["from_hex(varchar) -> varbinary", "from_hex(varbinary) -> varbinary"] {
        table.kernel(signature, "The bytes that hexadecimal digits stand for.", |call| decode(call, from_hex));
    }
    for signature in ["from_base64(varchar) -> varbinary", "from_base64(varbinary) -> varbinary"] {
        table.kernel(signature, "The bytes that base64 stands for.", |call| {
            decode(call, |text| from_base64(&STANDARD, text))
        });
    }
    for signature in ["from_base64url(varchar) -> varbinary", "from_base64url(varbinary) -> varbinary"] {
        table.kernel(signature, "The bytes that the base64 of URLs stands for.", |call| {
            decode(call, |text| from_base64(&URL_SAFE, text))
        });
    }
    for signature in ["from_base32(varchar) -> varbinary", "from_base32(varbinary) -> varbinary"] {
        table.kernel(signature, "The bytes that base32 stands for.", |call| decode(call, from_base32));
    }
    let (to, from) = ("The number's bytes, the highest first.", "The number that bytes stand for, the highest first.");
    table.kernel("to_big_endian_64(bigint) -> varbinary", to, |call| to_bytes::<Int64Type, 8>(call, i64::to_be_bytes));
    table.kernel("from_big_endian_64(varbinary) -> bigint", from, |call| {
        from_bytes::<Int64Type, 8>(call, i64::from_be_bytes)
    });
    table.kernel("to_big_endian_32(integer) -> varbinary", to, |call| to_bytes::<Int32Type, 4>(call, i32::to_be_bytes));
    table.kernel("from_big_endian_32(varbinary) -> integer", from, |call| {
        from_bytes::<Int32Type, 4>(call, i32::from_be_bytes)
    });
    table.kernel("to_ieee754_32(real) -> varbinary", to, |call| to_bytes::<Float32Type, 4>(call, f32::to_be_bytes));
    table.kernel("from_ieee754_32(varbinary) -> real", from, |call| {
        from_bytes::<Float32Type, 4>(call, f32::from_be_bytes)
    });
    table.kernel("to_ieee754_64(double) -> varbinary", to, |call| to_bytes::<Float64Type, 8>(call, f64::to_be_bytes));
    table.kernel("from_ieee754_64(varbinary) -> double", from, |call| {
        from_bytes::<Float64Type, 8>(call, f64::from_be_bytes)
    });
}

fn encode(call: &Call<'_>, encode: fn(&[u8]) -> String) -> Computed {
    let values = bytes(call, 0)?;
    write_texts(call, |row, out| {
        out.push_str(&encode(values.value(row)));
        Ok(Some(()))
    })
}

fn decode(call: &Call<'_>, decode: fn(&[u8]) -> Result<Vec<u8>, TrinoError>) -> Computed {
    match call.types {
        [Type::Varbinary] => {
            let values = bytes(call, 0)?;
            binaries(call, |row| decode(values.value(row)))
        }
        _ => {
            let values = text(call, 0)?;
            binaries(call, |row| decode(values.value(row).as_bytes()))
        }
    }
}

fn from_hex(text: &[u8]) -> Result<Vec<u8>, TrinoError> {
    hex::decode(text).map_err(|error| {
        TrinoError::invalid(match error {
            hex::FromHexError::InvalidHexCharacter { c, .. } => {
                format!("not a hexadecimal digit: \"{c}\" = {}", u32::from(c))
            }
            _ => format!("invalid input length {}", text.len()),
        })
    })
}

fn from_base64(engine: &GeneralPurpose, text: &[u8]) -> Result<Vec<u8>, TrinoError> {
    if text.len() == 1 {
        return Err(TrinoError::invalid("Input byte[] should at least have 2 bytes for base64 bytes"));
    }
    engine.decode(text).map_err(|error| TrinoError::invalid(format!("Invalid base64 input: {error}")))
}

fn to_base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let mut block = [0; 8];
        block[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(block);
        let digits = (chunk.len() * 8).div_ceil(5);
        text.extend((0..8).map(|index| match index < digits {
            true => char::from(BASE32[(bits >> (35 - 5 * index)) as usize & 31]),
            false => '=',
        }));
    }
    text
}

fn from_base32(text: &[u8]) -> Result<Vec<u8>, TrinoError> {
    let end = text.iter().rposition(|digit| *digit != b'=').map_or(0, |last| last + 1);
    if matches!(end % 8, 1 | 3 | 6) {
        return Err(TrinoError::invalid(format!("Invalid input length {end}")));
    }
    let (mut bytes, mut bits, mut count) = (Vec::with_capacity(end * 5 / 8), 0_u32, 0);
    for digit in &text[..end] {
        let value = BASE32.iter().position(|known| known == digit);
        let unknown = || TrinoError::invalid(format!("Unrecognized character: {}", char::from(*digit)));
        bits = bits << 5 | value.ok_or_else(unknown)? as u32;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    Ok(bytes)
}

fn to_bytes<T: ArrowPrimitiveType, const N: usize>(call: &Call<'_>, convert: fn(T::Native) -> [u8; N]) -> Computed {
    let values = numbers::<T>(call, 0)?;
    binaries(call, |row| Ok(convert(values.value(row))))
}

fn from_bytes<T: ArrowPrimitiveType, const N: usize>(call: &Call<'_>, convert: fn([u8; N]) -> T::Native) -> Computed {
    let values = bytes(call, 0)?;
    primitives::<T>(call, |row| {
        let value = values.value(row);
        let size = |_| {
            TrinoError::invalid(match T::DATA_TYPE.is_floating() {
                true => format!("Input floating-point value must be exactly {N} bytes long"),
                false => format!("expected {N}-byte input, but got instead: {}", value.len()),
            })
        };
        <[u8; N]>::try_from(value).map(convert).map(Some).map_err(size)
    })
}
