//! Condensed values ("HyperLogLog", "T-Digest", "Quantile digest" and "Set Digest" in Trino's documentation): what scalar
//! functions read from them. `aggregate/sketches.rs` makes and merges them. As bytes they have a form of our own.
//!
//! | Module | What it holds |
//! |---|---|
//! | `bytes` | numbers as bytes and back |
//! | `hashes` | the hashes of values |
//! | `hyperloglog` | about how many different values there were |
//! | `tdigest`, `qdigest` | about how values were distributed |
//! | `setdigest` | about which different values there were |

mod bytes;
mod hashes;
mod hyperloglog;
mod qdigest;
mod setdigest;
mod tdigest;

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float32Array, Float64Array, Int16Array, Int64Array};
use arrow::datatypes::{Float64Type, Int64Type};

pub(super) use self::bytes::{Reader, Writer};
pub(super) use self::hashes::hashes;
pub(super) use self::hyperloglog::HyperLogLog;
pub(super) use self::qdigest::{QDigest, sortable, sortable_real, unsortable, unsortable_real};
pub(super) use self::setdigest::SetDigest;
pub(super) use self::tdigest::TDigest;
use super::Table;
use super::support::{Computed, binaries, bytes, list, map, nulls, numbers, primitives};
use crate::error::TrinoError;
use crate::kernel::Call;
use crate::types::{Sketch, Type};

/// Values condensed: they can be merged, and travel as bytes.
pub(super) trait Summary: Default + std::fmt::Debug + Clone + Send + Sync {
    /// Appends it as bytes.
    fn write(&self, out: &mut Writer);
    /// Reads what `write` wrote; none for anything else.
    fn read(bytes: &mut Reader<'_>) -> Option<Self>;
    /// Takes another one in.
    fn merge(&mut self, other: &Self);
    /// The memory it takes beside itself, in bytes.
    fn size(&self) -> usize;

    /// It as bytes.
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer::default();
        self.write(&mut out);
        out.0
    }

    /// It from bytes, which may come from a statement.
    fn from_bytes(bytes: &[u8]) -> Result<Self, TrinoError> {
        let mut reader = Reader(bytes);
        let read = Self::read(&mut reader).filter(|_| reader.0.is_empty());
        read.ok_or_else(|| TrinoError::invalid("Cannot deserialize a sketch from these bytes"))
    }
}

pub(crate) fn register(table: &mut Table) {
    table.kernel("cardinality(hyperloglog) -> bigint", "About how many different values there were.", |call| {
        let values = bytes(call, 0)?;
        primitives::<Int64Type>(call, |row| Ok(Some(HyperLogLog::from_bytes(values.value(row))?.cardinality())))
    });
    table.kernel("empty_approx_set() -> hyperloglog", "The HyperLogLog of no values.", |call| {
        binaries(call, |_| Ok(HyperLogLog::default().to_bytes()))
    });
    let at = "About the value below which this part of the values lies.";
    let all = "About the values below which these parts of the values lie.";
    for signature in [
        "value_at_quantile(tdigest, double) -> double",
        "value_at_quantile(qdigest(bigint), double) -> bigint",
        "value_at_quantile(qdigest(real), double) -> real",
        "value_at_quantile(qdigest(double), double) -> double",
    ] {
        table.kernel(signature, at, value_at_quantile);
    }
    for signature in [
        "values_at_quantiles(tdigest, array(double)) -> array(double)",
        "values_at_quantiles(qdigest(bigint), array(double)) -> array(bigint)",
        "values_at_quantiles(qdigest(real), array(double)) -> array(real)",
        "values_at_quantiles(qdigest(double), array(double)) -> array(double)",
    ] {
        table.kernel(signature, all, values_at_quantiles);
    }
    sets(table);
}

fn sets(table: &mut Table) {
    table.kernel("cardinality(setdigest) -> bigint", "About how many different values there were.", |call| {
        let values = bytes(call, 0)?;
        primitives::<Int64Type>(call, |row| Ok(Some(SetDigest::from_bytes(values.value(row))?.cardinality())))
    });
    let common = "About how many different values both had.";
    table.kernel("intersection_cardinality(setdigest, setdigest) -> bigint", common, |call| {
        let (left, right) = (bytes(call, 0)?, bytes(call, 1)?);
        primitives::<Int64Type>(call, |row| {
            let right = SetDigest::from_bytes(right.value(row))?;
            Ok(Some(SetDigest::from_bytes(left.value(row))?.intersection(&right)))
        })
    });
    let alike = "About how alike both are, from 0 to 1: what they have in common of all that they have.";
    table.kernel("jaccard_index(setdigest, setdigest) -> double", alike, |call| {
        let (left, right) = (bytes(call, 0)?, bytes(call, 1)?);
        primitives::<Float64Type>(call, |row| {
            let right = SetDigest::from_bytes(right.value(row))?;
            Ok(Some(SetDigest::from_bytes(left.value(row))?.jaccard(&right)))
        })
    });
    let counts = "How often each value occurred, by its hash.";
    table.kernel("hash_counts(setdigest) -> map(bigint, smallint)", counts, hash_counts);
}

fn hash_counts(call: &Call<'_>) -> Computed {
    let (digests, nulls) = (bytes(call, 0)?, nulls(call)?);
    let (mut hashes, mut counts, mut lengths) = (Vec::new(), Vec::new(), Vec::with_capacity(call.rows));
    for row in 0..call.rows {
        let before = hashes.len();
        if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
            for (hash, count) in SetDigest::from_bytes(digests.value(row))?.counts() {
                hashes.push(hash);
                counts.push(count);
            }
        }
        lengths.push(hashes.len() - before);
    }
    map(Arc::new(Int64Array::from(hashes)), Arc::new(Int16Array::from(counts)), lengths, nulls)
}

/// A digest that knows quantiles, read once for each row.
enum Digest {
    T(TDigest),
    Q(QDigest),
}

impl Digest {
    fn read(bytes: &[u8], ty: &Type) -> Result<Self, TrinoError> {
        Ok(match ty {
            Type::Sketch(Sketch::TDigest) => Self::T(TDigest::from_bytes(bytes)?),
            _ => Self::Q(QDigest::from_bytes(bytes)?),
        })
    }

    /// The quantile, as a number in order: a double's bits or the bigint itself.
    fn at(&mut self, quantile: f64) -> Result<Option<i64>, TrinoError> {
        if !(0.0..=1.0).contains(&quantile) {
            let message = format!("Quantile should be within bounds [0, 1], was: {quantile}");
            return Err(TrinoError::invalid(message));
        }
        Ok(match self {
            Self::T(digest) => digest.quantile(quantile).map(sortable),
            Self::Q(digest) => digest.quantile(quantile),
        })
    }
}

/// Numbers of a type from numbers in order.
pub(super) fn ordered_numbers(values: Vec<Option<i64>>, ty: &Type) -> ArrayRef {
    match ty {
        Type::Bigint => Arc::new(Int64Array::from(values)),
        Type::Real => Arc::new(values.into_iter().map(|value| value.map(unsortable_real)).collect::<Float32Array>()),
        _ => Arc::new(values.into_iter().map(|value| value.map(unsortable)).collect::<Float64Array>()),
    }
}

fn value_at_quantile(call: &Call<'_>) -> Computed {
    let (digests, quantiles, nulls) = (bytes(call, 0)?, numbers::<Float64Type>(call, 1)?, nulls(call)?);
    let value = |row: usize| match nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
        true => Ok(None),
        false => Digest::read(digests.value(row), &call.types[0])?.at(quantiles.value(row)),
    };
    Ok(ordered_numbers((0..call.rows).map(value).collect::<Result<_, _>>()?, call.result))
}

fn values_at_quantiles(call: &Call<'_>) -> Computed {
    let Type::Array(element) = call.result else { return Err(TrinoError::internal("quantiles are an array")) };
    let (digests, quantiles, nulls) = (bytes(call, 0)?, call.array(1)?, nulls(call)?);
    let (mut values, mut lengths) = (Vec::new(), Vec::with_capacity(call.rows));
    for row in 0..call.rows {
        let before = values.len();
        if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
            let mut digest = Digest::read(digests.value(row), &call.types[0])?;
            for quantile in quantiles.as_list::<i32>().value(row).as_primitive::<Float64Type>() {
                values.push(quantile.map(|quantile| digest.at(quantile)).transpose()?.flatten());
            }
        }
        lengths.push(values.len() - before);
    }
    list(ordered_numbers(values, element), lengths, nulls)
}
