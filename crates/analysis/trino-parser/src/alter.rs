//! ALTER TABLE, and the partitions and properties that it and others name.

use crate::ast::*;
use crate::cursor::{Cursor, Parsed};
use crate::lexer::TokenKind;

impl Cursor<'_> {
    pub(crate) fn alter(&mut self) -> Parsed<Statement> {
        self.expect("ALTER")?;
        if self.take("DATABASE") || self.take("SCHEMA") {
            let name = self.name()?;
            self.expect("SET DBPROPERTIES")?;
            return Ok(Statement::AlterDatabase { name, properties: self.properties()? });
        }
        self.expect("TABLE")?;
        let table = self.name()?;
        let partition = self.partition()?;
        let action = if partition.is_empty() { self.alter_table()? } else { self.alter_partition(partition)? };
        Ok(Statement::AlterTable { table, action })
    }

    fn alter_partition(&mut self, partition: Vec<PartitionValue>) -> Parsed<AlterAction> {
        if self.take("RENAME") {
            self.expect("TO PARTITION")?;
            return Ok(AlterAction::RenamePartition { from: partition, to: self.partition_values()? });
        }
        if self.take("SET") {
            self.expect("LOCATION")?;
            return Ok(AlterAction::SetLocation { partition, location: self.string()? });
        }
        if self.take("ADD") {
            return self.add_columns(partition);
        }
        self.expect("REPLACE")?;
        self.replace_columns(partition)
    }

    fn alter_table(&mut self) -> Parsed<AlterAction> {
        if self.take("ADD") {
            return self.add();
        }
        if self.take("DROP") {
            return self.drop_part();
        }
        if self.take("SET") {
            if self.take("LOCATION") {
                return Ok(AlterAction::SetLocation { partition: Vec::new(), location: self.string()? });
            }
            self.expect("TBLPROPERTIES")?;
            return Ok(AlterAction::SetProperties(self.properties()?));
        }
        if self.take("UNSET") {
            self.expect("TBLPROPERTIES")?;
            let if_exists = self.take("IF EXISTS");
            return Ok(AlterAction::UnsetProperties { if_exists, keys: self.listed(Self::string)? });
        }
        if self.take("REPLACE") {
            return self.replace_columns(Vec::new());
        }
        if self.take("CHANGE") {
            return self.change_column();
        }
        self.expect("RENAME")?;
        self.expect("TO")?;
        Ok(AlterAction::Rename(self.name()?))
    }

    fn add(&mut self) -> Parsed<AlterAction> {
        let if_not_exists = self.take("IF NOT EXISTS");
        if !if_not_exists && !self.is_word_at(0, "PARTITION") {
            self.could_be("PARTITION");
            return self.add_columns(Vec::new());
        }
        let mut partitions = Vec::new();
        while self.take("PARTITION") {
            let values = self.partition_values()?;
            let location = if self.take("LOCATION") { Some(self.string()?) } else { None };
            partitions.push(NewPartition { values, location });
        }
        if partitions.is_empty() {
            self.mismatch()
        } else {
            Ok(AlterAction::AddPartitions { if_not_exists, partitions })
        }
    }

    fn add_columns(&mut self, partition: Vec<PartitionValue>) -> Parsed<AlterAction> {
        self.expect("COLUMNS")?;
        Ok(AlterAction::AddColumns { partition, columns: self.listed(Self::column_definition)? })
    }

    fn replace_columns(&mut self, partition: Vec<PartitionValue>) -> Parsed<AlterAction> {
        self.expect("COLUMNS")?;
        Ok(AlterAction::ReplaceColumns { partition, columns: self.listed(Self::column_definition)? })
    }

    fn drop_part(&mut self) -> Parsed<AlterAction> {
        if self.take("COLUMN") {
            return Ok(AlterAction::DropColumn(self.identifier()?));
        }
        let if_exists = self.take("IF EXISTS");
        let partitions = self.list(|cursor| {
            cursor.expect("PARTITION")?;
            cursor.listed(Self::partition_filter)
        })?;
        Ok(AlterAction::DropPartitions { if_exists, partitions })
    }

    fn change_column(&mut self) -> Parsed<AlterAction> {
        self.take("COLUMN");
        let column = self.identifier()?;
        let definition = self.column_definition()?;
        let place = if self.take("FIRST") {
            Some(ColumnPlace::First)
        } else if self.take("AFTER") {
            Some(ColumnPlace::After(self.identifier()?))
        } else {
            None
        };
        Ok(AlterAction::ChangeColumn { column, definition, place })
    }

    /// `PARTITION (…)`, if it comes.
    pub(crate) fn partition(&mut self) -> Parsed<Vec<PartitionValue>> {
        if self.take("PARTITION") { self.partition_values() } else { Ok(Vec::new()) }
    }

    fn partition_values(&mut self) -> Parsed<Vec<PartitionValue>> {
        self.listed(|cursor| {
            let column = cursor.identifier()?;
            cursor.expect_symbol("=")?;
            Ok(PartitionValue { column, value: cursor.constant_text()? })
        })
    }

    fn partition_filter(&mut self) -> Parsed<PartitionFilter> {
        let column = self.identifier()?;
        let Some(op) = self.comparison() else { return self.mismatch_of(&["=", "<>", "!=", "<", "<=", ">", ">="]) };
        Ok(PartitionFilter { column, op, value: self.constant_text()? })
    }

    /// The text of a string, a number, a boolean or a date.
    fn constant_text(&mut self) -> Parsed<String> {
        let minus = self.is_symbol_at(0, "-");
        if minus {
            self.advance();
        }
        let text = match self.token() {
            TokenKind::Integer(digits) | TokenKind::Decimal(digits) => digits.clone(),
            TokenKind::Word(word)
                if !minus && ["true", "false"].iter().any(|value| word.eq_ignore_ascii_case(value)) =>
            {
                word.to_lowercase()
            }
            TokenKind::String(text) if !minus => text.clone(),
            TokenKind::Word(_) if !minus && self.is_any_word_at(0, &["DATE", "TIMESTAMP"]) => {
                self.advance();
                return self.string();
            }
            _ => return self.mismatch_of(&["<constant>"]),
        };
        self.advance();
        Ok(if minus { format!("-{text}") } else { text })
    }

    /// `('name' = 'value', …)`
    pub(crate) fn properties(&mut self) -> Parsed<Properties> {
        self.listed(|cursor| {
            let name = cursor.string()?;
            cursor.expect_symbol("=")?;
            Ok((name, cursor.string()?))
        })
    }
}
