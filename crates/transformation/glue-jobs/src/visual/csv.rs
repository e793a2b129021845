//! What columns CSV files have: those of their first lines, all strings.

use std::io::Write;
use std::sync::Arc;

use boathouse_trino::catalog::TextFormat;
use flate2::write::MultiGzDecoder;
use futures::TryStreamExt;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use super::nodes::{QuoteChar, S3CsvSource, Separator};
use crate::failure::Failure;

/// A first line is no longer than this.
const MAX_HEADER: usize = 1 << 20;

/// How the node's files are cut into values.
pub(super) fn format(node: &S3CsvSource) -> TextFormat {
    let quote = match node.quote_char {
        QuoteChar::Quote => Some(b'"'),
        QuoteChar::SingleQuote => Some(b'\''),
        // The quillemet, which is no ASCII character, has been refused before.
        QuoteChar::Quillemet | QuoteChar::Disabled => None,
    };
    let header = usize::from(node.with_header == Some(true));
    TextFormat {
        delimiter: delimiter(node.separator),
        quote,
        escape: node.escaper.as_deref().and_then(|escaper| escaper.bytes().next()),
        null_text: None,
        skip_lines: header + usize::from(node.skip_first == Some(true)),
        skip_blank_lines: true,
        ..TextFormat::default()
    }
}

fn delimiter(separator: Separator) -> u8 {
    match separator {
        Separator::Comma => b',',
        Separator::Ctrla => 1,
        Separator::Pipe => b'|',
        Separator::Semicolon => b';',
        Separator::Tab => b'\t',
    }
}

/// The names of a file's columns; none for an empty file.
pub(super) async fn header(
    node: &S3CsvSource,
    store: &Arc<dyn ObjectStore>,
    object: &ObjectMeta,
) -> Result<Option<Vec<String>>, Failure> {
    let Some(line) = first_line(store, object).await? else { return Ok(None) };
    let format = format(node);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .delimiter(format.delimiter)
        .quoting(format.quote.is_some())
        .quote(format.quote.unwrap_or(b'"'))
        .from_reader(line.as_slice());
    let record = reader.byte_records().next().transpose();
    let record = record.map_err(|error| Failure::new(format!("{}: {error}", object.location)))?.unwrap_or_default();
    let name = |(index, value): (usize, &[u8])| match node.with_header {
        Some(true) => String::from_utf8_lossy(value).trim_start_matches('\u{feff}').trim().to_owned(),
        _ => format!("col{index}"),
    };
    let names: Vec<String> = record.iter().enumerate().map(name).collect();
    match names.iter().position(String::is_empty) {
        Some(index) => {
            Err(Failure::new(format!("{}: column {} of the header has no name", object.location, index + 1)))
        }
        None => Ok(Some(names)),
    }
}

async fn first_line(store: &Arc<dyn ObjectStore>, object: &ObjectMeta) -> Result<Option<Vec<u8>>, Failure> {
    let zipped = object.location.filename().is_some_and(|name| name.ends_with(".gz"));
    let mut body = store.get(&object.location).await?.into_stream();
    let (mut plain, mut decoder) = (Vec::new(), MultiGzDecoder::new(Vec::new()));
    while let Some(chunk) = body.try_next().await? {
        if zipped {
            let failed = |error| Failure::new(format!("{}: corrupt gzip data: {error}", object.location));
            decoder.write_all(&chunk).and_then(|()| decoder.flush()).map_err(failed)?;
            plain.append(decoder.get_mut());
        } else {
            plain.extend_from_slice(&chunk);
        }
        if let Some(end) = plain.iter().position(|byte| *byte == b'\n') {
            plain.truncate(end);
            break;
        }
        if plain.len() > MAX_HEADER {
            return Err(Failure::new(format!("{}: its first line is longer than {MAX_HEADER} bytes", object.location)));
        }
    }
    if plain.last() == Some(&b'\r') {
        plain.pop();
    }
    Ok((!plain.is_empty()).then_some(plain))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::write::GzEncoder;
    use object_store::PutPayload;
    use object_store::memory::InMemory;
    use object_store::path::Path;
    use serde_json::json;

    use super::*;

    async fn names(options: serde_json::Value, key: &str, body: Vec<u8>) -> Result<Option<Vec<String>>, Failure> {
        let mut node = json!({"Name": "s", "Paths": [], "Separator": "semicolon", "QuoteChar": "quote"});
        node.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        store.put(&Path::from(key), PutPayload::from(body)).await.unwrap();
        let object = store.head(&Path::from(key)).await.unwrap();
        header(&serde_json::from_value(node).unwrap(), &store, &object).await
    }

    #[tokio::test]
    async fn first_lines_name_columns() {
        let body = b"\xef\xbb\xbfId;\"a;b\"\r\n1;2\r\n".to_vec();
        assert_eq!(names(json!({"WithHeader": true}), "a.csv", body.clone()).await.unwrap().unwrap(), ["Id", "a;b"]);
        assert_eq!(names(json!({}), "a.csv", body.clone()).await.unwrap().unwrap(), ["col0", "col1"]);
        let mut zip = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        zip.write_all(&body).unwrap();
        let zipped = zip.finish().unwrap();
        assert_eq!(names(json!({"WithHeader": true}), "a.csv.gz", zipped).await.unwrap().unwrap(), ["Id", "a;b"]);
    }

    #[tokio::test]
    async fn empty_files_have_no_columns() {
        assert_eq!(names(json!({"WithHeader": true}), "a.csv", Vec::new()).await.unwrap(), None);
        assert!(names(json!({"WithHeader": true}), "a.csv", b"a;;b\n".to_vec()).await.is_err());
    }
}
