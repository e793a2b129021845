//! Columns as GetQueryResults describes them, and the object that keeps them beside a result.
//!
//! AWS keeps them in an undocumented binary form; here `<id>.metadata` is JSON: `{"version": 1, "columns": [ColumnInfo …]}`.

use boathouse_trino_functions::types::Type;
use serde::{Deserialize, Serialize};

/// AWS's ColumnInfo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ColumnInfo {
    catalog_name: String,
    schema_name: String,
    table_name: String,
    pub(crate) name: String,
    label: String,
    #[serde(rename = "Type")]
    kind: String,
    precision: u32,
    scale: u32,
    nullable: String,
    case_sensitive: bool,
}

impl ColumnInfo {
    /// A query's column.
    pub(crate) fn new(name: &str, ty: &Type) -> Self {
        let (kind, precision, scale) = described(ty);
        let case_sensitive = matches!(ty, Type::Varchar(_) | Type::Char(_));
        Self::with(name, kind, precision, scale, case_sensitive)
    }

    /// A column of a statement on the catalog, which Hive describes.
    pub(crate) fn text(name: &str) -> Self {
        Self::with(name, "string", 0, 0, false)
    }

    fn with(name: &str, kind: &str, precision: u32, scale: u32, case_sensitive: bool) -> Self {
        Self {
            catalog_name: "hive".into(),
            schema_name: String::new(),
            table_name: String::new(),
            name: name.to_owned(),
            label: name.to_owned(),
            kind: kind.to_owned(),
            precision,
            scale,
            nullable: "UNKNOWN".into(),
            case_sensitive,
        }
    }
}

/// Name, precision and scale.
fn described(ty: &Type) -> (&'static str, u32, u32) {
    match ty {
        Type::Unknown => ("unknown", 0, 0),
        Type::Boolean => ("boolean", 0, 0),
        Type::Tinyint => ("tinyint", 3, 0),
        Type::Smallint => ("smallint", 5, 0),
        Type::Integer => ("integer", 10, 0),
        Type::Bigint => ("bigint", 19, 0),
        Type::Real => ("float", 17, 0),
        Type::Double => ("double", 17, 0),
        Type::Decimal(precision, scale) => ("decimal", u32::from(*precision), u32::from(*scale)),
        Type::Varchar(length) => ("varchar", length.unwrap_or(i32::MAX as u32), 0),
        Type::Char(length) => ("char", *length, 0),
        Type::Varbinary => ("varbinary", 1_073_741_824, 0),
        Type::Json => ("json", 0, 0),
        Type::Date => ("date", 0, 0),
        Type::Time(_) => ("time", 3, 0),
        Type::Timestamp(_) => ("timestamp", 3, 0),
        Type::TimeTz(_) => ("time with time zone", 3, 0),
        Type::TimestampTz(_) => ("timestamp with time zone", 3, 0),
        Type::IntervalDayTime => ("interval day to second", 0, 0),
        Type::IntervalYearMonth => ("interval year to month", 0, 0),
        Type::Uuid => ("uuid", 0, 0),
        Type::IpAddress => ("ipaddress", 0, 0),
        Type::Color => ("color", 0, 0),
        Type::Geometry => ("Geometry", 0, 0),
        Type::SphericalGeography => ("SphericalGeography", 0, 0),
        Type::BingTile => ("BingTile", 0, 0),
        Type::KdbTree => ("KdbTree", 0, 0),
        Type::Sketch(sketch) => (sketch.name(), 0, 0),
        Type::Array(_) => ("array", 0, 0),
        Type::Map(..) => ("map", 0, 0),
        Type::Row(_) => ("row", 0, 0),
    }
}

/// The content of the `.metadata` object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ResultMetadata {
    version: u8,
    pub(crate) columns: Vec<ColumnInfo>,
}

impl ResultMetadata {
    pub(crate) fn new(columns: Vec<ColumnInfo>) -> Self {
        Self { version: 1, columns }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precision_and_scale_are_athenas() {
        let shown = |ty: Type| {
            let info = ColumnInfo::new("c", &ty);
            (info.kind, info.precision, info.scale, info.case_sensitive)
        };
        assert_eq!(shown(Type::VARCHAR), ("varchar".into(), 2_147_483_647, 0, true));
        assert_eq!(shown(Type::Varchar(Some(3))), ("varchar".into(), 3, 0, true));
        assert_eq!(shown(Type::Decimal(10, 2)), ("decimal".into(), 10, 2, false));
        assert_eq!(shown(Type::Real), ("float".into(), 17, 0, false));
        assert_eq!(shown(Type::array(Type::Bigint)), ("array".into(), 0, 0, false));
    }

    #[test]
    fn the_metadata_object_comes_back() {
        let metadata = ResultMetadata::new(vec![ColumnInfo::text("tab_name")]);
        let text = serde_json::to_vec(&metadata).unwrap();
        assert_eq!(serde_json::from_slice::<ResultMetadata>(&text).unwrap(), metadata);
    }
}
