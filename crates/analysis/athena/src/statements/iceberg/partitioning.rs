//! How a new table is partitioned.

use boathouse_iceberg::metadata::{UnboundPartitionField, UnboundPartitionSpec};
use boathouse_iceberg::schema::Schema;
use boathouse_iceberg::transform::Transform;
use boathouse_trino_parser::ast::{PartitionField, PartitionTransform};

use crate::executions::failure::Failure;

fn invalid(message: String) -> Failure {
    Failure::user(1006, format!("INVALID_TABLE_PROPERTY: {message}"))
}

/// PARTITIONED BY of CREATE TABLE.
pub(super) fn of_clause(fields: &[PartitionField], schema: &Schema) -> Result<UnboundPartitionSpec, Failure> {
    let field = |field: &PartitionField| match field {
        PartitionField::Identity(column) => part(Transform::Identity, &column.lower(), schema),
        PartitionField::Transform { transform, column } => {
            let transform = match transform {
                PartitionTransform::Year => Transform::Year,
                PartitionTransform::Month => Transform::Month,
                PartitionTransform::Day => Transform::Day,
                PartitionTransform::Hour => Transform::Hour,
                PartitionTransform::Bucket(count) => Transform::Bucket(positive(*count)?),
                PartitionTransform::Truncate(width) => Transform::Truncate(positive(*width)?),
            };
            part(transform, &column.lower(), schema)
        }
        PartitionField::Column(column) => {
            let message = "Iceberg tables are partitioned by columns of their own: name the column without its type";
            Err(invalid(format!("{message} ({})", column.name.lower())))
        }
    };
    Ok(UnboundPartitionSpec { spec_id: None, fields: fields.iter().map(field).collect::<Result<_, _>>()? })
}

/// The property `partitioning` of CREATE TABLE AS: `day(ts)`, `bucket(id, 4)`.
pub(super) fn of_property(fields: &[String], schema: &Schema) -> Result<UnboundPartitionSpec, Failure> {
    let field = |text: &String| {
        let (transform, column) = parsed(text).ok_or_else(|| invalid(format!("Invalid partition field declaration: {text}")))?;
        part(transform, &column, schema)
    };
    Ok(UnboundPartitionSpec { spec_id: None, fields: fields.iter().map(field).collect::<Result<_, _>>()? })
}

fn positive(number: u32) -> Result<u32, Failure> {
    match i32::try_from(number) {
        Ok(1..) => Ok(number),
        _ => Err(invalid(format!("Invalid partition transform width: {number}"))),
    }
}

fn parsed(text: &str) -> Option<(Transform, String)> {
    let plain = |name: &str| name.trim().trim_matches('"').to_lowercase();
    let Some((name, rest)) = text.trim().split_once('(') else { return Some((Transform::Identity, plain(text))) };
    let inner = rest.strip_suffix(')')?;
    let parts: Vec<&str> = inner.split(',').map(str::trim).collect();
    let number = |text: &str| text.parse::<u32>().ok().filter(|number| i32::try_from(*number).is_ok_and(|n| n > 0));
    // The column comes first in Trino, and second in Hive's grammar.
    let sized = || match parts.as_slice() {
        [one, other] => match (number(one), number(other)) {
            (None, Some(number)) => Some((number, plain(one))),
            (Some(number), None) => Some((number, plain(other))),
            _ => None,
        },
        _ => None,
    };
    let only = || match parts.as_slice() {
        [column] if !column.is_empty() => Some(plain(column)),
        _ => None,
    };
    Some(match name.trim().to_lowercase().as_str() {
        "year" | "years" => (Transform::Year, only()?),
        "month" | "months" => (Transform::Month, only()?),
        "day" | "days" => (Transform::Day, only()?),
        "hour" | "hours" => (Transform::Hour, only()?),
        "identity" => (Transform::Identity, only()?),
        "bucket" => sized().map(|(count, column)| (Transform::Bucket(count), column))?,
        "truncate" => sized().map(|(width, column)| (Transform::Truncate(width), column))?,
        _ => return None,
    })
}

fn part(transform: Transform, column: &str, schema: &Schema) -> Result<UnboundPartitionField, Failure> {
    let Some(field) = schema.column(column) else {
        return Err(Failure::user(1006, format!("COLUMN_NOT_FOUND: Column not found: '{column}'")));
    };
    let fits = field.ty.primitive().and_then(|ty| transform.result_type(ty));
    if fits.is_none() {
        return Err(invalid(format!("Unable to parse partitioning value: {transform} can't be applied to column {column}")));
    }
    let suffix = match transform {
        Transform::Identity | Transform::Void => "",
        Transform::Bucket(_) => "_bucket",
        Transform::Truncate(_) => "_trunc",
        Transform::Year => "_year",
        Transform::Month => "_month",
        Transform::Day => "_day",
        Transform::Hour => "_hour",
    };
    Ok(UnboundPartitionField { source_id: field.id, field_id: None, name: format!("{}{suffix}", field.name), transform })
}

#[cfg(test)]
mod tests {
    use boathouse_iceberg::schema::{NestedField, PrimitiveType};

    use super::*;

    fn schema() -> Schema {
        let fields =
            vec![NestedField::optional(1, "id", PrimitiveType::Long), NestedField::optional(2, "ts", PrimitiveType::Timestamp)];
        Schema::new(0, fields)
    }

    fn of(fields: &[&str]) -> Result<UnboundPartitionSpec, Failure> {
        of_property(&fields.iter().map(|field| (*field).to_owned()).collect::<Vec<_>>(), &schema())
    }

    #[test]
    fn transforms_are_read_in_either_order() {
        let spec = of(&["day(ts)", "bucket(ID, 4)", "truncate(10, id)", "id"]).unwrap();
        let found: Vec<_> = spec.fields.iter().map(|field| (field.name.as_str(), field.transform)).collect();
        let expected = [
            ("ts_day", Transform::Day),
            ("id_bucket", Transform::Bucket(4)),
            ("id_trunc", Transform::Truncate(10)),
            ("id", Transform::Identity),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_makes_no_partition_is_refused() {
        for (field, reason) in [
            ("day(id)", "can't be applied"),
            ("zorder(id)", "Invalid partition field declaration"),
            ("bucket(id)", "Invalid partition field declaration"),
            ("bucket(id, 0)", "Invalid partition field declaration"),
            ("day(nothing)", "Column not found"),
        ] {
            let refused = of(&[field]).unwrap_err();
            assert!(refused.reason().contains(reason), "{field}: {}", refused.reason());
        }
    }
}
