//! The pages of a Parquet column of any bytes are arrays or an error, whatever the footer says of them.
#![no_main]

use std::sync::Arc;

use arrow::datatypes::DataType;
use boathouse_parquet::{ColumnDecoder, reads};
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use parquet::basic::{Compression, ConvertedType, Encoding, Repetition, Type as Physical};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::schema::types::{ColumnDescriptor, ColumnPath, Type};

fn column(physical: Physical, converted: ConvertedType, is_optional: bool) -> ColumnDescriptor {
    let repetition = if is_optional { Repetition::OPTIONAL } else { Repetition::REQUIRED };
    let column = Type::primitive_type_builder("c", physical)
        .with_repetition(repetition)
        .with_converted_type(converted)
        .with_length(5)
        .with_precision(9)
        .with_scale(2)
        .build()
        .expect("a column's type");
    ColumnDescriptor::new(Arc::new(column), i16::from(is_optional), 0, ColumnPath::new(vec!["c".to_owned()]))
}

fuzz_target!(|bytes: &[u8]| {
    let Some(([kind, codec, step], bytes)) = bytes.split_first_chunk::<3>() else { return };
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let (physical, converted, data_type) = match kind % 10 {
        0 => (Physical::BOOLEAN, ConvertedType::NONE, DataType::Boolean),
        1 => (Physical::INT32, ConvertedType::NONE, DataType::Int32),
        2 => (Physical::INT64, ConvertedType::DECIMAL, DataType::Decimal128(9, 2)),
        3 => (Physical::DOUBLE, ConvertedType::NONE, DataType::Float64),
        4 => (Physical::BYTE_ARRAY, ConvertedType::UTF8, DataType::Utf8),
        5 => (Physical::BYTE_ARRAY, ConvertedType::NONE, DataType::Binary),
        6 => (Physical::BYTE_ARRAY, ConvertedType::DECIMAL, DataType::Decimal128(9, 2)),
        7 => (Physical::FIXED_LEN_BYTE_ARRAY, ConvertedType::NONE, DataType::FixedSizeBinary(5)),
        8 => (Physical::FIXED_LEN_BYTE_ARRAY, ConvertedType::DECIMAL, DataType::Decimal128(9, 2)),
        _ => (Physical::BYTE_ARRAY, ConvertedType::UTF8, dictionary),
    };
    let codec = match codec % 5 {
        0 => Compression::UNCOMPRESSED,
        1 => Compression::SNAPPY,
        2 => Compression::GZIP(Default::default()),
        3 => Compression::LZ4_RAW,
        _ => Compression::ZSTD(Default::default()),
    };
    let descriptor = Arc::new(column(physical, converted, kind >= &128));
    let chunk = ColumnChunkMetaData::builder(Arc::clone(&descriptor))
        .set_compression(codec)
        .set_encodings(vec![Encoding::PLAIN_DICTIONARY, Encoding::RLE])
        .set_num_values(10_000)
        .set_total_uncompressed_size(1 << 20)
        .set_dictionary_page_offset(Some(4))
        .build()
        .expect("a chunk");
    assert!(reads(&descriptor, &chunk, &data_type));
    let bytes = Bytes::copy_from_slice(bytes);
    let decoder = || ColumnDecoder::new(bytes.clone(), &descriptor, &chunk, &data_type).expect("it is read");
    let mut whole = decoder();
    while let Ok(array) = whole.read(usize::from(*step) * 8 + 1, None) {
        array.to_data().validate_full().expect("an array that makes sense");
    }
    let mut parts = decoder();
    let wanted: Vec<u32> = (0..500).step_by(usize::from(*step) + 1).collect();
    while let Ok(array) = parts.read(500, Some(&wanted)) {
        array.to_data().validate_full().expect("an array that makes sense");
        if parts.skip(usize::from(*step)).is_err() {
            break;
        }
    }
});
