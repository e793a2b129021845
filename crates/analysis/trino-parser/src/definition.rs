//! Hive's statements on databases and tables.

use crate::ast::*;
use crate::cursor::{Cursor, Parsed};

impl Cursor<'_> {
    /// A statement of Hive's grammar.
    pub(crate) fn hive_statement(&mut self) -> Parsed<Statement> {
        if self.is_word_at(0, "SHOW") {
            return self.show();
        }
        if self.is_any_word_at(0, &["DESCRIBE", "DESC"]) {
            return self.describe();
        }
        if self.is_word_at(0, "ALTER") {
            return self.alter();
        }
        if self.take("MSCK") {
            self.expect("REPAIR TABLE")?;
            return Ok(Statement::RepairTable(self.name()?));
        }
        if self.take("VACUUM") {
            return Ok(Statement::Vacuum(self.name()?));
        }
        if self.take("DROP") {
            return self.drop_database_or_table();
        }
        self.expect("CREATE")?;
        if self.take("DATABASE") || self.take("SCHEMA") { self.create_database() } else { self.create_table() }
    }

    fn drop_database_or_table(&mut self) -> Parsed<Statement> {
        if self.take("TABLE") {
            let if_exists = self.take("IF EXISTS");
            return Ok(Statement::DropTable(DropRelation { name: self.name()?, if_exists }));
        }
        if !self.take("DATABASE") {
            self.expect("SCHEMA")?;
        }
        let if_exists = self.take("IF EXISTS");
        let name = self.name()?;
        let cascade = self.take("CASCADE");
        if !cascade {
            self.take("RESTRICT");
        }
        Ok(Statement::DropDatabase { name, if_exists, cascade })
    }

    fn create_database(&mut self) -> Parsed<Statement> {
        let if_not_exists = self.take("IF NOT EXISTS");
        let name = self.name()?;
        let comment = self.string_after("COMMENT")?;
        let location = self.string_after("LOCATION")?;
        let properties = if self.take("WITH DBPROPERTIES") { self.properties()? } else { Vec::new() };
        Ok(Statement::CreateDatabase(CreateDatabase { name, if_not_exists, comment, location, properties }))
    }

    /// The keywords and a string, if they come.
    fn string_after(&mut self, keywords: &'static str) -> Parsed<Option<String>> {
        if self.take(keywords) { self.string().map(Some) } else { Ok(None) }
    }

    fn create_table(&mut self) -> Parsed<Statement> {
        let external = self.take("EXTERNAL");
        self.expect("TABLE")?;
        let if_not_exists = self.take("IF NOT EXISTS");
        let name = self.name()?;
        let columns = if self.take_symbol("(") { self.columns()? } else { Vec::new() };
        let comment = self.string_after("COMMENT")?;
        let partitioned_by = if self.take("PARTITIONED BY") { self.listed(Self::partition_field)? } else { Vec::new() };
        let clustered_by = if self.take("CLUSTERED BY") { Some(self.buckets()?) } else { None };
        let mut serde_properties = Vec::new();
        let row_format = if self.take("ROW FORMAT") { Some(self.row_format(&mut serde_properties)?) } else { None };
        let stored_as = if self.take("STORED AS") { Some(self.stored_as()?) } else { None };
        if serde_properties.is_empty() && self.take("WITH SERDEPROPERTIES") {
            serde_properties = self.properties()?;
        }
        let location = self.string_after("LOCATION")?;
        let properties = if self.take("TBLPROPERTIES") { self.properties()? } else { Vec::new() };
        Ok(Statement::CreateTable(Box::new(CreateTable {
            name,
            external,
            if_not_exists,
            columns,
            comment,
            partitioned_by,
            clustered_by,
            row_format,
            serde_properties,
            stored_as,
            location,
            properties,
        })))
    }

    /// The columns after the opening parenthesis.
    fn columns(&mut self) -> Parsed<Vec<ColumnDefinition>> {
        let columns = self.list(Self::column_definition)?;
        self.expect_symbol(")")?;
        Ok(columns)
    }

    pub(crate) fn column_definition(&mut self) -> Parsed<ColumnDefinition> {
        let name = self.identifier()?;
        self.column_of(name)
    }

    fn column_of(&mut self, name: Ident) -> Parsed<ColumnDefinition> {
        let ty = self.hive_type()?;
        Ok(ColumnDefinition { name, ty, comment: self.string_after("COMMENT")? })
    }

    fn partition_field(&mut self) -> Parsed<PartitionField> {
        if self.is_symbol_at(1, "(") {
            return self.partition_transform();
        }
        let name = self.identifier()?;
        if self.is_symbol_at(0, ",") || self.is_symbol_at(0, ")") {
            return Ok(PartitionField::Identity(name));
        }
        self.column_of(name).map(PartitionField::Column)
    }

    fn partition_transform(&mut self) -> Parsed<PartitionField> {
        let Some(name) = self.take_word() else { return self.mismatch_of(&["<identifier>"]) };
        self.parenthesised(|cursor| {
            let transform = match name.lower().as_str() {
                "year" => PartitionTransform::Year,
                "month" => PartitionTransform::Month,
                "day" => PartitionTransform::Day,
                "hour" => PartitionTransform::Hour,
                "bucket" => PartitionTransform::Bucket(cursor.transform_width()?),
                "truncate" => PartitionTransform::Truncate(cursor.transform_width()?),
                other => return cursor.unsupported(&format!("Partition transform {other}")),
            };
            Ok(PartitionField::Transform { transform, column: cursor.identifier()? })
        })
    }

    fn transform_width(&mut self) -> Parsed<u32> {
        let width = self.integer()?;
        self.expect_symbol(",")?;
        Ok(width)
    }

    fn buckets(&mut self) -> Parsed<Buckets> {
        let columns = self.listed(Self::identifier)?;
        self.expect("INTO")?;
        let count = self.integer()?;
        self.expect("BUCKETS")?;
        Ok(Buckets { columns, count })
    }

    fn row_format(&mut self, properties: &mut Properties) -> Parsed<RowFormat> {
        if self.take("SERDE") {
            let class = self.string()?;
            if self.take("WITH SERDEPROPERTIES") {
                *properties = self.properties()?;
            }
            return Ok(RowFormat::Serde(class));
        }
        self.expect("DELIMITED")?;
        let fields = self.string_after("FIELDS TERMINATED BY")?;
        let escape = if fields.is_some() { self.string_after("ESCAPED BY")? } else { None };
        Ok(RowFormat::Delimited(Delimiters {
            fields,
            escape,
            items: self.string_after("COLLECTION ITEMS TERMINATED BY")?,
            keys: self.string_after("MAP KEYS TERMINATED BY")?,
            lines: self.string_after("LINES TERMINATED BY")?,
            null: self.string_after("NULL DEFINED AS")?,
        }))
    }

    fn stored_as(&mut self) -> Parsed<StoredAs> {
        if self.take("INPUTFORMAT") {
            let input = self.string()?;
            self.expect("OUTPUTFORMAT")?;
            return Ok(StoredAs::Classes { input, output: self.string()? });
        }
        Ok(StoredAs::Format(self.identifier()?))
    }
}
