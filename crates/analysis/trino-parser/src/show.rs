//! SHOW and DESCRIBE, which Athena reads as Hive does.

use crate::ast::*;
use crate::cursor::{Cursor, Parsed};

impl Cursor<'_> {
    pub(crate) fn show(&mut self) -> Parsed<Statement> {
        self.expect("SHOW")?;
        let show = if self.take("DATABASES") || self.take("SCHEMAS") {
            Show::Databases { pattern: self.pattern()? }
        } else if self.take("TABLES") {
            Show::Tables { database: self.of()?, pattern: self.pattern()? }
        } else if self.take("VIEWS") {
            Show::Views { database: self.of()?, pattern: self.pattern()? }
        } else if self.take("COLUMNS") {
            Show::Columns(self.shown_columns()?)
        } else if self.take("PARTITIONS") {
            Show::Partitions(self.name()?)
        } else if self.take("CREATE") {
            self.show_create()?
        } else if self.take("TBLPROPERTIES") {
            let table = self.name()?;
            let key = if self.is_symbol_at(0, "(") { Some(self.parenthesised(Self::string)?) } else { None };
            Show::TableProperties { table, key }
        } else if self.take("FUNCTIONS") {
            Show::Functions { pattern: self.pattern()? }
        } else {
            return self.refused_show();
        };
        Ok(Statement::Show(show))
    }

    /// What Trino shows and Athena refuses.
    fn refused_show(&mut self) -> Parsed<Statement> {
        const REFUSED: [&str; 7] = ["BRANCHES", "CATALOGS", "CURRENT", "GRANTS", "ROLE", "ROLES", "SESSION"];
        let stats = self.is_word_at(0, "STATS") && self.is_word_at(1, "FOR");
        match REFUSED.iter().find(|word| self.is_word_at(0, word)) {
            Some(word) => self.refuse(&format!("Queries of this type are not supported: SHOW {word}")),
            None if stats => self.refuse("Queries of this type are not supported: SHOW STATS"),
            None => self.mismatch(),
        }
    }

    fn show_create(&mut self) -> Parsed<Show> {
        if self.take("TABLE") {
            return Ok(Show::CreateTable(self.name()?));
        }
        self.expect("VIEW")?;
        Ok(Show::CreateView(self.name()?))
    }

    /// `[LIKE] 'pattern'`, if it comes.
    fn pattern(&mut self) -> Parsed<Option<String>> {
        if self.take("LIKE") { self.string().map(Some) } else { Ok(self.take_string()) }
    }

    /// `{FROM|IN} name`, if it comes.
    fn of(&mut self) -> Parsed<Option<Name>> {
        if self.take("IN") || self.take("FROM") { self.name().map(Some) } else { Ok(None) }
    }

    fn shown_columns(&mut self) -> Parsed<Name> {
        let Some(mut table) = self.of()? else { return self.mismatch() };
        if let Some(mut database) = self.of()? {
            database.parts.append(&mut table.parts);
            return Ok(database);
        }
        Ok(table)
    }

    pub(crate) fn describe(&mut self) -> Parsed<Statement> {
        self.advance();
        // A prepared statement's name follows, and not a column of a table of that name.
        for prepared in ["INPUT", "OUTPUT"] {
            if self.is_word_at(0, prepared) && self.is_identifier_at(1) {
                return self.refuse(&format!("Queries of this type are not supported: DESCRIBE {prepared}"));
            }
        }
        let detail = if self.take("EXTENDED") {
            DescribeDetail::Extended
        } else if self.is_word_at(0, "FORMATTED") && self.is_identifier_at(1) {
            self.advance();
            DescribeDetail::Formatted
        } else {
            DescribeDetail::Plain
        };
        let table = self.name()?;
        let partition = self.partition()?;
        let mut column: Vec<_> = self.take_identifier().into_iter().collect();
        while !column.is_empty() && self.take_symbol(".") {
            column.push(self.column_step()?);
        }
        Ok(Statement::Describe(Describe { table, detail, partition, column }))
    }

    /// A field's name, or `'$elem$'` and its like.
    fn column_step(&mut self) -> Parsed<Ident> {
        let pos = self.pos();
        match self.take_string() {
            Some(value) => Ok(Ident { pos, value, quoted: true }),
            None => self.identifier(),
        }
    }
}
