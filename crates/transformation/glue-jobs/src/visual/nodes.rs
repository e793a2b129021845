//! The nodes of visual jobs ("AWS Glue API: Visual job API").
//!
//! Each struct has the options that are implemented; any other is refused by name when the job is made.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::JobError;

/// A path to a field: one name for a column.
pub type FieldPath = Vec<String>;

macro_rules! nodes {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $field:ident: $kind:ty),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Deserialize)]
            #[serde(rename_all = "PascalCase", deny_unknown_fields)]
            #[allow(missing_docs, reason = "the members are AWS's own")]
            pub struct $name { $($(#[$attr])* pub $field: $kind),* }
        )*
    };
}

nodes! {
    /// CSV files in S3. Every column is a string, as in Glue's own frames.
    S3CsvSource {
        name: String,
        paths: Vec<String>,
        compression_type: Option<String>,
        #[serde(default)] group_size: Ignored,
        #[serde(default)] group_files: Ignored,
        recurse: Option<bool>,
        separator: Separator,
        escaper: Option<String>,
        quote_char: QuoteChar,
        multiline: Option<bool>,
        with_header: Option<bool>,
        #[serde(default)] write_header: Ignored,
        skip_first: Option<bool>,
        #[serde(default)] optimize_performance: Ignored,
        #[serde(default)] output_schemas: Ignored,
    }
    /// Files of JSON objects, one in each line.
    S3JsonSource {
        name: String,
        paths: Vec<String>,
        compression_type: Option<String>,
        #[serde(default)] group_size: Ignored,
        #[serde(default)] group_files: Ignored,
        recurse: Option<bool>,
        json_path: Option<String>,
        multiline: Option<bool>,
        output_schemas: Option<Vec<GlueSchema>>,
    }
    /// Parquet files in S3.
    S3ParquetSource {
        name: String,
        paths: Vec<String>,
        #[serde(default)] compression_type: Ignored,
        #[serde(default)] group_size: Ignored,
        #[serde(default)] group_files: Ignored,
        recurse: Option<bool>,
        #[serde(default)] output_schemas: Ignored,
    }
    /// A table of the Data Catalog, whose files are in S3.
    CatalogSource {
        name: String,
        database: String,
        table: String,
        partition_predicate: Option<String>,
        #[serde(default)] output_schemas: Ignored,
    }
    /// Columns as somebody says they are.
    GlueSchema { columns: Option<Vec<GlueStudioSchemaColumn>> }
    /// One of them.
    GlueStudioSchemaColumn {
        name: String,
        #[serde(rename = "Type")] ty: Option<String>,
        #[serde(default)] glue_studio_type: Ignored,
    }
    /// Chooses, renames and casts columns. A value that can't be cast is NULL.
    ApplyMapping { name: String, inputs: Vec<String>, mapping: Vec<Mapping> }
    /// One column of it.
    Mapping {
        to_key: Option<String>,
        from_path: Option<FieldPath>,
        from_type: Option<String>,
        to_type: Option<String>,
        dropped: Option<bool>,
        children: Option<Vec<Value>>,
    }
    /// Keeps columns.
    SelectFields { name: String, inputs: Vec<String>, paths: Vec<FieldPath> }
    /// Takes columns away.
    DropFields { name: String, inputs: Vec<String>, paths: Vec<FieldPath> }
    /// Renames a column.
    RenameField { name: String, inputs: Vec<String>, source_path: FieldPath, target_path: FieldPath }
    /// Keeps rows.
    Filter { name: String, inputs: Vec<String>, logical_operator: LogicalOperator, filters: Vec<FilterExpression> }
    /// One condition.
    FilterExpression { operation: FilterOperation, negated: Option<bool>, values: Vec<FilterValue> }
    /// A column or a constant.
    FilterValue { #[serde(rename = "Type")] ty: FilterValueType, value: Vec<String> }
    /// Joins two inputs where keys are equal.
    Join { name: String, inputs: Vec<String>, join_type: JoinType, columns: Vec<JoinColumn> }
    /// The keys of one side.
    JoinColumn { from: String, keys: Vec<FieldPath> }
    /// A query over the inputs.
    SparkSql {
        name: String,
        inputs: Vec<String>,
        sql_query: String,
        sql_aliases: Vec<SqlAlias>,
        #[serde(default)] output_schemas: Ignored,
    }
    /// What an input is called in the query.
    SqlAlias { from: String, alias: String }
    /// Groups and aggregates.
    Aggregate { name: String, inputs: Vec<String>, groups: Vec<FieldPath>, aggs: Vec<AggregateOperation> }
    /// One aggregate.
    AggregateOperation { column: FieldPath, agg_func: AggFunction }
    /// Keeps one row of those that are equal, in all columns or in some.
    DropDuplicates { name: String, inputs: Vec<String>, columns: Option<Vec<FieldPath>> }
    /// Takes away the columns that are NULL in all rows.
    DropNullFields {
        name: String,
        inputs: Vec<String>,
        null_check_box_list: Option<NullCheckBoxList>,
        null_text_list: Option<Vec<NullValueField>>,
    }
    /// What counts as NULL too.
    NullCheckBoxList { is_empty: Option<bool>, is_null_string: Option<bool>, is_neg_one: Option<bool> }
    /// A value that counts as NULL.
    NullValueField { value: String, datatype: Datatype }
    /// The type of such a value.
    Datatype { id: String, #[serde(default)] label: Ignored }
    /// The rows of two inputs.
    Union { name: String, inputs: Vec<String>, union_type: UnionType }
    /// Rows of one input in place of those with the same keys of the other.
    Merge { name: String, inputs: Vec<String>, source: String, primary_keys: Vec<FieldPath> }
    /// Files in S3, and a table if wanted.
    S3DirectTarget {
        name: String,
        inputs: Vec<String>,
        partition_keys: Option<Vec<FieldPath>>,
        path: String,
        compression: Option<String>,
        format: String,
        schema_change_policy: Option<DirectSchemaChangePolicy>,
        #[serde(default)] output_schemas: Ignored,
    }
    /// Parquet files in S3, and a table if wanted.
    S3GlueParquetTarget {
        name: String,
        inputs: Vec<String>,
        partition_keys: Option<Vec<FieldPath>>,
        path: String,
        compression: Option<String>,
        schema_change_policy: Option<DirectSchemaChangePolicy>,
    }
    /// The files of a table that is there.
    S3CatalogTarget {
        name: String,
        inputs: Vec<String>,
        partition_keys: Option<Vec<FieldPath>>,
        table: String,
        database: String,
        schema_change_policy: Option<CatalogSchemaChangePolicy>,
    }
    /// Whether and how the catalogue learns what was written.
    DirectSchemaChangePolicy {
        enable_update_catalog: Option<bool>,
        update_behavior: Option<UpdateBehavior>,
        table: Option<String>,
        database: Option<String>,
    }
    /// Whether and how the catalogue learns what was written.
    CatalogSchemaChangePolicy { enable_update_catalog: Option<bool>, update_behavior: Option<UpdateBehavior> }
}

/// An option that may stand there and changes nothing here: a hint to Spark, or what Glue Studio shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ignored;

impl<'de> Deserialize<'de> for Ignored {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident $case:literal { $($(#[$attr:meta])* $variant:ident),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
            #[serde(rename_all = $case)]
            #[allow(missing_docs, reason = "the names are AWS's own")]
            pub enum $name { $($(#[$attr])* $variant),* }
        )*
    };
}

names! {
    /// Between the values of a line.
    Separator "lowercase" { Comma, Ctrla, Pipe, Semicolon, Tab }
    /// Around values.
    QuoteChar "snake_case" { Quote, Quillemet, SingleQuote, Disabled }
    /// How conditions combine.
    LogicalOperator "UPPERCASE" { And, Or }
    /// A condition.
    FilterOperation "UPPERCASE" { Eq, Lt, Gt, Lte, Gte, Regex, Isnull }
    /// What is compared.
    FilterValueType "UPPERCASE" { ColumnExtracted, Constant }
    /// How rows without a partner are treated.
    JoinType "lowercase" { Equijoin, Left, Right, Outer, LeftSemi, LeftAnti }
    /// An aggregate.
    AggFunction "camelCase" {
        Avg,
        CountDistinct,
        Count,
        First,
        Last,
        Kurtosis,
        Max,
        Min,
        Skewness,
        #[serde(rename = "stddev_samp")] StddevSamp,
        #[serde(rename = "stddev_pop")] StddevPop,
        Sum,
        SumDistinct,
        #[serde(rename = "var_samp")] VarSamp,
        #[serde(rename = "var_pop")] VarPop,
    }
    /// Whether duplicates stay.
    UnionType "UPPERCASE" { All, Distinct }
    /// What happens to a table whose columns are not those that were written.
    UpdateBehavior "SCREAMING_SNAKE_CASE" { UpdateInDatabase, Log }
}

/// One node.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are AWS's own")]
pub enum Node {
    S3CsvSource(S3CsvSource),
    S3JsonSource(S3JsonSource),
    S3ParquetSource(S3ParquetSource),
    CatalogSource(CatalogSource),
    ApplyMapping(ApplyMapping),
    SelectFields(SelectFields),
    DropFields(DropFields),
    RenameField(RenameField),
    Filter(Filter),
    Join(Join),
    SparkSql(SparkSql),
    Aggregate(Aggregate),
    DropDuplicates(DropDuplicates),
    DropNullFields(DropNullFields),
    Union(Union),
    Merge(Merge),
    S3DirectTarget(S3DirectTarget),
    S3GlueParquetTarget(S3GlueParquetTarget),
    S3CatalogTarget(S3CatalogTarget),
}

impl Node {
    /// Reads a node as the API writes it: an object with one member, which is the node's type.
    ///
    /// # Errors
    /// A type or an option that isn't implemented, or a value that breaks a rule; the message names node and option.
    pub fn read(id: &str, value: &Value) -> Result<Self, JobError> {
        let members = value.as_object().into_iter().flatten().filter(|(_, options)| !options.is_null());
        let members: Vec<_> = members.collect();
        let [(kind, options)] = members.as_slice() else {
            let message = format!("CodeGenConfigurationNodes: {id} must have exactly one member, which names its type");
            return Err(JobError::invalid(message));
        };
        let at = Options { id, kind, options: without_nulls(options) };
        Ok(match kind.as_str() {
            "S3CsvSource" => Self::S3CsvSource(at.read()?),
            "S3JsonSource" => Self::S3JsonSource(at.read()?),
            "S3ParquetSource" => Self::S3ParquetSource(at.read()?),
            "S3CatalogSource" | "CatalogSource" => Self::CatalogSource(at.read()?),
            "ApplyMapping" => Self::ApplyMapping(at.read()?),
            "SelectFields" => Self::SelectFields(at.read()?),
            "DropFields" => Self::DropFields(at.read()?),
            "RenameField" => Self::RenameField(at.read()?),
            "Filter" => Self::Filter(at.read()?),
            "Join" => Self::Join(at.read()?),
            "SparkSQL" => Self::SparkSql(at.read()?),
            "Aggregate" => Self::Aggregate(at.read()?),
            "DropDuplicates" => Self::DropDuplicates(at.read()?),
            "DropNullFields" => Self::DropNullFields(at.read()?),
            "Union" => Self::Union(at.read()?),
            "Merge" => Self::Merge(at.read()?),
            "S3DirectTarget" => Self::S3DirectTarget(at.read()?),
            "S3GlueParquetTarget" => Self::S3GlueParquetTarget(at.read()?),
            "S3CatalogTarget" => Self::S3CatalogTarget(at.read()?),
            other => return Err(JobError::not_implemented(format!("the node type {other} (node {id})"))),
        })
    }

    /// The node's name, as its maker wrote it.
    pub fn name(&self) -> &str {
        match self {
            Self::S3CsvSource(node) => &node.name,
            Self::S3JsonSource(node) => &node.name,
            Self::S3ParquetSource(node) => &node.name,
            Self::CatalogSource(node) => &node.name,
            Self::ApplyMapping(node) => &node.name,
            Self::SelectFields(node) => &node.name,
            Self::DropFields(node) => &node.name,
            Self::RenameField(node) => &node.name,
            Self::Filter(node) => &node.name,
            Self::Join(node) => &node.name,
            Self::SparkSql(node) => &node.name,
            Self::Aggregate(node) => &node.name,
            Self::DropDuplicates(node) => &node.name,
            Self::DropNullFields(node) => &node.name,
            Self::Union(node) => &node.name,
            Self::Merge(node) => &node.name,
            Self::S3DirectTarget(node) => &node.name,
            Self::S3GlueParquetTarget(node) => &node.name,
            Self::S3CatalogTarget(node) => &node.name,
        }
    }

    /// The nodes whose rows it takes.
    pub fn inputs(&self) -> &[String] {
        match self {
            Self::S3CsvSource(_) | Self::S3JsonSource(_) | Self::S3ParquetSource(_) | Self::CatalogSource(_) => &[],
            Self::ApplyMapping(node) => &node.inputs,
            Self::SelectFields(node) => &node.inputs,
            Self::DropFields(node) => &node.inputs,
            Self::RenameField(node) => &node.inputs,
            Self::Filter(node) => &node.inputs,
            Self::Join(node) => &node.inputs,
            Self::SparkSql(node) => &node.inputs,
            Self::Aggregate(node) => &node.inputs,
            Self::DropDuplicates(node) => &node.inputs,
            Self::DropNullFields(node) => &node.inputs,
            Self::Union(node) => &node.inputs,
            Self::Merge(node) => &node.inputs,
            Self::S3DirectTarget(node) => &node.inputs,
            Self::S3GlueParquetTarget(node) => &node.inputs,
            Self::S3CatalogTarget(node) => &node.inputs,
        }
    }

    /// How many inputs it must have: at least, at most.
    pub(crate) fn arity(&self) -> (usize, usize) {
        match self {
            node if node.is_source() => (0, 0),
            Self::Join(_) | Self::Union(_) | Self::Merge(_) => (2, 2),
            Self::SparkSql(_) => (1, usize::MAX),
            _ => (1, 1),
        }
    }

    /// Whether its rows come from outside.
    pub fn is_source(&self) -> bool {
        matches!(self, Self::S3CsvSource(_) | Self::S3JsonSource(_) | Self::S3ParquetSource(_) | Self::CatalogSource(_))
    }

    /// Whether its rows go outside.
    pub fn is_target(&self) -> bool {
        matches!(self, Self::S3DirectTarget(_) | Self::S3GlueParquetTarget(_) | Self::S3CatalogTarget(_))
    }
}

struct Options<'a> {
    id: &'a str,
    kind: &'a str,
    options: Value,
}

impl Options<'_> {
    fn read<T: DeserializeOwned>(self) -> Result<T, JobError> {
        serde_json::from_value(self.options).map_err(|error| {
            let (id, kind, text) = (self.id, self.kind, error.to_string());
            match text.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`')) {
                Some((option, _)) => JobError::not_implemented(format!("the option {option} of {kind} (node {id})")),
                None => JobError::invalid(format!("CodeGenConfigurationNodes: {id} ({kind}): {text}")),
            }
        })
    }
}

/// A member that is null is one that isn't there.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let present = members.iter().filter(|(_, value)| !value.is_null());
            Value::Object(present.map(|(name, value)| (name.clone(), without_nulls(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nodes_are_read() {
        let node = json!({"Join": {"Name": "j", "Inputs": ["a", "b"], "JoinType": "leftanti",
            "Columns": [{"From": "a", "Keys": [["k"]]}, {"From": "b", "Keys": [["k"]]}]}, "Filter": null});
        let Node::Join(join) = Node::read("n", &node).unwrap() else { panic!("a join expected") };
        assert_eq!((join.join_type, join.columns[1].from.as_str()), (JoinType::LeftAnti, "b"));
    }

    #[test]
    fn every_enumeration_has_awss_names() {
        let read = |text: &str| serde_json::from_value::<AggFunction>(json!(text)).is_ok();
        assert!(["avg", "countDistinct", "stddev_samp", "var_pop", "sumDistinct"].into_iter().all(read));
        assert!(serde_json::from_value::<QuoteChar>(json!("single_quote")).is_ok());
        assert!(serde_json::from_value::<FilterValueType>(json!("COLUMNEXTRACTED")).is_ok());
        assert!(serde_json::from_value::<UpdateBehavior>(json!("UPDATE_IN_DATABASE")).is_ok());
    }

    #[test]
    fn types_and_options_that_are_missing_are_named() {
        let message = |node: Value| Node::read("n7", &node).unwrap_err().to_string();
        assert!(message(json!({"CustomCode": {}})).contains("CustomCode (node n7)"));
        assert!(message(json!({"Spigot": {}})).contains("Spigot"));
        let odd = json!({"S3ParquetSource": {"Name": "s", "Paths": ["s3://b/p"], "MaxBand": 3}});
        assert!(message(odd).contains("the option MaxBand of S3ParquetSource (node n7)"));
        assert!(message(json!({"Filter": {"Name": "f"}})).contains("missing field `Inputs`"));
        assert!(message(json!({})).contains("exactly one member"));
    }
}
