//! Columns of a stripe as ORC's streams, and types as ORC's types.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, OffsetSizeTrait, RecordBatch, StringArray};
use arrow::buffer::OffsetBuffer;
use arrow::compute;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int64Type, TimeUnit,
};
use boathouse_orc::proto;
use boathouse_orc::proto::column_encoding::Kind as Encoding;
use boathouse_orc::proto::stream::Kind as Stream;
use boathouse_orc::proto::r#type::Kind;
use boathouse_trino_functions::error::TrinoError;
use boathouse_trino_functions::types::{RowField, Type};

use super::bounds::Known;
use super::runs::{self, Sign, integers};
use crate::error::{internal, unsupported};

/// What timestamps are counted from: 1 January 2015, in seconds since 1970.
const EPOCH: i64 = 1_420_070_400;

/// Types as ORC numbers them: a parent before its children.
pub(super) fn types(names: &[String], columns: &[Type]) -> Result<Vec<proto::Type>, TrinoError> {
    let fields = names.iter().zip(columns).map(|(name, ty)| RowField { name: Some(name.clone()), ty: ty.clone() });
    let mut types = Vec::new();
    add(&mut types, &Type::Row(fields.collect()))?;
    Ok(types)
}

fn add(types: &mut Vec<proto::Type>, ty: &Type) -> Result<u32, TrinoError> {
    let index = types.len();
    types.push(proto::Type::default());
    let mut written = proto::Type { kind: Some(kind(ty)?.into()), ..proto::Type::default() };
    match ty {
        Type::Varchar(Some(length)) | Type::Char(length) => written.maximum_length = Some(*length),
        Type::Decimal(precision, scale) => {
            written.precision = Some(u32::from(*precision));
            written.scale = Some(u32::from(*scale));
        }
        Type::Array(element) => written.subtypes.push(add(types, element)?),
        Type::Map(key, value) => written.subtypes.extend([add(types, key)?, add(types, value)?]),
        Type::Row(fields) => {
            for (index, field) in fields.iter().enumerate() {
                written.field_names.push(field.name.clone().unwrap_or_else(|| format!("field{index}")));
                written.subtypes.push(add(types, &field.ty)?);
            }
        }
        _ => {}
    }
    types[index] = written;
    Ok(index as u32)
}

fn kind(ty: &Type) -> Result<Kind, TrinoError> {
    Ok(match ty {
        Type::Boolean => Kind::Boolean,
        Type::Tinyint => Kind::Byte,
        Type::Smallint => Kind::Short,
        Type::Integer => Kind::Int,
        Type::Bigint => Kind::Long,
        Type::Real => Kind::Float,
        Type::Double => Kind::Double,
        Type::Decimal(..) => Kind::Decimal,
        Type::Varchar(None) => Kind::String,
        Type::Varchar(Some(_)) => Kind::Varchar,
        Type::Char(_) => Kind::Char,
        Type::Varbinary => Kind::Binary,
        Type::Date => Kind::Date,
        Type::Timestamp(_) => Kind::Timestamp,
        Type::TimestampTz(_) => Kind::TimestampInstant,
        Type::Array(_) => Kind::List,
        Type::Map(..) => Kind::Map,
        Type::Row(_) => Kind::Struct,
        other => return Err(unsupported(format!("Writing columns of type {other} as ORC is not supported"))),
    })
}

/// The type in a type whose instants have zones, if there is one.
pub(super) fn zoned(ty: &Type) -> Option<&Type> {
    match ty {
        Type::TimestampTz(_) => Some(ty),
        Type::Array(element) => zoned(element),
        Type::Map(key, value) => zoned(key).or_else(|| zoned(value)),
        Type::Row(fields) => fields.iter().find_map(|field| zoned(&field.ty)),
        _ => None,
    }
}

/// The streams of a stripe, column by column.
#[derive(Debug, Default)]
pub(super) struct Streams {
    /// The column's number, what the stream says, and its bytes.
    pub(super) all: Vec<(u32, Stream, Vec<u8>)>,
    /// For each column how its values are written, and what is known of them.
    pub(super) columns: Vec<(proto::ColumnEncoding, Known, Type)>,
}

impl Streams {
    /// The streams of rows, which are a column themselves.
    pub(super) fn root(rows: &RecordBatch, columns: &[Type]) -> Result<Self, TrinoError> {
        let count = rows.num_rows() as u64;
        let mut streams = Self::default();
        streams.columns.push((encoding(Encoding::Direct), Known::counted(count), Type::Unknown));
        for (column, ty) in rows.columns().iter().zip(columns) {
            streams.add(column, ty)?;
        }
        Ok(streams)
    }

    /// Adds a column, and its children after it.
    pub(super) fn add(&mut self, array: &ArrayRef, ty: &Type) -> Result<(), TrinoError> {
        let (index, has_null) = (self.columns.len(), array.null_count() > 0);
        let mut values = Arc::clone(array);
        if let Some(nulls) = array.nulls().filter(|_| has_null) {
            self.push(index, Stream::Present, runs::bits(nulls.iter()));
            // Streams hold no place for values that are NULL.
            values = compute::filter(array, &BooleanArray::new(nulls.inner().clone(), None))?;
        }
        let known = Known::of(&values, has_null, ty);
        self.columns.push((encoding(Encoding::Direct), known, ty.clone()));
        self.values(index, &values, ty)
    }

    fn values(&mut self, index: usize, values: &ArrayRef, ty: &Type) -> Result<(), TrinoError> {
        match ty {
            Type::Boolean => self.push(index, Stream::Data, runs::bits(values.as_boolean().values().iter())),
            Type::Tinyint => {
                let bytes: Vec<u8> = primitives::<Int8Type>(values).iter().map(|value| *value as u8).collect();
                self.push(index, Stream::Data, runs::bytes(&bytes));
            }
            Type::Smallint | Type::Integer | Type::Bigint => {
                let values = compute::cast(values, &DataType::Int64)?;
                self.integers(index, Stream::Data, primitives::<Int64Type>(&values), Sign::Signed);
            }
            Type::Date => {
                let days: Vec<i64> = primitives::<Date32Type>(values).iter().map(|days| i64::from(*days)).collect();
                self.integers(index, Stream::Data, &days, Sign::Signed);
            }
            Type::Real => {
                let bytes = primitives::<Float32Type>(values).iter().flat_map(|value| value.to_le_bytes()).collect();
                self.push(index, Stream::Data, bytes);
            }
            Type::Double => {
                let bytes = primitives::<Float64Type>(values).iter().flat_map(|value| value.to_le_bytes()).collect();
                self.push(index, Stream::Data, bytes);
            }
            Type::Decimal(_, scale) => {
                let mut digits = Vec::new();
                primitives::<Decimal128Type>(values).iter().for_each(|value| runs::digits(&mut digits, *value));
                self.push(index, Stream::Data, digits);
                self.integers(index, Stream::Secondary, &vec![i64::from(*scale); values.len()], Sign::Signed);
            }
            Type::Varchar(_) | Type::Char(_) => self.texts(index, values),
            Type::Varbinary => {
                let values = values.as_binary::<i32>();
                self.push(index, Stream::Data, held(values.offsets(), values.value_data()));
                self.integers(index, Stream::Length, &lengths(values.offsets()), Sign::Unsigned);
            }
            Type::Timestamp(_) | Type::TimestampTz(_) => self.timestamps(index, values)?,
            Type::Array(element) => {
                let lists = values.as_list::<i32>();
                self.integers(index, Stream::Length, &lengths(lists.offsets()), Sign::Unsigned);
                self.add(&elements(lists.values(), lists.offsets()), element)?;
            }
            Type::Map(key, value) => {
                let maps = values.as_map();
                self.integers(index, Stream::Length, &lengths(maps.offsets()), Sign::Unsigned);
                self.add(&elements(maps.keys(), maps.offsets()), key)?;
                self.add(&elements(maps.values(), maps.offsets()), value)?;
            }
            Type::Row(fields) => {
                for (column, field) in values.as_struct().columns().iter().zip(fields.iter()) {
                    self.add(column, &field.ty)?;
                }
            }
            other => return Err(internal(format!("{other} was taken for a type of ORC"))),
        }
        Ok(())
    }

    fn push(&mut self, index: usize, kind: Stream, bytes: Vec<u8>) {
        self.all.push((index as u32, kind, bytes));
    }

    /// Adds a stream of integers, which the encoding of the column has to tell.
    fn integers(&mut self, index: usize, kind: Stream, values: &[i64], sign: Sign) {
        self.columns[index].0 = encoding(Encoding::DirectV2);
        self.push(index, kind, integers(values, sign));
    }

    /// Texts, in a dictionary where each is there more than twice on average.
    fn texts(&mut self, index: usize, values: &ArrayRef) {
        let values = values.as_string::<i32>();
        let Some((places, mut words)) = dictionary(values) else {
            self.push(index, Stream::Data, held(values.offsets(), values.value_data()));
            return self.integers(index, Stream::Length, &lengths(values.offsets()), Sign::Unsigned);
        };
        // Readers may expect the words in their order.
        let mut order: Vec<usize> = (0..words.len()).collect();
        order.sort_unstable_by_key(|place| words[*place]);
        let mut rank = vec![0; words.len()];
        order.iter().enumerate().for_each(|(new, old)| rank[*old] = new as i64);
        words.sort_unstable();
        let places: Vec<i64> = places.into_iter().map(|place| rank[place]).collect();
        let lengths: Vec<i64> = words.iter().map(|word| word.len() as i64).collect();
        self.push(index, Stream::Data, integers(&places, Sign::Unsigned));
        self.push(index, Stream::DictionaryData, words.concat().into_bytes());
        self.push(index, Stream::Length, integers(&lengths, Sign::Unsigned));
        let dictionary_size = Some(words.len() as u32);
        self.columns[index].0 = proto::ColumnEncoding { dictionary_size, ..encoding(Encoding::DictionaryV2) };
    }

    fn timestamps(&mut self, index: usize, values: &ArrayRef) -> Result<(), TrinoError> {
        let per_second = match values.data_type() {
            DataType::Timestamp(TimeUnit::Millisecond, _) => 1_000,
            DataType::Timestamp(TimeUnit::Microsecond, _) => 1_000_000,
            _ => 1_000_000_000,
        };
        let instants = compute::cast(values, &DataType::Int64)?;
        let instants = primitives::<Int64Type>(&instants);
        let (mut seconds, mut fractions) = (Vec::with_capacity(instants.len()), Vec::with_capacity(instants.len()));
        for instant in instants {
            let second = instant.div_euclid(per_second);
            let nanoseconds = instant.rem_euclid(per_second) * (1_000_000_000 / per_second);
            // Before 1970 the format writes a second too much; in the last one it can't be told from the first after.
            let late = second < 0 && nanoseconds > 999_999;
            if late && second == -1 {
                let message = "ORC files can't hold timestamps between 1969-12-31 23:59:59.001 and 23:59:59.999";
                return Err(unsupported(message));
            }
            seconds.push(second + i64::from(late) - EPOCH);
            fractions.push(fraction(nanoseconds));
        }
        self.integers(index, Stream::Data, &seconds, Sign::Signed);
        self.integers(index, Stream::Secondary, &fractions, Sign::Unsigned);
        Ok(())
    }
}

/// Nanoseconds without their zeros at the end; the last three bits say how many there were, if more than one.
fn fraction(mut nanoseconds: i64) -> i64 {
    if nanoseconds == 0 || nanoseconds % 100 != 0 {
        return nanoseconds << 3;
    }
    let mut zeros = 1;
    nanoseconds /= 100;
    while nanoseconds % 10 == 0 && zeros < 7 {
        nanoseconds /= 10;
        zeros += 1;
    }
    nanoseconds << 3 | zeros
}

fn encoding(kind: Encoding) -> proto::ColumnEncoding {
    proto::ColumnEncoding { kind: Some(kind.into()), ..proto::ColumnEncoding::default() }
}

fn primitives<T: ArrowPrimitiveType>(array: &ArrayRef) -> &[T::Native] {
    array.as_primitive::<T>().values()
}

fn lengths<O: OffsetSizeTrait>(offsets: &OffsetBuffer<O>) -> Vec<i64> {
    offsets.lengths().map(|length| length as i64).collect()
}

/// The bytes that the values of an array lie in; a slice is no whole array.
fn held(offsets: &OffsetBuffer<i32>, bytes: &[u8]) -> Vec<u8> {
    let (first, last) = ends(offsets);
    bytes[first..last].to_vec()
}

fn elements(values: &ArrayRef, offsets: &OffsetBuffer<i32>) -> ArrayRef {
    let (first, last) = ends(offsets);
    values.slice(first, last - first)
}

fn ends(offsets: &OffsetBuffer<i32>) -> (usize, usize) {
    let end = |offset: Option<&i32>| offset.copied().unwrap_or_default() as usize;
    (end(offsets.first()), end(offsets.last()))
}

/// For each text its place among the different ones; none where there are too many.
fn dictionary(values: &StringArray) -> Option<(Vec<usize>, Vec<&str>)> {
    let most = values.len() / 2;
    let (mut known, mut words) = (HashMap::new(), Vec::new());
    let mut places = Vec::with_capacity(values.len());
    for row in 0..values.len() {
        let word = values.value(row);
        let place = *known.entry(word).or_insert_with(|| {
            words.push(word);
            words.len() - 1
        });
        if words.len() > most {
            return None;
        }
        places.push(place);
    }
    (!words.is_empty()).then_some((places, words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_lose_their_zeros() {
        assert_eq!(fraction(0), 0);
        assert_eq!(fraction(1_000), 0x0a);
        assert_eq!(fraction(100_000), 0x0c);
        assert_eq!(fraction(7), 7 << 3);
        assert_eq!(fraction(500_000_000), 5 << 3 | 7);
    }

    #[test]
    fn parents_come_before_their_children() {
        let ty = Type::parse_trino("map(varchar, row(a array(decimal(5,2)), b char(3)))").unwrap();
        let types = types(&["m".to_owned(), "n".to_owned()], &[ty, Type::Bigint]).unwrap();
        let kinds: Vec<&str> = types.iter().map(|ty| ty.kind().as_str_name()).collect();
        assert_eq!(kinds, ["STRUCT", "MAP", "STRING", "STRUCT", "LIST", "DECIMAL", "CHAR", "LONG"]);
        assert_eq!(types[0].subtypes, [1, 7]);
        assert_eq!(types[3].field_names, ["a", "b"]);
        assert!(super::types(&["j".to_owned()], &[Type::Json]).unwrap_err().message.contains("json"));
    }
}
