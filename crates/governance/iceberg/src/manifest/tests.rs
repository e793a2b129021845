use proptest::prelude::*;

use super::*;
use crate::metadata::{PartitionColumn, PartitionField, PartitionSpec, Snapshot, Summary};
use crate::schema::NestedField;
use crate::transform::Transform;

const TYPES: [PrimitiveType; 8] = [
    PrimitiveType::Int,
    PrimitiveType::Long,
    PrimitiveType::String,
    PrimitiveType::Decimal { precision: 12, scale: 2 },
    PrimitiveType::Date,
    PrimitiveType::Uuid,
    PrimitiveType::Boolean,
    PrimitiveType::Binary,
];

fn columns() -> Vec<PartitionColumn> {
    let column = |(index, ty): (i32, PrimitiveType)| PartitionColumn {
        field_id: 1000 + index,
        source_id: index,
        name: format!("p {index}"),
        transform: Transform::Identity,
        source: ty,
        ty,
    };
    (0..).zip(TYPES).map(column).collect()
}

fn datum(ty: PrimitiveType, seed: i64, text: &str) -> Datum {
    match ty {
        PrimitiveType::Int => Datum::Int(seed as i32),
        PrimitiveType::Long => Datum::Long(seed),
        PrimitiveType::String => Datum::String(text.to_owned()),
        PrimitiveType::Decimal { scale, .. } => Datum::Decimal { unscaled: (seed % 1_000_000_000_000).into(), scale },
        PrimitiveType::Date => Datum::Date(seed as i32),
        PrimitiveType::Uuid => Datum::Uuid([seed as u8; 16]),
        PrimitiveType::Boolean => Datum::Boolean(seed > 0),
        _ => Datum::Binary(text.as_bytes().to_vec()),
    }
}

fn map<T: std::fmt::Debug + Clone + 'static>(
    values: impl Strategy<Value = T>,
) -> impl Strategy<Value = BTreeMap<i32, T>> {
    prop::collection::btree_map(any::<i32>(), values, 0..4)
}

prop_compose! {
    fn some_file()(
        path in ".{0,20}",
        values in prop::collection::vec(prop::option::of((any::<i64>(), ".{0,8}")), TYPES.len()),
        counts in (0..i64::MAX, 0..i64::MAX),
        sizes in (map(any::<i64>()), map(any::<i64>()), map(any::<i64>()), map(any::<i64>())),
        bounds in (map(any::<Vec<u8>>()), map(any::<Vec<u8>>())),
        key_metadata in any::<Option<Vec<u8>>>(),
        split_offsets in prop::collection::vec(any::<i64>(), 0..3),
        sort_order_id in any::<Option<i32>>(),
        avro in any::<bool>(),
    ) -> DataFile {
        let value = |(value, ty): (Option<(i64, String)>, PrimitiveType)| value.map(|(seed, text)| datum(ty, seed, &text));
        DataFile {
            content: DataContent::Data,
            file_path: path,
            file_format: if avro { FileFormat::Avro } else { FileFormat::Parquet },
            spec_id: 3,
            partition: values.into_iter().zip(TYPES).map(value).collect(),
            record_count: counts.0,
            file_size_in_bytes: counts.1,
            column_sizes: sizes.0,
            value_counts: sizes.1,
            null_value_counts: sizes.2,
            nan_value_counts: sizes.3,
            lower_bounds: bounds.0,
            upper_bounds: bounds.1,
            key_metadata,
            split_offsets,
            equality_ids: Vec::new(),
            sort_order_id,
            referenced_data_file: None,
        }
    }
}

fn spec() -> PartitionSpec {
    let field = |column: PartitionColumn| {
        let PartitionColumn { source_id, field_id, name, transform, .. } = column;
        PartitionField { source_id, field_id, name, transform }
    };
    PartitionSpec { spec_id: 3, fields: columns().into_iter().map(field).collect() }
}

fn schema() -> Schema {
    let field = |(id, ty): (i32, PrimitiveType)| NestedField::optional(id, format!("c{id}"), ty);
    Schema::new(0, (0..).zip(TYPES).map(field).collect())
}

fn written(entries: &[ManifestEntry], content: ManifestContent) -> WrittenManifest {
    let (schema, spec, columns) = (schema(), spec(), columns());
    let header = ManifestHeader { schema: &schema, spec: &spec, columns: &columns, content };
    let mut writer = ManifestWriter::new(header, 77);
    entries.iter().for_each(|entry| writer.add(entry).unwrap());
    writer.finish("mem://m".to_owned(), 9).unwrap()
}

proptest! {
    #[test]
    fn manifests_survive(files in prop::collection::vec(some_file(), 0..4)) {
        let entries: Vec<_> = files.into_iter().map(ManifestEntry::added).collect();
        let manifest = written(&entries, ManifestContent::Data);
        let read = read_manifest(&manifest.content, &manifest.file, &columns()).unwrap();
        prop_assert_eq!(read.len(), entries.len());
        for (read, mut entry) in read.into_iter().zip(entries) {
            entry.inherit(&manifest.file);
            prop_assert_eq!(entry.sequence_number, Some(9));
            prop_assert_eq!(read, entry);
        }
    }
}

proptest! {
    #[test]
    fn any_records_are_entries_or_errors(mut records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..3)) {
        // Texts are short: bytes from outside are lengths more often than not.
        records.iter_mut().flatten().for_each(|byte| *byte %= if *byte < 200 { 6 } else { 255 });
        let list = crate::avro::container(&super::columns::list_schema(), &[], &records).unwrap();
        let _ = read_list(&list);
        let manifest = written(&[], ManifestContent::Data);
        let entry = ManifestEntry::added(DataFile { partition: vec![None; TYPES.len()], ..DataFile::default() });
        let schema = crate::avro::schema_of(&written(&[entry], ManifestContent::Data).content);
        let content = crate::avro::container(&schema, &[], &records).unwrap();
        let _ = read_manifest(&content, &manifest.file, &columns());
    }

    #[test]
    fn damaged_manifests_are_errors(file in some_file(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let manifest = written(&[ManifestEntry::added(file)], ManifestContent::Data);
        let mut bytes = manifest.content.clone();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = read_manifest(&bytes, &manifest.file, &columns());
        let _ = read_list(&bytes);
        let _ = read_manifest(&bytes[..at], &manifest.file, &columns());
    }
}

#[test]
fn lists_survive_and_describe_their_manifests() {
    let file = |day, records| DataFile {
        file_path: format!("mem://{day}"),
        spec_id: 3,
        record_count: records,
        partition: columns().iter().map(|column| (day > 0).then(|| datum(column.ty, day, "x"))).collect(),
        ..DataFile::default()
    };
    let old = ManifestEntry {
        status: Status::Existing,
        snapshot_id: Some(5),
        sequence_number: Some(2),
        file_sequence_number: Some(2),
        data_file: file(4, 10),
    };
    let gone = ManifestEntry { status: Status::Deleted, sequence_number: Some(1), ..old.clone() };
    let manifest = written(
        &[ManifestEntry::added(file(0, 3)), old, gone, ManifestEntry::added(file(9, 4))],
        ManifestContent::Data,
    )
    .file;
    assert_eq!((manifest.added_files_count, manifest.existing_files_count, manifest.deleted_files_count), (2, 1, 1));
    assert_eq!((manifest.added_rows_count, manifest.existing_rows_count), (7, 10));
    assert_eq!((manifest.sequence_number, manifest.min_sequence_number), (9, 2));
    let first = &manifest.partitions[0];
    assert!(first.contains_null);
    assert_eq!(first.lower_bound, Some(4_i32.to_le_bytes().to_vec()));
    assert_eq!(first.upper_bound, Some(9_i32.to_le_bytes().to_vec()));

    let snapshot = Snapshot {
        snapshot_id: 77,
        parent_snapshot_id: Some(5),
        sequence_number: 9,
        timestamp_ms: 0,
        manifest_list: String::new(),
        summary: Summary::default(),
        schema_id: None,
    };
    let list = write_list(&snapshot, std::slice::from_ref(&manifest)).unwrap();
    assert_eq!(read_list(&list).unwrap(), [manifest]);
}

#[test]
fn files_of_deletes_have_manifests_of_their_own() {
    let (schema, spec, columns) = (schema(), spec(), columns());
    let header = ManifestHeader { schema: &schema, spec: &spec, columns: &columns, content: ManifestContent::Data };
    let mut writer = ManifestWriter::new(header, 1);
    let partition: Vec<Option<Datum>> = columns.iter().map(|_| None).collect();
    let deletes =
        DataFile { content: DataContent::EqualityDeletes, partition: partition.clone(), ..DataFile::default() };
    assert!(writer.add(&ManifestEntry::added(deletes)).is_err());
    assert!(writer.add(&ManifestEntry::added(DataFile::default())).is_err(), "values of the partition are missing");
    let rows = DataFile { partition, ..DataFile::default() };
    assert!(writer.add(&ManifestEntry { status: Status::Existing, ..ManifestEntry::added(rows.clone()) }).is_err());
    assert!(writer.add(&ManifestEntry::added(rows)).is_ok());
}

#[test]
fn bounds_are_cut_to_both_sides() {
    let text = |text: &str| Datum::String(text.to_owned());
    let long = "abcdefghijklmnopqrst";
    assert_eq!(lower_bound(&text(long)), b"abcdefghijklmnop");
    assert_eq!(upper_bound(&text(long)), Some(b"abcdefghijklmnoq".to_vec()));
    assert_eq!(upper_bound(&text("short")), Some(b"short".to_vec()));
    assert_eq!(upper_bound(&text(&"\u{10ffff}".repeat(20))), None);
    assert_eq!(upper_bound(&Datum::Binary(vec![255; 20])), None);
    assert_eq!(upper_bound(&Datum::Int(5)), Some(vec![5, 0, 0, 0]));
}
