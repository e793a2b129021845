//! Measures how long each column of a Parquet file takes to decode, here and by the `parquet` crate, in processor time:
//! `cargo run --release --example decode_columns -p boathouse-parquet -- FILE`.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, Schema};
use boathouse_parquet::{ColumnDecoder, reads};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::arrow::{ProjectionMask, parquet_to_arrow_schema};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

/// As in the server.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const BATCH: usize = 8192;
const ROUNDS: usize = 5;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// How long this thread has been on a processor.
#[allow(unsafe_code, reason = "asks the system's clock of the thread")]
fn now() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the time is ours to write.
    assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) }, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The shortest of a few rounds, in milliseconds.
fn measure(mut round: impl FnMut() -> Outcome) -> Outcome<f64> {
    let mut shortest = f64::INFINITY;
    for _ in 0..ROUNDS {
        let begun = now();
        round()?;
        shortest = shortest.min((now() - begun).as_secs_f64() * 1e3);
    }
    Ok(shortest)
}

/// Decodes a column; of each batch every so-manieth row.
fn ours(
    file: &Bytes,
    footer: &ParquetMetaData,
    column: usize,
    data_type: &DataType,
    every: usize,
    mut take: impl FnMut(ArrayRef),
) -> Outcome {
    let descriptor = footer.file_metadata().schema_descr().column(column);
    for group in footer.row_groups() {
        let chunk = group.column(column);
        let (begin, length) = chunk.byte_range();
        let bytes = file.slice(begin as usize..(begin + length) as usize);
        let mut decoder = ColumnDecoder::new(bytes, &descriptor, chunk, data_type)?;
        let mut left = group.num_rows() as usize;
        while left > 0 {
            let rows = left.min(BATCH);
            let wanted: Vec<u32> = (0..rows as u32).step_by(every).collect();
            take(decoder.read(rows, (every > 1).then_some(&wanted))?);
            left -= rows;
        }
    }
    Ok(())
}

fn theirs(file: &Bytes, metadata: &ArrowReaderMetadata, column: usize, mut take: impl FnMut(ArrayRef)) -> Outcome {
    let mask = ProjectionMask::leaves(metadata.metadata().file_metadata().schema_descr(), [column]);
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file.clone(), metadata.clone());
    for batch in builder.with_projection(mask).with_batch_size(BATCH).build()? {
        take(Arc::clone(batch?.column(0)));
    }
    Ok(())
}

/// Reads a column in both ways and says whether they agree. Their batches go on from one row group to the next.
fn agree(file: &Bytes, metadata: &ArrowReaderMetadata, column: usize, data_type: &DataType) -> Outcome<bool> {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    ours(file, metadata.metadata(), column, data_type, 1, |array| left.push(array))?;
    theirs(file, metadata, column, |array| right.push(array))?;
    let whole = |arrays: &[ArrayRef]| -> Outcome<ArrayRef> {
        let plain = match data_type {
            DataType::Dictionary(_, value) => value,
            other => other,
        };
        let plain: Vec<_> = arrays.iter().map(|array| arrow::compute::cast(array, plain)).collect::<Result<_, _>>()?;
        let parts: Vec<_> = plain.iter().map(AsRef::as_ref).collect();
        Ok(arrow::compute::concat(&parts)?)
    };
    Ok(whole(&left)? == whole(&right)?)
}

fn main() -> Outcome {
    let path = std::env::args().nth(1).ok_or("the path of a Parquet file is missing")?;
    let only = std::env::args().nth(2);
    let file = Bytes::from(std::fs::read(path)?);
    let footer = ParquetMetaDataReader::new().parse_and_finish(&file)?;
    let described = footer.file_metadata();
    let schema = parquet_to_arrow_schema(described.schema_descr(), described.key_value_metadata())?;
    println!("| column | type | here, ms | 1 of 10 rows | 1 of 100 | parquet crate, ms | ratio |");
    println!("|---|---|---:|---:|---:|---:|---:|");
    let (mut here, mut there) = (0.0, 0.0);
    for (column, field) in schema.fields().iter().enumerate() {
        if only.as_ref().is_some_and(|only| only != field.name()) {
            continue;
        }
        let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        let plain = match field.data_type() {
            DataType::Utf8View => DataType::Utf8,
            other => other.clone(),
        };
        for data_type in [plain, dictionary] {
            let descriptor = described.schema_descr().column(column);
            let is_read =
                |data_type| footer.row_groups().iter().all(|group| reads(&descriptor, group.column(column), data_type));
            if !is_read(&data_type) {
                continue;
            }
            let is_other = matches!(data_type, DataType::Dictionary(..));
            let fields = schema.fields().iter().enumerate().map(|(at, field)| match at == column {
                true => Arc::new(Field::clone(field).with_data_type(data_type.clone())),
                false => Arc::clone(field),
            });
            let options = ArrowReaderOptions::new().with_schema(Arc::new(Schema::new(fields.collect::<Vec<_>>())));
            let metadata = ArrowReaderMetadata::try_new(Arc::new(footer.clone()), options)?;
            assert!(agree(&file, &metadata, column, &data_type)?, "{} differs", field.name());
            let own = |every| measure(|| ours(&file, &footer, column, &data_type, every, drop));
            let (all, tenth, hundredth) = (own(1)?, own(10)?, own(100)?);
            let other = measure(|| theirs(&file, &metadata, column, drop))?;
            if !is_other {
                (here, there) = (here + all, there + other);
            }
            let name = field.name();
            println!(
                "| {name} | {data_type} | {all:.1} | {tenth:.1} | {hundredth:.1} | {other:.1} | {:.2} |",
                other / all
            );
        }
    }
    println!("| all | | {here:.1} | | | {there:.1} | {:.2} |", there / here);
    Ok(())
}
