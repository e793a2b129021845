//! Columns of all kinds, written by the `parquet` crate, compared with what that crate reads.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Decimal128Array, FixedSizeBinaryBuilder, Float32Array,
    Float64Array, Int32Array, Int64Array, PrimitiveArray, RecordBatch, StringArray, UInt32Array, UInt64Array,
};
use arrow::compute::{concat, take};
use arrow::datatypes::{
    DataType, Field, Int8Type, Int16Type, Int32Type, Schema, Time32MillisecondType, Time64MicrosecondType, TimeUnit,
    UInt8Type, UInt16Type,
};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::data_type::{Int96, Int96Type};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use proptest::prelude::*;

use crate::{ColumnDecoder, Error, reads};

const KINDS: usize = 26;

/// Numbers that repeat, as far as `variety` says.
fn numbers(seed: u64, rows: usize, variety: u64) -> Vec<u64> {
    let mut state = seed | 1;
    let mut number = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let pool: Vec<u64> = (0..variety.max(1)).map(|_| number()).collect();
    let mut out = Vec::with_capacity(rows);
    while out.len() < rows {
        let value = pool[(number() % pool.len() as u64) as usize];
        // Some of them in a row.
        let times = if number().is_multiple_of(5) { number() % 40 } else { 1 };
        out.extend(std::iter::repeat_n(value, times as usize));
    }
    out.truncate(rows);
    out
}

fn text(number: u64) -> String {
    let length = (number % 7 * (number >> 8) % 80) as usize;
    let letters = ["a", "z", "ä", "€", "0", " "];
    (0..length).map(|at| letters[(number >> (at % 60)) as usize % letters.len()]).collect()
}

/// A column of a kind.
fn column(kind: usize, numbers: &[u64], valid: &[bool]) -> ArrayRef {
    macro_rules! of {
        ($array:ty, $value:expr) => {{
            let value: fn(u64) -> _ = $value;
            Arc::new(numbers.iter().zip(valid).map(|(number, valid)| valid.then(|| value(*number))).collect::<$array>())
        }};
    }
    let decimal = |precision, limit: i128| -> ArrayRef {
        let values = numbers.iter().zip(valid);
        let values = values
            .map(|(number, valid)| valid.then(|| (i128::from(*number) * i128::from(*number) - limit / 3) % limit));
        Arc::new(values.collect::<Decimal128Array>().with_precision_and_scale(precision, 2).unwrap())
    };
    let timestamp = |unit, zone: Option<&str>| -> ArrayRef {
        let values: Int64Array =
            numbers.iter().zip(valid).map(|(number, valid)| valid.then(|| (*number >> 20) as i64)).collect();
        values.reinterpret(DataType::Timestamp(unit, zone.map(Into::into)))
    };
    match kind {
        0 => of!(BooleanArray, |number: u64| number.is_multiple_of(3)),
        1 => of!(PrimitiveArray<Int8Type>, |number| number as i8),
        2 => of!(PrimitiveArray<Int16Type>, |number| number as i16),
        3 => of!(Int32Array, |number| number as i32),
        4 => of!(Int64Array, |number| number as i64),
        5 => of!(PrimitiveArray<UInt8Type>, |number| number as u8),
        6 => of!(PrimitiveArray<UInt16Type>, |number| number as u16),
        7 => of!(UInt32Array, |number| number as u32),
        8 => of!(UInt64Array, |number| number),
        9 => of!(Float32Array, |number: u64| number as f32 / 3.0),
        10 => of!(Float64Array, |number: u64| number as f64 / 3.0),
        11 => of!(PrimitiveArray<arrow::datatypes::Date32Type>, |number| number as i32 >> 8),
        12 => timestamp(TimeUnit::Second, None),
        13 => timestamp(TimeUnit::Millisecond, Some("UTC")),
        14 => timestamp(TimeUnit::Microsecond, None),
        15 => timestamp(TimeUnit::Nanosecond, Some("+02:00")),
        16 => decimal(7, 9_999_999),
        17 => decimal(15, 999_999_999_999_999),
        18 => decimal(30, 10_i128.pow(30) - 1),
        19 => of!(StringArray, text),
        20 => of!(BinaryArray, |number: u64| text(number).into_bytes()),
        21 => of!(StringArray, |number: u64| text(number % 8)),
        22 => {
            let mut builder = FixedSizeBinaryBuilder::new(5);
            for (number, valid) in numbers.iter().zip(valid) {
                match valid {
                    true => builder.append_value(&number.to_le_bytes()[..5]).unwrap(),
                    false => builder.append_null(),
                }
            }
            Arc::new(builder.finish())
        }
        23 => of!(PrimitiveArray<Time32MillisecondType>, |number| (number % 86_400_000) as i32),
        24 => of!(PrimitiveArray<Time64MicrosecondType>, |number| (number % 86_400_000_000) as i64),
        _ => of!(Float64Array, |_| 1.5),
    }
}

trait Reinterpret {
    fn reinterpret(self, data_type: DataType) -> ArrayRef;
}

impl Reinterpret for Int64Array {
    fn reinterpret(self, data_type: DataType) -> ArrayRef {
        arrow::array::make_array(self.into_data().into_builder().data_type(data_type).build().unwrap())
    }
}

fn write(column: &ArrayRef, is_nullable: bool, properties: WriterProperties) -> Bytes {
    let schema = Arc::new(Schema::new(vec![Field::new("c", column.data_type().clone(), is_nullable)]));
    let mut writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(properties)).unwrap();
    writer.write(&RecordBatch::try_new(schema, vec![Arc::clone(column)]).unwrap()).unwrap();
    writer.into_inner().unwrap().into()
}

fn footer(file: &Bytes) -> ParquetMetaData {
    ParquetMetaDataReader::new().parse_and_finish(file).unwrap()
}

fn decoder(file: &Bytes, footer: &ParquetMetaData, group: usize, data_type: &DataType) -> Result<ColumnDecoder, Error> {
    let chunk = footer.row_group(group).column(0);
    let (begin, length) = chunk.byte_range();
    let bytes = file.slice(begin as usize..(begin + length) as usize);
    ColumnDecoder::new(bytes, &footer.file_metadata().schema_descr().column(0), chunk, data_type)
}

fn theirs(file: &Bytes) -> ArrayRef {
    let metadata = ArrowReaderMetadata::load(file, ArrowReaderOptions::new()).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file.clone(), metadata).build().unwrap();
    let arrays: Vec<ArrayRef> = reader.map(|batch| Arc::clone(batch.unwrap().column(0))).collect();
    concat(&arrays.iter().map(AsRef::as_ref).collect::<Vec<_>>()).unwrap()
}

/// What to do with the next rows: pass over them, read all of them, or read some.
#[derive(Debug, Clone)]
enum Step {
    Skip(usize),
    All(usize),
    Some(usize, u32, u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0_usize..900).prop_map(Step::Skip),
        (0_usize..900).prop_map(Step::All),
        (0_usize..2500, 1_u32..300, 0_u32..300).prop_map(|(rows, every, first)| Step::Some(rows, every, first)),
    ];
    proptest::collection::vec(step, 1..12)
}

/// How a file is written.
fn properties() -> impl Strategy<Value = WriterProperties> {
    let codec = prop_oneof![
        Just(Compression::UNCOMPRESSED),
        Just(Compression::SNAPPY),
        Just(Compression::GZIP(GzipLevel::default())),
        Just(Compression::LZ4_RAW),
        Just(Compression::ZSTD(ZstdLevel::default())),
    ];
    (codec, any::<bool>(), any::<bool>(), 30_usize..1500, 200_usize..5000, 500_usize..4000).prop_map(
        |(codec, is_second, has_dictionary, page_rows, dictionary, group)| {
            WriterProperties::builder()
                .set_compression(codec)
                .set_writer_version(if is_second { WriterVersion::PARQUET_2_0 } else { WriterVersion::PARQUET_1_0 })
                .set_dictionary_enabled(has_dictionary)
                .set_data_page_row_count_limit(page_rows)
                .set_write_batch_size(64)
                .set_dictionary_page_size_limit(dictionary)
                .set_max_row_group_row_count(Some(group))
                .build()
        },
    )
}

/// Reads a row group in steps; what was read, and which rows these are.
fn read_in_steps(decoder: &mut ColumnDecoder, rows: usize, steps: &[Step]) -> (Vec<ArrayRef>, Vec<u32>) {
    let (mut arrays, mut read, mut at) = (Vec::new(), Vec::new(), 0_usize);
    for step in steps.iter().cycle().chain([&Step::All(1)]) {
        if at == rows {
            break;
        }
        let all = at as u32;
        match step {
            Step::Skip(count) => {
                let count = *count.min(&(rows - at));
                decoder.skip(count).unwrap();
                at += count;
            }
            Step::All(count) => {
                let count = (*count).clamp(1, rows - at);
                arrays.push(decoder.read(count, None).unwrap());
                read.extend(all..all + count as u32);
                at += count;
            }
            Step::Some(count, every, first) => {
                let count = (*count).min(rows - at);
                let wanted: Vec<u32> = (*first..count as u32).step_by(*every as usize).collect();
                arrays.push(decoder.read(count, Some(&wanted)).unwrap());
                read.extend(wanted.iter().map(|row| row + all));
                at += count;
            }
        }
        if steps.iter().all(|step| matches!(step, Step::Skip(0) | Step::Some(0, ..))) {
            break;
        }
    }
    (arrays, read)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn columns_are_what_the_parquet_crate_reads(
        kind in 0..KINDS,
        seed in any::<u64>(),
        rows in 1_usize..6000,
        variety in prop_oneof![1_u64..3, 3_u64..300, 300_u64..10000],
        nulls in 0_u64..4,
        properties in properties(),
        steps in steps(),
    ) {
        let numbers = numbers(seed, rows, variety);
        // None, few in long runs, half of them, all.
        let valid: Vec<bool> = numbers.iter().enumerate().map(|(row, number)| match nulls {
            0 => true,
            1 => (row / 700).is_multiple_of(2) || !number.is_multiple_of(50),
            2 => number >> 13 & 1 == 0,
            _ => false,
        }).collect();
        let column = column(kind, &numbers, &valid);
        let file = write(&column, nulls > 0, properties);
        let footer = footer(&file);
        prop_assert_eq!(&theirs(&file), &column);
        let descriptor = footer.file_metadata().schema_descr().column(0);
        let mut begin = 0;
        for (index, group) in footer.row_groups().iter().enumerate() {
            let count = group.num_rows() as usize;
            let expected = column.slice(begin, count);
            begin += count;
            for data_type in [column.data_type().clone(), dictionary()] {
                // Bytes can be read as texts, if they are texts; here they need not be.
                if column.data_type() == &DataType::Binary && data_type == dictionary() {
                    continue;
                }
                if !reads(&descriptor, group.column(0), &data_type) {
                    let is_delta = group.column(0).encodings().any(|encoding| format!("{encoding}").starts_with("DELTA"));
                    prop_assert!(is_delta || data_type == dictionary(), "{:?}", group.column(0));
                    prop_assert!(decoder(&file, &footer, index, &data_type).is_err());
                    continue;
                }
                let plain = |array: &ArrayRef| match array.as_any_dictionary_opt() {
                    Some(array) => take(array.values(), array.keys(), None).unwrap(),
                    None => Arc::clone(array),
                };
                let mut whole = decoder(&file, &footer, index, &data_type).unwrap();
                let all = whole.read(count, None).unwrap();
                all.to_data().validate_full().unwrap();
                prop_assert_eq!(all.data_type(), &data_type);
                prop_assert_eq!(&plain(&all), &expected);
                prop_assert!(whole.read(1, None).is_err());
                prop_assert!(whole.skip(1).is_err());

                let mut decoder = decoder(&file, &footer, index, &data_type).unwrap();
                let (arrays, read) = read_in_steps(&mut decoder, count, &steps);
                for array in &arrays {
                    array.to_data().validate_full().unwrap();
                }
                if data_type == dictionary() {
                    let same = |array: &ArrayRef| Arc::ptr_eq(array.as_dictionary::<Int32Type>().values(), arrays[0].as_dictionary::<Int32Type>().values());
                    prop_assert!(arrays.iter().all(same));
                }
                if !arrays.is_empty() {
                    let arrays: Vec<ArrayRef> = arrays.iter().map(plain).collect();
                    let arrays = concat(&arrays.iter().map(AsRef::as_ref).collect::<Vec<_>>()).unwrap();
                    prop_assert_eq!(&arrays, &take(&expected, &UInt32Array::from(read), None).unwrap());
                }
            }
        }
    }

    #[test]
    fn damaged_columns_are_arrays_or_an_error(
        kind in 0..KINDS,
        seed in any::<u64>(),
        properties in properties(),
        damages in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let numbers = numbers(seed, 1500, 40);
        let valid: Vec<bool> = numbers.iter().map(|number| seed.is_multiple_of(2) || number % 5 > 0).collect();
        let column = column(kind, &numbers, &valid);
        let file = write(&column, true, properties);
        let footer = footer(&file);
        let data_type = column.data_type();
        let descriptor = footer.file_metadata().schema_descr().column(0);
        for (index, group) in footer.row_groups().iter().enumerate() {
            if !reads(&descriptor, group.column(0), data_type) {
                continue;
            }
            let (begin, length) = group.column(0).byte_range();
            let mut damaged = file.to_vec();
            for (at, byte) in &damages {
                damaged[begin as usize + at.index(length as usize)] = *byte;
            }
            let count = group.num_rows() as usize;
            let mut whole = decoder(&damaged.clone().into(), &footer, index, data_type).unwrap();
            if let Ok(array) = whole.read(count, None) {
                array.to_data().validate_full().unwrap();
            }
            let mut parts = decoder(&damaged.into(), &footer, index, data_type).unwrap();
            let _ = parts.skip(count / 3);
            let wanted: Vec<u32> = (0..count as u32 / 3).step_by(3).collect();
            if let Ok(array) = parts.read(count / 3, Some(&wanted)) {
                array.to_data().validate_full().unwrap();
            }
        }
    }
}

fn dictionary() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

#[test]
fn what_is_wanted_is_in_order_and_inside() {
    let column = column(3, &numbers(1, 100, 50), &[true; 100]);
    let file = write(&column, false, WriterProperties::new());
    let footer = footer(&file);
    for wanted in [&[3, 2][..], &[3, 3], &[10]] {
        assert!(decoder(&file, &footer, 0, &DataType::Int32).unwrap().read(10, Some(wanted)).is_err());
    }
    let mut decoder = decoder(&file, &footer, 0, &DataType::Int32).unwrap();
    assert_eq!(&decoder.read(10, Some(&[])).unwrap(), &column.slice(0, 0));
    assert_eq!(&decoder.read(90, None).unwrap(), &column.slice(10, 90));
    assert_eq!(&decoder.read(0, None).unwrap(), &column.slice(0, 0));
}

#[test]
fn other_types_and_codecs_are_left_to_others() {
    let column = column(17, &numbers(1, 100, 50), &[true; 100]);
    let file = write(&column, false, WriterProperties::new());
    let footer = footer(&file);
    let descriptor = footer.file_metadata().schema_descr().column(0);
    let reads = |data_type| reads(&descriptor, footer.row_group(0).column(0), &data_type);
    assert!(reads(DataType::Decimal128(15, 2)));
    for other in
        [DataType::Decimal128(15, 3), DataType::Timestamp(TimeUnit::Second, None), DataType::Utf8, dictionary()]
    {
        assert!(!reads(other.clone()), "{other}");
        assert!(decoder(&file, &footer, 0, &other).is_err());
    }
    let properties = WriterProperties::builder().set_compression(Compression::LZ4).build();
    let file = write(&column, false, properties);
    let footer = self::footer(&file);
    assert!(!crate::reads(&descriptor, footer.row_group(0).column(0), &DataType::Decimal128(15, 2)));
}

#[test]
fn texts_stay_in_a_dictionary_that_has_all_of_them() {
    let texts: StringArray = (0..4000).map(|row| Some(format!("text {}", row % (row / 40 + 1)))).collect();
    let column: ArrayRef = Arc::new(texts);
    for (limit, has_all) in [(1 << 20, true), (500, false)] {
        let properties = WriterProperties::builder()
            .set_dictionary_page_size_limit(limit)
            .set_data_page_row_count_limit(100)
            .set_write_batch_size(50);
        let file = write(&column, false, properties.build());
        let footer = footer(&file);
        let descriptor = footer.file_metadata().schema_descr().column(0);
        assert!(footer.row_group(0).column(0).dictionary_page_offset().is_some());
        assert_eq!(reads(&descriptor, footer.row_group(0).column(0), &dictionary()), has_all);
        let mut plain = decoder(&file, &footer, 0, &DataType::Utf8).unwrap();
        assert_eq!(&plain.read(4000, None).unwrap(), &column);
        if has_all {
            let mut decoder = decoder(&file, &footer, 0, &dictionary()).unwrap();
            let (none, some) = (decoder.read(2000, Some(&[])).unwrap(), decoder.read(2000, None).unwrap());
            let values = |array: &ArrayRef| Arc::clone(array.as_dictionary::<Int32Type>().values());
            assert!(Arc::ptr_eq(&values(&none), &values(&some)));
            assert_eq!(values(&some).len(), 100);
        }
    }
}

#[test]
fn pages_of_which_nothing_is_wanted_are_not_decompressed() {
    let column = column(4, &numbers(3, 3000, 100_000), &[true; 3000]);
    let properties = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .set_compression(Compression::SNAPPY)
        .set_data_page_row_count_limit(1000)
        .set_write_batch_size(100);
    let file = write(&column, false, properties.build());
    let footer = footer(&file);
    // The middle of the chunk is the second page's.
    let (begin, length) = footer.row_group(0).column(0).byte_range();
    let middle = (begin + length / 2) as usize;
    let mut damaged = file.to_vec();
    damaged[middle - 300..middle + 300].fill(0xff);
    let mut decoder = decoder(&damaged.into(), &footer, 0, &DataType::Int64).unwrap();
    assert_eq!(&decoder.read(1000, None).unwrap(), &column.slice(0, 1000));
    decoder.skip(1000).unwrap();
    assert_eq!(
        &decoder.read(1000, Some(&[0, 999])).unwrap(),
        &take(&column, &UInt32Array::from(vec![2000, 2999]), None).unwrap()
    );
}

#[test]
fn times_of_twelve_bytes_are_read() {
    let times: Vec<Int96> = (0..500_u32)
        .map(|number| {
            let mut time = Int96::new();
            time.set_data(number * 8_000_000, number % 20, 2_440_588 + number % 5 * 300 - 2);
            time
        })
        .collect();
    let schema = Arc::new(parse_message_type("message m { required int96 c; }").unwrap());
    for has_dictionary in [false, true] {
        let properties = WriterProperties::builder().set_dictionary_enabled(has_dictionary).build();
        let mut writer = SerializedFileWriter::new(Vec::new(), Arc::clone(&schema), Arc::new(properties)).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int96Type>().write_batch(&times, None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
        let file: Bytes = writer.into_inner().unwrap().into();
        let footer = footer(&file);
        for unit in [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond] {
            let data_type = DataType::Timestamp(unit, None);
            let expected: Int64Array = times
                .iter()
                .map(|time| match unit {
                    TimeUnit::Second => time.to_seconds(),
                    TimeUnit::Millisecond => time.to_millis(),
                    TimeUnit::Microsecond => time.to_micros(),
                    TimeUnit::Nanosecond => time.to_nanos(),
                })
                .collect();
            let expected = expected.reinterpret(data_type.clone());
            let mut decoder = decoder(&file, &footer, 0, &data_type).unwrap();
            assert_eq!(&decoder.read(400, None).unwrap(), &expected.slice(0, 400));
            assert_eq!(&decoder.read(100, Some(&[99])).unwrap(), &expected.slice(499, 1));
        }
    }
}
