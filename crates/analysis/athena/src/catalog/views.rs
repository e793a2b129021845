//! The text that Athena keeps a view as: `/* Presto View: <base64 of JSON> */`.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use boathouse_trino::engine;
use boathouse_trino_functions::types::Type;
use serde::{Deserialize, Serialize};

use super::entities::{Column, Parameters, Table};

const START: &str = "/* Presto View: ";
const END: &str = " */";

/// What the text holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ViewText {
    pub(crate) original_sql: String,
    pub(crate) catalog: String,
    pub(crate) schema: String,
    pub(crate) columns: Vec<ViewColumn>,
}

/// A column with its type in Trino's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ViewColumn {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) ty: String,
}

impl ViewText {
    pub(crate) fn write(&self) -> String {
        let json = serde_json::to_string(self).unwrap_or_default();
        format!("{START}{}{END}", BASE64_STANDARD.encode(json))
    }

    /// The view in a table's text; none if it is not one of Athena's.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let encoded = text.trim().strip_prefix(START)?.strip_suffix(END)?;
        serde_json::from_slice(&BASE64_STANDARD.decode(encoded.trim()).ok()?).ok()
    }
}

/// The catalog's table of a view.
pub(crate) fn table(name: &str, sql: String, database: &str, columns: &[engine::Column]) -> Table {
    let view_column = |column: &engine::Column| ViewColumn { name: column.name.clone(), ty: column.ty.to_string() };
    let text = ViewText {
        original_sql: sql,
        catalog: "awsdatacatalog".to_owned(),
        schema: database.to_owned(),
        columns: columns.iter().map(view_column).collect(),
    };
    // Types that Hive lacks are text to Hive's clients; Athena reads the view's own text.
    let hive = |ty: &Type| ty.to_hive().unwrap_or_else(|| "string".to_owned());
    let mut table = Table {
        name: name.to_owned(),
        table_type: Some("VIRTUAL_VIEW".to_owned()),
        view_original_text: Some(text.write()),
        view_expanded_text: Some("/* Presto View */".to_owned()),
        parameters: Parameters::from([
            ("comment".to_owned(), "Presto View".to_owned()),
            ("presto_view".to_owned(), "true".to_owned()),
        ]),
        ..Table::default()
    };
    table.storage_descriptor.columns =
        columns.iter().map(|column| Column::new(column.name.clone(), hive(&column.ty), None)).collect();
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_comes_back_from_its_text() {
        let columns =
            [("a", Type::Bigint), ("b", Type::Json)].map(|(name, ty)| engine::Column { name: name.to_owned(), ty });
        let table = table("v", "SELECT 1 a".to_owned(), "lake", &columns);
        let text = ViewText::read(table.view_original_text.as_deref().unwrap()).unwrap();
        assert_eq!(text.original_sql, "SELECT 1 a");
        assert_eq!(text.columns[1].ty, "json");
        assert_eq!(table.storage_descriptor.columns[1].ty, "string");
        assert!(table.is_view());
    }

    #[test]
    fn other_texts_are_no_views_of_athena() {
        assert_eq!(ViewText::read("SELECT 1"), None);
        assert_eq!(ViewText::read("/* Presto View: !! */"), None);
    }
}
