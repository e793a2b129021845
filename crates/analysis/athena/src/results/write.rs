//! Writing results: rows as CSV, lines as text, manifests of written files.

use arrow::array::RecordBatch;
use boathouse_trino::engine::Column;
use boathouse_trino_functions::types::Type;
use futures::{Stream, StreamExt};
use tokio::io::AsyncWriteExt;

use super::columns::{ColumnInfo, ResultMetadata};
use super::csv;
use crate::executions::failure::Failure;
use crate::files::{Files, Place};

/// Text that is gathered before it goes to the object's writer.
const PIECE: usize = 256 * 1024;

/// How large a result became.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
}

/// Writes rows as they come.
pub(crate) async fn rows(
    files: &Files,
    place: &Place,
    columns: &[Column],
    mut batches: impl Stream<Item = Result<RecordBatch, Failure>> + Unpin,
) -> Result<Size, Failure> {
    let types: Vec<Type> = columns.iter().map(|column| csv::shown(&column.ty)).collect();
    let mut writer = files.writer(place)?;
    let mut size = Size::default();
    let mut text = String::new();
    csv::write_header(&mut text, columns.iter().map(|column| column.name.as_str()));
    let outcome = loop {
        let Some(batch) = batches.next().await else { break Ok(()) };
        let batch = match batch {
            Ok(batch) => batch,
            Err(failure) => break Err(failure),
        };
        csv::write_batch(&mut text, &batch, &types);
        size.rows += batch.num_rows() as u64;
        if text.len() >= PIECE {
            size.bytes += text.len() as u64;
            if let Err(error) = writer.write_all(text.as_bytes()).await {
                break Err(of_io(error));
            }
            text.clear();
        }
    };
    if let Err(failure) = outcome {
        // Best effort: an upload that is not completed never becomes an object.
        let _ = writer.abort().await;
        return Err(failure);
    }
    size.bytes += text.len() as u64;
    let info = columns.iter().map(|column| ColumnInfo::new(&column.name, &column.ty)).collect();
    let rest = async {
        writer.write_all(text.as_bytes()).await?;
        writer.shutdown().await
    };
    // Side by side, both wait for the same sync of the disk.
    let (written, described) = futures::join!(rest, metadata(files, place, info));
    written.map_err(of_io)?;
    described?;
    Ok(size)
}

/// Writes the lines of a statement on the catalog.
pub(crate) async fn lines(
    files: &Files,
    place: &Place,
    columns: Vec<ColumnInfo>,
    lines: &[String],
) -> Result<Size, Failure> {
    let mut text = String::new();
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
    let size = Size { rows: lines.len() as u64, bytes: text.len() as u64 };
    futures::try_join!(files.put(place, text), metadata(files, place, columns))?;
    Ok(size)
}

/// Writes the names of written files, one in each line; says where.
pub(crate) async fn manifest(files: &Files, place: &Place, written: &[String]) -> Result<String, Failure> {
    let manifest = place.with_suffix("-manifest.csv");
    files.put(&manifest, written.iter().map(|file| format!("{file}\n")).collect::<String>()).await?;
    let rows = ColumnInfo::new("rows", &Type::Bigint);
    metadata(files, place, vec![rows]).await?;
    Ok(manifest.to_string())
}

async fn metadata(files: &Files, place: &Place, columns: Vec<ColumnInfo>) -> Result<(), Failure> {
    let content = serde_json::to_vec(&ResultMetadata::new(columns))
        .map_err(|error| Failure::system(format!("GENERIC_INTERNAL_ERROR: {error}")))?;
    files.put(&place.with_suffix(".metadata"), content).await
}

/// The object store's own error travels inside the writer's.
fn of_io(error: std::io::Error) -> Failure {
    let message = error.to_string();
    match error.into_inner().map(|inner| inner.downcast::<object_store::Error>()) {
        Some(Ok(inner)) => Failure::from(*inner),
        _ => Failure::system(format!("GENERIC_INTERNAL_ERROR: the result can't be written: {message}")),
    }
}
