//! Random schemas and values through every writer and back through its reader.

use std::sync::Arc;

use boathouse_trino_functions::types::{RowField, Type};
use proptest::prelude::*;

use super::fixture::{Fixture, parsed};
use crate::catalog::{AvroFormat, Format, JsonFormat, TextFormat};
use crate::write::{Begun, Compression, MAX_PARTITIONS, WriteFormat, WriteTarget};

/// A type and literals of it, in SQL.
type Samples = (Type, Vec<String>);

fn scalars() -> impl Strategy<Value = Samples> {
    let samples = |ty, texts: &[&str]| (ty, texts.iter().map(|text| (*text).to_owned()).collect());
    prop::sample::select(vec![
        samples(Type::Boolean, &["true", "false"]),
        samples(Type::Tinyint, &["TINYINT '-128'", "TINYINT '127'"]),
        samples(Type::Smallint, &["SMALLINT '-32768'", "SMALLINT '7'"]),
        samples(Type::Integer, &["0", "-2147483648", "2147483647"]),
        samples(Type::Bigint, &["BIGINT '-9223372036854775808'", "BIGINT '9223372036854775807'"]),
        samples(Type::Real, &["REAL '1.5'", "REAL '-0.25'"]),
        samples(Type::Double, &["1e300", "-0.1e0", "1e0"]),
        samples(Type::Decimal(9, 2), &["DECIMAL '1234567.89'", "DECIMAL '-0000000.01'"]),
        samples(Type::Decimal(38, 10), &["DECIMAL '1234567890123456789012345678.0123456789'"]),
        samples(Type::VARCHAR, &["'plain'", "'größer, \"quoted\"'", "'  spaces  '"]),
        samples(Type::Varbinary, &["X'00ff10'", "X'61'"]),
        samples(Type::Date, &["DATE '1970-01-01'", "DATE '1582-10-15'", "DATE '2999-12-31'"]),
        samples(Type::Timestamp(3), &["TIMESTAMP '2024-02-29 12:30:00.123'", "TIMESTAMP '1969-12-31 23:59:58.999'"]),
    ])
}

/// Types up to three levels deep.
fn types() -> impl Strategy<Value = Samples> {
    scalars().prop_recursive(2, 8, 3, |inner| {
        let list = inner.clone().prop_map(|(ty, texts)| {
            let texts = vec![format!("ARRAY[{}]", texts.join(", ")), format!("ARRAY[NULL, {}]", texts[0])];
            (Type::array(ty), texts)
        });
        let map = inner.clone().prop_map(|(ty, texts)| {
            let texts = vec![
                format!("MAP(ARRAY['k', 'l'], ARRAY[{0}, NULL])", texts[0]),
                format!("MAP(ARRAY['x'], ARRAY[{}])", texts[0]),
            ];
            (Type::map(Type::VARCHAR, ty), texts)
        });
        let row = (inner.clone(), inner).prop_map(|((one, ones), (other, others))| {
            let field = |name: &str, ty| RowField { name: Some(name.to_owned()), ty };
            let texts = vec![format!("ROW({}, {})", ones[0], others[0]), format!("ROW(NULL, {})", others[0])];
            (Type::Row(Arc::from([field("f", one), field("g", other)])), texts)
        });
        prop_oneof![list, map, row]
    })
}

pub(super) fn target(name: &str, format: WriteFormat, compression: Compression) -> WriteTarget {
    WriteTarget {
        location: format!("s3://lake/{name}/"),
        format,
        compression,
        columns: None,
        partition_keys: 0,
        known_partitions: Vec::new(),
        max_new_partitions: MAX_PARTITIONS,
        file_prefix: None,
        buckets: None,
        begun: Begun::default(),
    }
}

/// A query of one row for each literal and one of NULLs, in the columns' types.
fn query(columns: &[Samples]) -> String {
    let rows = columns.iter().map(|(_, texts)| texts.len()).max().unwrap_or(0);
    let row = |index: usize| {
        let value = |(at, (ty, texts)): (usize, &Samples)| {
            let text = texts.get(index).map_or("NULL", String::as_str);
            format!("CAST({text} AS {ty}) AS c{at}")
        };
        format!("SELECT {index} AS id, {}", columns.iter().enumerate().map(value).collect::<Vec<_>>().join(", "))
    };
    (0..=rows).map(row).collect::<Vec<_>>().join(" UNION ALL ")
}

async fn comes_back(columns: &[Samples]) {
    let fixture = Fixture::new();
    let sql = query(columns);
    let expected = fixture.sorted(&sql).await;
    let text = TextFormat { escape: Some(b'\\'), ..TextFormat::default() };
    let formats = [
        ("parquet", WriteFormat::Parquet, Compression::Snappy, Format::Parquet),
        ("avro", WriteFormat::Avro, Compression::Deflate, Format::Avro(AvroFormat::default())),
        ("orc", WriteFormat::Orc, Compression::Lz4, Format::Orc),
        ("json", WriteFormat::Json, Compression::Zstd, Format::Json(JsonFormat::default())),
        ("text", WriteFormat::Text(text.clone()), Compression::Bzip2, Format::Text(text)),
    ];
    let named: Vec<(String, String)> =
        columns.iter().enumerate().map(|(at, (ty, _))| (format!("c{at}"), ty.to_string())).collect();
    let id = [("id", "integer")];
    let table: Vec<(&str, &str)> =
        id.into_iter().chain(named.iter().map(|(name, ty)| (name.as_str(), ty.as_str()))).collect();
    for (name, write, compression, read) in formats {
        let written = fixture.engine.write(&fixture.session, &parsed(&sql), target(name, write, compression)).await;
        assert_eq!(written.unwrap().rows as usize, expected.len(), "{name}");
        fixture.table(name, &table, &[], read);
        assert_eq!(fixture.sorted(&format!("SELECT * FROM {name}")).await, expected, "{name}: {sql}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_written_is_read(columns in prop::collection::vec(types(), 1..5)) {
        tokio::runtime::Runtime::new().unwrap().block_on(comes_back(&columns));
    }
}
