//! How a table's data is partitioned.

use serde::{Deserialize, Serialize};

use super::TableMetadata;
use crate::error::{Error, Result};
use crate::schema::{PrimitiveType, Schema};
use crate::transform::Transform;
use crate::value::Datum;

/// A way to partition data ("Partition Specs").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PartitionSpec {
    /// Its number in the table.
    pub spec_id: i32,
    /// What partitions are made of, in order.
    pub fields: Vec<PartitionField>,
}

/// A part of partitions' values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PartitionField {
    /// The id of the column that it comes from.
    pub source_id: i32,
    /// Its own id, unique among the table's partition fields.
    pub field_id: i32,
    /// Its name.
    pub name: String,
    /// How it comes from the column.
    pub transform: Transform,
}

/// A partition spec as clients ask for it: numbers may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct UnboundPartitionSpec {
    /// A number, which the table may change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec_id: Option<i32>,
    /// What partitions are made of, in order.
    pub fields: Vec<UnboundPartitionField>,
}

/// A field of an [`UnboundPartitionSpec`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct UnboundPartitionField {
    /// The id of the column that it comes from.
    pub source_id: i32,
    /// Its own id, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field_id: Option<i32>,
    /// Its name.
    pub name: String,
    /// How it comes from the column.
    pub transform: Transform,
}

/// A partition field with its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionColumn {
    /// The field's id.
    pub field_id: i32,
    /// The id of the column that it comes from.
    pub source_id: i32,
    /// Its name.
    pub name: String,
    /// How it comes from the column.
    pub transform: Transform,
    /// The column's type.
    pub source: PrimitiveType,
    /// The values' type.
    pub ty: PrimitiveType,
}

impl PartitionSpec {
    /// Whether all data is in one partition.
    pub fn is_unpartitioned(&self) -> bool {
        self.fields.iter().all(|field| field.transform == Transform::Void)
    }

    /// The folder of a partition below the table's data: `day=2024-01-01/bucket=3`; empty without partitions.
    pub fn path(&self, values: &[Option<Datum>]) -> String {
        let part = |(field, value): (&PartitionField, &Option<Datum>)| {
            format!("{}={}", escaped(&field.name), escaped(&field.transform.shown(value.as_ref())))
        };
        self.fields.iter().zip(values).map(part).collect::<Vec<_>>().join("/")
    }
}

/// What URL encoding of forms leaves, so that no value makes a folder of its own.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

impl UnboundPartitionSpec {
    /// The spec with numbers of the table: those of fields that the table has or had already, else new ones. Answers the highest field id
    /// too.
    ///
    /// # Errors
    /// A field's source is not in the current schema, its transform doesn't fit, or names are taken.
    pub(crate) fn bind(self, table: &TableMetadata) -> Result<(PartitionSpec, i32)> {
        let mut last = table.last_partition_id;
        let mut fields: Vec<PartitionField> = Vec::with_capacity(self.fields.len());
        for field in self.fields {
            let UnboundPartitionField { source_id, name, transform, .. } = field;
            let known = table.partition_specs.iter().flat_map(|spec| &spec.fields);
            let mut known = known.filter(|known| known.source_id == source_id && known.transform == transform);
            let field_id = known.next().map(|known| known.field_id).or(field.field_id).unwrap_or(last + 1);
            if fields.iter().any(|other| other.name == name || other.field_id == field_id) {
                return Err(Error::invalid(format!("the partition field {name} stands there twice")));
            }
            last = last.max(field_id);
            let bound = PartitionField { source_id, field_id, name, transform };
            check(table.current_schema(), &bound)?;
            fields.push(bound);
        }
        let next = table.partition_specs.iter().map(|spec| spec.spec_id + 1).max().unwrap_or(0);
        let same = table.partition_specs.iter().find(|spec| spec.fields == fields);
        Ok((PartitionSpec { spec_id: same.map_or(next, |spec| spec.spec_id), fields }, last))
    }
}

impl From<PartitionSpec> for UnboundPartitionSpec {
    fn from(spec: PartitionSpec) -> Self {
        let field = |field: PartitionField| {
            let PartitionField { source_id, field_id, name, transform } = field;
            UnboundPartitionField { source_id, field_id: Some(field_id), name, transform }
        };
        Self { spec_id: Some(spec.spec_id), fields: spec.fields.into_iter().map(field).collect() }
    }
}

/// A field's source is a column of single values that the transform takes; its name is no other column's.
fn check(schema: &Schema, field: &PartitionField) -> Result<()> {
    if field.transform == Transform::Void {
        return Ok(());
    }
    let source = schema.field(field.source_id);
    let source = source.ok_or_else(|| Error::invalid(format!("the source of the partition field {} is missing", field.name)))?;
    let ty = source.ty.primitive().and_then(|ty| field.transform.result_type(ty));
    if ty.is_none() {
        let message = format!("the transform {} can't be applied to the column {}", field.transform, source.name);
        return Err(Error::invalid(message));
    }
    let namesake = schema.fields.iter().find(|column| column.name == field.name);
    match namesake {
        Some(column) if field.transform != Transform::Identity || column.id != field.source_id => {
            let message = format!("the partition field {} would be called like a column", field.name);
            Err(Error::invalid(message))
        }
        _ => Ok(()),
    }
}

pub(super) fn column(table: &TableMetadata, field: &PartitionField) -> Result<PartitionColumn> {
    let schemas = std::iter::once(table.current_schema()).chain(table.schemas.iter().rev());
    let source = schemas.filter_map(|schema| schema.field(field.source_id)).find_map(|source| source.ty.primitive());
    // A void field's values are all NULL, so its type doesn't matter when its source is forgotten.
    let source = source.or((field.transform == Transform::Void).then_some(PrimitiveType::Int));
    let source = source.ok_or_else(|| Error::invalid(format!("the source of the partition field {} is missing", field.name)))?;
    let PartitionField { source_id, field_id, ref name, transform } = *field;
    let ty = transform.result_type(source).ok_or_else(|| {
        Error::invalid(format!("the transform {transform} of the partition field {name} doesn't fit {source}"))
    })?;
    Ok(PartitionColumn { field_id, source_id, name: name.clone(), transform, source, ty })
}
