//! What kind of file is this, and what columns has it?
//!
//! Text is judged by its first mebibyte, as AWS's built-in classifiers do; Parquet and ORC by their footers.

mod csv;
mod json;
mod orc;
mod parquet;

use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use crate::api::CsvClassifier;
use crate::schema::{Column, FileSchema, Format};

/// Stored bytes of a file that are looked at.
const SAMPLE: u64 = 1024 * 1024;
/// Text that a compressed sample may grow to.
const MAX_TEXT: u64 = 16 * SAMPLE;

/// Why a file could not be looked at.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InferError {
    #[error(transparent)]
    Store(#[from] object_store::Error),
    #[error("{path} is not a readable Parquet file: {cause}")]
    Parquet { path: String, cause: ::parquet::errors::ParquetError },
    #[error("{path} is not a readable ORC file: {cause}")]
    Orc { path: String, cause: boathouse_orc::OrcError },
}

/// The schema of a file, or `None` if no classifier recognises it.
pub(crate) async fn file(
    store: &Arc<dyn ObjectStore>,
    file: &ObjectMeta,
    classifiers: &[CsvClassifier],
) -> Result<Option<FileSchema>, InferError> {
    if file.size == 0 {
        return Ok(None);
    }
    let sample = store.get_range(&file.location, 0..file.size.min(SAMPLE)).await?;
    if sample.starts_with(b"PAR1") {
        let (columns, records) = parquet::infer(&**store, file)
            .await
            .map_err(|cause| InferError::Parquet { path: file.location.to_string(), cause })?;
        return Ok(Some(schema(file, Format::Parquet, columns, false, records)));
    }
    if sample.starts_with(boathouse_orc::tail::MAGIC) && orc::is_ended(&**store, file).await? {
        let (columns, records) = orc::infer(&**store, file)
            .await
            .map_err(|cause| InferError::Orc { path: file.location.to_string(), cause })?;
        return Ok(Some(schema(file, Format::Orc, columns, false, records)));
    }
    let gzip = sample.starts_with(&[0x1f, 0x8b]);
    let sampled = sample.len() as u64;
    let text = whole_lines(if gzip { inflate(&sample) } else { sample }, sampled < file.size);
    let Some((format, columns, records)) = text_schema(&text, classifiers) else { return Ok(None) };
    let records = records.saturating_mul(file.size) / sampled.max(1);
    Ok(Some(schema(file, format, columns, gzip, records)))
}

fn schema(file: &ObjectMeta, format: Format, columns: Vec<Column>, gzip: bool, records: u64) -> FileSchema {
    FileSchema { format, columns, gzip, files: 1, bytes: file.size, records }
}

/// Custom classifiers come first, in their order; then JSON, then CSV.
fn text_schema(text: &[u8], classifiers: &[CsvClassifier]) -> Option<(Format, Vec<Column>, u64)> {
    let as_csv = |custom| {
        let sample = csv::infer(text, custom)?;
        Some((Format::Csv(sample.shape), sample.columns, sample.records))
    };
    classifiers
        .iter()
        .find_map(|custom| as_csv(Some(custom)))
        .or_else(|| json::infer(text).map(|(columns, records)| (Format::Json, columns, records)))
        .or_else(|| if is_text(text) { as_csv(None) } else { None })
}

fn is_text(sample: &[u8]) -> bool {
    !sample.iter().any(|&byte| byte < 0x20 && !matches!(byte, b'\n' | b'\r' | b'\t' | 1))
}

/// As much as can be inflated: the sample usually ends in the middle of the stream.
fn inflate(sample: &[u8]) -> Bytes {
    let mut text = Vec::new();
    let mut decoder = MultiGzDecoder::new(sample).take(MAX_TEXT);
    let mut chunk = [0; 64 * 1024];
    while let Ok(read @ 1..) = decoder.read(&mut chunk) {
        text.extend_from_slice(&chunk[..read]);
    }
    text.into()
}

/// Cuts the last line off if the sample ends before the file does. A line may go on within quotes.
fn whole_lines(text: Bytes, cut: bool) -> Bytes {
    let (mut quoted, mut last) = (false, None);
    for (index, byte) in text.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => last = Some(index),
            _ => {}
        }
    }
    match last {
        Some(end) if cut => text.slice(..=end),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::object_store::memory::InMemory;
    use ::object_store::path::Path;

    async fn infer(bytes: &[u8]) -> Option<FileSchema> {
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let path = Path::from("file");
        store.put(&path, Bytes::copy_from_slice(bytes).into()).await.unwrap();
        let meta = store.head(&path).await.unwrap();
        file(&store, &meta, &[]).await.unwrap()
    }

    #[tokio::test]
    async fn formats_are_told_apart() {
        let csv = infer(b"a,b\n1,x\n2,y\n").await.unwrap();
        assert_eq!((csv.format.classification(), csv.records, csv.gzip), ("csv", 2, false));
        assert_eq!(infer(b"{\"a\": 1}\n").await.unwrap().format.classification(), "json");
        assert!(infer(&[0, 1, 2, 3]).await.is_none());
        assert!(infer(b"").await.is_none());
    }

    #[tokio::test]
    async fn gzip_is_looked_into() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, b"a,b\n1,x\n2,y\n").unwrap();
        let csv = infer(&encoder.finish().unwrap()).await.unwrap();
        assert!(csv.gzip);
        assert_eq!(csv.columns.len(), 2);
    }

    #[tokio::test]
    async fn text_that_begins_like_orc_is_text() {
        assert_eq!(infer(b"ORCA,WHALE\n1,2\n3,4\n").await.unwrap().format.classification(), "csv");
        let path = Path::from("broken.orc");
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        store.put(&path, Bytes::from_static(b"ORC\x08\xff\x01\x82\xf4\x03\x03ORC\x0a").into()).await.unwrap();
        let error = file(&store, &store.head(&path).await.unwrap(), &[]).await.unwrap_err();
        assert!(error.to_string().starts_with("broken.orc is not a readable ORC file"), "{error}");
    }

    #[test]
    fn samples_end_with_a_line() {
        let lines = |text: &'static [u8], cut| whole_lines(Bytes::from_static(text), cut);
        assert_eq!(lines(b"a,b\n1,2\n3", true), "a,b\n1,2\n");
        assert_eq!(lines(b"a,b\n1,2\n3", false), "a,b\n1,2\n3");
        assert_eq!(lines(b"a,b\n1,\"x\ny\ny", true), "a,b\n", "the last line is not over within quotes");
    }

    #[tokio::test]
    async fn a_broken_footer_is_an_error() {
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let path = Path::from("broken.parquet");
        store.put(&path, Bytes::from_static(b"PAR1 and then nothing like it").into()).await.unwrap();
        let meta = store.head(&path).await.unwrap();
        let error = file(&store, &meta, &[]).await.unwrap_err();
        assert!(error.to_string().starts_with("broken.parquet is not a readable Parquet file"), "{error}");
    }
}
