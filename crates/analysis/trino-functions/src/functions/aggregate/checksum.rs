//! `checksum`: a hash of all values that does not depend on their order.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Decimal128Type, DurationMillisecondType, Float32Type, Float64Type, Int32Type, Int64Type,
};

use super::super::Table;
use super::super::hashing::xxhash64;
use super::fold::{Fold, folded};
use crate::error::TrinoError;
use crate::types::Type;
use crate::types::format::{instant_nanos, time_nanos};

/// What hashes are spread by, and what a NULL counts as.
const PRIME: u64 = 0x9E37_79B1_85EB_CA87;

pub(super) fn register(table: &mut Table) {
    let text = "A checksum of all values that does not depend on their order.";
    table.aggregate("checksum(any) -> varbinary", text, |args, result| {
        Ok(folded("checksum", |types| Box::new(Checksum { ty: types[0].clone(), sum: None }), args, result))
    });
}

#[derive(Debug)]
struct Checksum {
    ty: Type,
    sum: Option<u64>,
}

impl Checksum {
    fn add(&mut self, value: u64) {
        self.sum = Some(self.sum.unwrap_or(0).wrapping_add(value));
    }
}

impl Fold for Checksum {
    fn update(&mut self, args: &[ArrayRef]) -> Result<(), TrinoError> {
        for row in 0..args[0].len() {
            let value = hash(&args[0], row, &self.ty)?;
            self.add(value.map_or(PRIME, |hash| hash.wrapping_mul(PRIME)));
        }
        Ok(())
    }

    fn save(&self) -> Vec<u8> {
        self.sum.map(|sum| sum.to_le_bytes().to_vec()).unwrap_or_default()
    }

    fn absorb(&mut self, saved: &[u8]) -> Result<(), TrinoError> {
        if let Ok(sum) = saved.try_into() {
            self.add(u64::from_le_bytes(sum));
        }
        Ok(())
    }

    fn finish(&mut self, _: &Type) -> Result<ArrayRef, TrinoError> {
        Ok(Arc::new(BinaryArray::from_iter([self.sum.map(u64::to_le_bytes)])))
    }
}

fn of_number(value: i64) -> u64 {
    xxhash64(&value.to_le_bytes())
}

/// The XXH64 of a value as Trino's types have it; none for NULL.
fn hash(array: &ArrayRef, row: usize, ty: &Type) -> Result<Option<u64>, TrinoError> {
    if array.is_null(row) || ty == &Type::Unknown {
        return Ok(None);
    }
    Ok(Some(match ty {
        Type::Boolean => of_number(array.as_boolean().value(row).into()),
        Type::Bigint | Type::BingTile => of_number(array.as_primitive::<Int64Type>().value(row)),
        Type::Tinyint | Type::Smallint | Type::Integer | Type::Date | Type::Color | Type::IntervalYearMonth => {
            let value = cast(&array.slice(row, 1), &DataType::Int32)?;
            of_number(value.as_primitive::<Int32Type>().value(0).into())
        }
        Type::IntervalDayTime => of_number(array.as_primitive::<DurationMillisecondType>().value(row)),
        Type::Real => of_number((array.as_primitive::<Float32Type>().value(row).to_bits() as i32).into()),
        Type::Double => of_number((array.as_primitive::<Float64Type>().value(row) + 0.0).to_bits() as i64),
        Type::Decimal(precision, _) => {
            let value = array.as_primitive::<Decimal128Type>().value(row);
            match precision {
                ..=18 => of_number(value as i64),
                _ => of_number((value >> 64) as i64) ^ of_number(value as i64),
            }
        }
        Type::Time(_) => of_number((time_nanos(array, row) * 1000) as i64),
        Type::TimeTz(_) => of_number((time_nanos(array.as_struct().column(0), row) * 1000) as i64),
        Type::Timestamp(_) => of_number((instant_nanos(array, row) / 1000) as i64),
        Type::TimestampTz(_) => of_number((instant_nanos(array.as_struct().column(0), row) / 1_000_000) as i64),
        Type::Varchar(_) | Type::Char(_) | Type::Json | Type::Uuid | Type::KdbTree => {
            xxhash64(array.as_string::<i32>().value(row).as_bytes())
        }
        Type::Varbinary | Type::IpAddress | Type::Sketch(_) | Type::Geometry | Type::SphericalGeography => {
            xxhash64(array.as_binary::<i32>().value(row))
        }
        Type::Array(element) => {
            let values = array.as_list::<i32>().value(row);
            let mut all = (0..values.len()).map(|index| hash(&values, index, element));
            all.try_fold(0_u64, |all, next| Ok::<_, TrinoError>(all.wrapping_mul(31).wrapping_add(next?.unwrap_or(0))))?
        }
        Type::Map(key, value) => {
            let entries = array.as_map().value(row);
            (0..entries.len()).try_fold(0_u64, |all, index| {
                let key = hash(entries.column(0), index, key)?.unwrap_or(0);
                let value = hash(entries.column(1), index, value)?.unwrap_or(0);
                Ok::<_, TrinoError>(all.wrapping_add(key ^ value))
            })?
        }
        Type::Row(fields) => {
            let columns = array.as_struct();
            let mut all = fields.iter().enumerate().map(|(index, field)| hash(columns.column(index), row, &field.ty));
            all.try_fold(1_u64, |all, next| Ok::<_, TrinoError>(all.wrapping_mul(31).wrapping_add(next?.unwrap_or(0))))?
        }
        Type::Unknown => 0,
    }))
}
