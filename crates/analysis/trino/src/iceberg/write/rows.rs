//! Rows as files of ORC and Avro, with what Iceberg wants to stand in them ("Appendix A: Format-specific Requirements").

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use boathouse_iceberg::manifest::FileFormat;
use boathouse_iceberg::rows;
use boathouse_iceberg::schema::{NestedField, PrimitiveType, Type as IcebergType};
use boathouse_orc::proto::StringPair;
use boathouse_trino_functions::error::TrinoError;
use boathouse_trino_functions::types::{RowField, Type};

use super::super::convert;
use super::super::labels::ORC_ID;
use super::super::types::{file_field, of_primitive};
use crate::error::internal;
use crate::write::Compression;
use crate::write::avro::AvroFile;
use crate::write::orc::{Measured, OrcFile};

/// A file whose bytes are taken as they come.
pub(crate) enum Rows {
    /// Apache ORC.
    Orc { file: Box<OrcFile>, schema: SchemaRef },
    /// Apache Avro.
    Avro { file: Box<AvroFile>, schema: SchemaRef },
}

impl Rows {
    /// A file of rows with these columns.
    pub(crate) fn new(
        format: FileFormat,
        columns: &[NestedField],
        compression: Compression,
    ) -> Result<Self, TrinoError> {
        let fields = columns.iter().map(file_field);
        match format {
            FileFormat::Orc => {
                let schema = Arc::new(Schema::new(fields.map(|field| orc_field(&field)).collect::<Vec<_>>()));
                let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
                let types = columns.iter().map(|column| orc_type(&column.ty)).collect();
                let mut attributes = vec![Vec::new()];
                for column in columns {
                    describe(&mut attributes, column.id, column.required, &column.ty);
                }
                let file = OrcFile::described(Arc::clone(&schema), &names, types, attributes, compression)?;
                Ok(Self::Orc { file: Box::new(file), schema })
            }
            FileFormat::Avro => {
                let schema = Schema::new(fields.map(|field| avro_field(&field)).collect::<Vec<_>>());
                let described = rows::schema(columns).to_string();
                let file = AvroFile::described(schema.clone(), &described, compression)?;
                Ok(Self::Avro { file: Box::new(file), schema: Arc::new(schema) })
            }
            other => Err(internal(format!("rows are not written as {}", other.name()))),
        }
    }

    /// Adds rows as data files hold them, and gives the bytes that are ready.
    pub(crate) fn write(&mut self, stored: &RecordBatch) -> Result<Vec<u8>, TrinoError> {
        let (Self::Orc { schema, .. } | Self::Avro { schema, .. }) = self;
        let columns = stored.columns().iter().zip(schema.fields());
        let columns = columns.map(|(column, field)| convert::by_place(column, field.data_type()));
        let rows = RecordBatch::try_new(Arc::clone(schema), columns.collect::<Result<Vec<_>, _>>()?)?;
        match self {
            Self::Orc { file, .. } => file.write(&rows),
            Self::Avro { file, .. } => file.write(&rows),
        }
    }

    /// How many bytes wait in memory.
    pub(crate) fn memory(&self) -> usize {
        match self {
            Self::Orc { file, .. } => file.memory(),
            Self::Avro { .. } => 0,
        }
    }

    /// Gives up what waits in memory, as far as the format allows.
    pub(crate) fn flush(&mut self) -> Result<Vec<u8>, TrinoError> {
        match self {
            Self::Orc { file, .. } => file.flush(),
            Self::Avro { .. } => Ok(Vec::new()),
        }
    }

    /// What is left, and what the file holds, if its format tells.
    pub(crate) fn finish(self) -> Result<(Vec<u8>, Option<Measured>), TrinoError> {
        match self {
            Self::Orc { mut file, .. } => {
                let mut bytes = file.flush()?;
                let measured = file.measured();
                bytes.extend(file.finish()?);
                Ok((bytes, Some(measured)))
            }
            Self::Avro { file, .. } => Ok((file.finish()?, None)),
        }
    }
}

/// A field with other types wherever single values are.
fn field_of(field: &Field, leaf: &impl Fn(&DataType) -> DataType) -> Field {
    let inner = |field: &FieldRef| Arc::new(field_of(field, leaf));
    let ty = match field.data_type() {
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inner).collect()),
        DataType::List(element) => DataType::List(inner(element)),
        DataType::Map(entries, sorted) => DataType::Map(inner(entries), *sorted),
        other => leaf(other),
    };
    Field::new(field.name(), ty, field.is_nullable())
}

/// ORC has bytes of any number only, and no times.
fn orc_field(field: &Field) -> Field {
    field_of(field, &|ty| match ty {
        DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Time64(_) => DataType::Int64,
        other => other.clone(),
    })
}

/// Avro's names are narrower, its timestamps are instants for the library, and its maps have texts as keys.
fn avro_field(field: &Field) -> Field {
    let field = field_of(field, &|ty| match ty {
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into()))
        }
        other => other.clone(),
    });
    named_for_avro(&field)
}

fn named_for_avro(field: &Field) -> Field {
    let inner = |field: &FieldRef| Arc::new(named_for_avro(field));
    let ty = match field.data_type() {
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inner).collect()),
        DataType::List(element) => DataType::List(inner(element)),
        DataType::Map(entries, sorted) => {
            let entries = inner(entries);
            let has_text_keys = match entries.data_type() {
                DataType::Struct(pair) => pair.first().is_some_and(|key| *key.data_type() == DataType::Utf8),
                _ => true,
            };
            if has_text_keys { DataType::Map(entries, *sorted) } else { DataType::List(entries) }
        }
        other => other.clone(),
    };
    Field::new(rows::name(field.name()), ty, field.is_nullable())
}

/// How a column is written in ORC, in the words of queries.
fn orc_type(ty: &IcebergType) -> Type {
    match ty {
        IcebergType::Primitive(PrimitiveType::Uuid) => Type::Varbinary,
        IcebergType::Primitive(PrimitiveType::Time) => Type::Bigint,
        IcebergType::Primitive(primitive) => of_primitive(*primitive),
        IcebergType::Struct(inner) => {
            let field = |field: &NestedField| RowField { name: Some(field.name.clone()), ty: orc_type(&field.ty) };
            Type::Row(inner.fields.iter().map(field).collect())
        }
        IcebergType::List(list) => Type::array(orc_type(&list.element)),
        IcebergType::Map(map) => Type::map(orc_type(&map.key), orc_type(&map.value)),
    }
}

/// What stands in ORC's types, a parent before its children.
fn describe(all: &mut Vec<Vec<StringPair>>, id: i32, required: bool, ty: &IcebergType) {
    let pair = |key: &str, value: String| StringPair { key: Some(key.to_owned()), value: Some(value) };
    let mut attributes = vec![pair(ORC_ID, id.to_string()), pair("iceberg.required", required.to_string())];
    if let IcebergType::Primitive(ty) = ty {
        match ty {
            PrimitiveType::Time => attributes.push(pair("iceberg.long-type", "TIME".to_owned())),
            PrimitiveType::Long => attributes.push(pair("iceberg.long-type", "LONG".to_owned())),
            PrimitiveType::Uuid => attributes.push(pair("iceberg.binary-type", "UUID".to_owned())),
            PrimitiveType::Binary => attributes.push(pair("iceberg.binary-type", "BINARY".to_owned())),
            PrimitiveType::Fixed(length) => {
                attributes.push(pair("iceberg.binary-type", "FIXED".to_owned()));
                attributes.push(pair("iceberg.length", length.to_string()));
            }
            PrimitiveType::Timestamp | PrimitiveType::Timestamptz => {
                attributes.push(pair("iceberg.timestamp-unit", "MICROS".to_owned()));
            }
            _ => {}
        }
    }
    all.push(attributes);
    match ty {
        IcebergType::Primitive(_) => {}
        IcebergType::Struct(inner) => {
            inner.fields.iter().for_each(|field| describe(all, field.id, field.required, &field.ty));
        }
        IcebergType::List(list) => describe(all, list.element_id, list.element_required, &list.element),
        IcebergType::Map(map) => {
            describe(all, map.key_id, true, &map.key);
            describe(all, map.value_id, map.value_required, &map.value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::types::{from_hive, from_trino, id_of};
    use super::*;

    #[test]
    fn attributes_stand_in_the_order_of_types() {
        let (ty, _) = from_hive("map<int,struct<a:bigint,b:array<timestamp>>>").unwrap().with_fresh_ids(1);
        let mut all = Vec::new();
        describe(&mut all, 1, true, &ty);
        let ids: Vec<&str> = all.iter().map(|attributes| attributes[0].value()).collect();
        assert_eq!(ids, ["1", "2", "3", "4", "5", "6"]);
        assert_eq!(all[0][1].value(), "true");
        assert_eq!((all[3][2].key(), all[5][2].value()), ("iceberg.long-type", "MICROS"));
    }

    #[test]
    fn types_that_formats_lack_become_others() {
        let row = "row(u uuid, t time(6), z timestamp(6) with time zone, m map(bigint, uuid))";
        let (ty, _) = from_trino(&Type::parse_trino(row).unwrap()).unwrap().with_fresh_ids(1);
        let Type::Row(written) = orc_type(&ty) else { panic!("{ty:?}") };
        assert_eq!((&written[0].ty, &written[1].ty), (&Type::Varbinary, &Type::Bigint));
        let field = file_field(&NestedField::optional(1, "a b", ty));
        assert_eq!(id_of(&field), Some(1));
        let DataType::Struct(fields) = orc_field(&field).data_type().clone() else { panic!("{field:?}") };
        assert_eq!((fields[0].data_type(), fields[1].data_type()), (&DataType::Binary, &DataType::Int64));
        let avro = avro_field(&field);
        assert_eq!(avro.name(), "a_x20b");
        let DataType::Struct(fields) = avro.data_type() else { panic!("{avro:?}") };
        assert!(matches!(fields[3].data_type(), DataType::List(_)));
    }

    #[test]
    fn rows_are_written_with_their_ids() {
        use arrow::array::{ArrayRef, Int64Array, StringArray};
        let columns = [
            NestedField::required(7, "a b", PrimitiveType::Long),
            NestedField::optional(9, "t", PrimitiveType::String),
        ];
        let schema = Arc::new(Schema::new(columns.iter().map(file_field).collect::<Vec<_>>()));
        let values: Vec<ArrayRef> =
            vec![Arc::new(Int64Array::from(vec![1, 2])), Arc::new(StringArray::from(vec![Some("x"), None]))];
        let batch = RecordBatch::try_new(schema, values).unwrap();
        for (format, codec) in [
            (FileFormat::Orc, Compression::Zlib),
            (FileFormat::Avro, Compression::Deflate),
            (FileFormat::Avro, Compression::None),
        ] {
            let mut file = Rows::new(format, &columns, codec).unwrap();
            let mut bytes = file.write(&batch).unwrap();
            bytes.extend(file.flush().unwrap());
            let (rest, measured) = file.finish().unwrap();
            bytes.extend(rest);
            assert_eq!(measured.is_some(), format == FileFormat::Orc);
            let read = crate::scan::whole(format, bytes.into()).unwrap();
            assert_eq!(read.iter().map(RecordBatch::num_rows).sum::<usize>(), 2);
            let ids: Vec<_> = read[0].schema_ref().fields().iter().map(|field| id_of(field)).collect();
            assert_eq!(ids, [Some(7), Some(9)], "{format:?}");
        }
        assert!(Rows::new(FileFormat::Puffin, &columns, Compression::None).is_err());
    }
}
