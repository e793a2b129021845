//! What Hive's statements say about databases, tables and partitions.

use super::{ComparisonOp, HiveType, Ident, Name};

/// Names and values of DBPROPERTIES, TBLPROPERTIES and SERDEPROPERTIES in the order of the text.
pub type Properties = Vec<(String, String)>;

/// `CREATE {DATABASE|SCHEMA} [IF NOT EXISTS] d [COMMENT …] [LOCATION …] [WITH DBPROPERTIES (…)]`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CreateDatabase {
    /// The database.
    pub name: Name,
    /// Whether an existing database is fine.
    pub if_not_exists: bool,
    /// What it is for.
    pub comment: Option<String>,
    /// Where its tables are kept.
    pub location: Option<String>,
    /// Its properties.
    pub properties: Properties,
}

/// `CREATE [EXTERNAL] TABLE [IF NOT EXISTS] t (columns) …`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CreateTable {
    /// The table.
    pub name: Name,
    /// Whether EXTERNAL was there.
    pub external: bool,
    /// Whether an existing table is fine.
    pub if_not_exists: bool,
    /// The columns.
    pub columns: Vec<ColumnDefinition>,
    /// The table's comment.
    pub comment: Option<String>,
    /// PARTITIONED BY
    pub partitioned_by: Vec<PartitionField>,
    /// CLUSTERED BY
    pub clustered_by: Option<Buckets>,
    /// ROW FORMAT
    pub row_format: Option<RowFormat>,
    /// WITH SERDEPROPERTIES
    pub serde_properties: Properties,
    /// STORED AS
    pub stored_as: Option<StoredAs>,
    /// LOCATION
    pub location: Option<String>,
    /// TBLPROPERTIES
    pub properties: Properties,
}

/// `name type [COMMENT '…']`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ColumnDefinition {
    /// The column.
    pub name: Ident,
    /// Its type.
    pub ty: HiveType,
    /// Its comment.
    pub comment: Option<String>,
}

/// One field of PARTITIONED BY.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PartitionField {
    /// A partition column of a Hive table.
    Column(ColumnDefinition),
    /// An Iceberg table's column as it is.
    Identity(Ident),
    /// What a transform makes of an Iceberg table's column.
    Transform {
        /// How.
        transform: PartitionTransform,
        /// Of which column.
        column: Ident,
    },
}

/// Iceberg's partition transforms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PartitionTransform {
    /// `year(c)`
    Year,
    /// `month(c)`
    Month,
    /// `day(c)`
    Day,
    /// `hour(c)`
    Hour,
    /// `bucket(n, c)`
    Bucket(u32),
    /// `truncate(n, c)`
    Truncate(u32),
}

/// `CLUSTERED BY (columns) INTO n BUCKETS`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Buckets {
    /// By which columns.
    pub columns: Vec<Ident>,
    /// How many.
    pub count: u32,
}

/// `ROW FORMAT …`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RowFormat {
    /// `SERDE 'class'`
    Serde(String),
    /// `DELIMITED …`
    Delimited(Delimiters),
}

/// What ends what in a delimited file; Hive's defaults where nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Delimiters {
    /// `FIELDS TERMINATED BY`
    pub fields: Option<String>,
    /// `ESCAPED BY`, which only comes after the fields' delimiter.
    pub escape: Option<String>,
    /// `COLLECTION ITEMS TERMINATED BY`
    pub items: Option<String>,
    /// `MAP KEYS TERMINATED BY`
    pub keys: Option<String>,
    /// `LINES TERMINATED BY`
    pub lines: Option<String>,
    /// `NULL DEFINED AS`
    pub null: Option<String>,
}

/// `STORED AS …`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum StoredAs {
    /// `STORED AS PARQUET`
    Format(Ident),
    /// `STORED AS INPUTFORMAT '…' OUTPUTFORMAT '…'`
    Classes {
        /// The class that reads.
        input: String,
        /// The class that writes.
        output: String,
    },
}

/// `column = value` of a PARTITION clause; numbers and dates are kept as their text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PartitionValue {
    /// The partition's column.
    pub column: Ident,
    /// Its value.
    pub value: String,
}

/// `column op value` of DROP PARTITION.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PartitionFilter {
    /// The partitions' column.
    pub column: Ident,
    /// How the values compare.
    pub op: ComparisonOp,
    /// The value.
    pub value: String,
}

/// What ALTER TABLE does.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AlterAction {
    /// `ADD [IF NOT EXISTS] PARTITION (…) [LOCATION '…'] …`
    AddPartitions {
        /// Whether existing partitions are fine.
        if_not_exists: bool,
        /// The partitions, one at least.
        partitions: Vec<NewPartition>,
    },
    /// `DROP [IF EXISTS] PARTITION (…), PARTITION (…)`
    DropPartitions {
        /// Whether missing partitions are fine.
        if_exists: bool,
        /// The filters; one of them must fit, all its parts must.
        partitions: Vec<Vec<PartitionFilter>>,
    },
    /// `PARTITION (…) RENAME TO PARTITION (…)`
    RenamePartition {
        /// The partition.
        from: Vec<PartitionValue>,
        /// Its new values.
        to: Vec<PartitionValue>,
    },
    /// `[PARTITION (…)] SET LOCATION '…'`
    SetLocation {
        /// The partition; the table if empty.
        partition: Vec<PartitionValue>,
        /// Where it is now.
        location: String,
    },
    /// `SET TBLPROPERTIES (…)`
    SetProperties(Properties),
    /// `UNSET TBLPROPERTIES [IF EXISTS] ('a', 'b')`
    UnsetProperties {
        /// Whether missing properties are fine.
        if_exists: bool,
        /// The properties.
        keys: Vec<String>,
    },
    /// `[PARTITION (…)] ADD COLUMNS (…)`
    AddColumns {
        /// The partition; the table if empty.
        partition: Vec<PartitionValue>,
        /// The columns.
        columns: Vec<ColumnDefinition>,
    },
    /// `[PARTITION (…)] REPLACE COLUMNS (…)`
    ReplaceColumns {
        /// The partition; the table if empty.
        partition: Vec<PartitionValue>,
        /// The columns.
        columns: Vec<ColumnDefinition>,
    },
    /// `CHANGE [COLUMN] old new type [COMMENT '…'] [FIRST|AFTER c]`
    ChangeColumn {
        /// The column.
        column: Ident,
        /// What it becomes.
        definition: ColumnDefinition,
        /// Where it goes.
        place: Option<ColumnPlace>,
    },
    /// `DROP COLUMN c`
    DropColumn(Ident),
    /// `RENAME TO t`
    Rename(Name),
}

/// A partition of ADD PARTITION.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NewPartition {
    /// Its values, one at least.
    pub values: Vec<PartitionValue>,
    /// Where it is.
    pub location: Option<String>,
}

/// Where CHANGE COLUMN puts a column.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are SQL's")]
pub enum ColumnPlace {
    First,
    After(Ident),
}
