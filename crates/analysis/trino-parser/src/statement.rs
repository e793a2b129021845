//! Statements of Trino's grammar, and which grammar a statement is in.

use crate::ast::*;
use crate::cursor::{Cursor, Parsed};
use crate::lexer::{Dialect, beginning};

/// What a statement may begin with, in both grammars.
const STATEMENTS: [&str; 21] = [
    "<query>",
    "ALTER",
    "CREATE",
    "DEALLOCATE",
    "DELETE",
    "DESC",
    "DESCRIBE",
    "DROP",
    "EXECUTE",
    "EXPLAIN",
    "INSERT",
    "MERGE",
    "MSCK",
    "OPTIMIZE",
    "PREPARE",
    "SHOW",
    "UNLOAD",
    "UPDATE",
    "VACUUM",
    "VALUES",
    "WITH",
];

/// Statements of Trino's and Hive's that Athena refuses.
const REFUSED: [&str; 24] = [
    "ANALYZE", "CALL", "COMMENT", "COMMIT", "DENY", "EXPORT", "GRANT", "IMPORT", "KILL", "LOAD", "LOCK", "REFRESH",
    "RELOAD", "REPLACE", "RESET", "REVOKE", "ROLLBACK", "SET", "START", "TRUNCATE", "UNCACHE", "UNLOCK", "UNSET",
    "USE",
];

/// Which grammar a statement is in, by its first words.
pub(crate) fn dialect(text: &str) -> Dialect {
    let words = beginning(text, 16);
    let word = |index: usize| words.get(index).map_or("", String::as_str);
    let hive = match (word(0), word(1)) {
        ("CREATE", "TABLE") => !creates_from_query(&words[2..]),
        ("CREATE", "DATABASE" | "SCHEMA" | "EXTERNAL") | ("DROP", "DATABASE" | "SCHEMA" | "TABLE") => true,
        // Athena wants names that begin with an underscore in backticks here, and only here.
        ("VACUUM", _) => text.contains('`'),
        (first, _) => matches!(first, "ALTER" | "MSCK" | "SHOW" | "DESCRIBE" | "DESC"),
    };
    if hive { Dialect::Hive } else { Dialect::Trino }
}

/// Whether after `CREATE TABLE` and the name comes what only CREATE TABLE AS has.
fn creates_from_query(words: &[String]) -> bool {
    let mut rest = words.strip_prefix(&["IF".to_owned(), "NOT".to_owned(), "EXISTS".to_owned()]).unwrap_or(words);
    while let [_, dot, after @ ..] = rest
        && dot == "."
    {
        rest = after;
    }
    rest.get(1).is_some_and(|next| matches!(next.as_str(), "AS" | "WITH" | "COMMENT"))
}

impl Cursor<'_> {
    /// A statement of Trino's grammar.
    pub(crate) fn trino_statement(&mut self) -> Parsed<Statement> {
        if self.begins_query(0) || self.is_symbol_at(0, "(") {
            return Ok(Statement::Query(Box::new(self.query()?)));
        }
        if self.is_word_at(0, "CREATE") {
            return self.create();
        }
        self.statement_on_data()
    }

    fn create(&mut self) -> Parsed<Statement> {
        self.expect("CREATE")?;
        let or_replace = self.take("OR REPLACE");
        if self.take("VIEW") {
            return self.create_view(or_replace);
        }
        for refused in ["FUNCTION", "MATERIALIZED VIEW", "ROLE"] {
            if self.is_word_at(0, refused.split(' ').next().unwrap_or(refused)) {
                return self.refuse(&format!("Queries of this type are not supported: CREATE {refused}"));
            }
        }
        if or_replace {
            return self.mismatch();
        }
        self.expect("TABLE")?;
        self.create_table_as()
    }

    fn create_view(&mut self, or_replace: bool) -> Parsed<Statement> {
        let name = self.name()?;
        self.expect("AS")?;
        Ok(Statement::CreateView(Box::new(CreateView { name, or_replace, query: self.query()? })))
    }

    fn create_table_as(&mut self) -> Parsed<Statement> {
        let if_not_exists = self.take("IF NOT EXISTS");
        let name = self.name()?;
        let comment = if self.take("COMMENT") { Some(self.string()?) } else { None };
        let properties = self.with_properties()?;
        self.expect("AS")?;
        let query = self.query()?;
        let with_data = !self.take("WITH NO DATA");
        if with_data {
            self.take("WITH DATA");
        }
        let table = CreateTableAs { name, if_not_exists, comment, properties, query, with_data };
        Ok(Statement::CreateTableAs(Box::new(table)))
    }

    /// `WITH (name = value, …)`, if it comes.
    fn with_properties(&mut self) -> Parsed<Vec<Property>> {
        if !self.take("WITH") {
            return Ok(Vec::new());
        }
        self.listed(|cursor| {
            let name = cursor.identifier()?;
            cursor.expect_symbol("=")?;
            Ok(Property { name, value: cursor.expression()? })
        })
    }

    fn statement_on_data(&mut self) -> Parsed<Statement> {
        let Some(word) = self.clone_word() else { return self.mismatch_of(&STATEMENTS) };
        if REFUSED.contains(&word.as_str()) {
            return self.refuse(&format!("Queries of this type are not supported: {word}"));
        }
        match word.as_str() {
            "INSERT" => self.insert(),
            "DELETE" => self.delete(),
            "UPDATE" => self.update(),
            "MERGE" => self.merge(),
            "OPTIMIZE" => self.optimize(),
            "VACUUM" => {
                self.advance();
                Ok(Statement::Vacuum(self.name()?))
            }
            "UNLOAD" => self.unload(),
            "DROP" => self.drop_view(),
            "EXPLAIN" => self.explain(),
            "PREPARE" => self.prepare(),
            "EXECUTE" => self.execute(),
            "DEALLOCATE" => {
                self.advance();
                self.expect("PREPARE")?;
                Ok(Statement::Deallocate(self.identifier()?))
            }
            _ => self.mismatch_of(&STATEMENTS),
        }
    }

    /// The word that comes, in upper case.
    fn clone_word(&self) -> Option<String> {
        match self.token() {
            crate::lexer::TokenKind::Word(word) => Some(word.to_ascii_uppercase()),
            _ => None,
        }
    }

    fn insert(&mut self) -> Parsed<Statement> {
        self.advance();
        self.expect("INTO")?;
        let table = self.name()?;
        let listed = self.is_symbol_at(0, "(") && !self.begins_query(1);
        let columns = if listed { self.listed(Self::identifier)? } else { Vec::new() };
        Ok(Statement::Insert(Box::new(Insert { table, columns, query: self.query()? })))
    }

    fn filter(&mut self) -> Parsed<Option<Expr>> {
        if self.take("WHERE") { self.expression().map(Some) } else { Ok(None) }
    }

    fn delete(&mut self) -> Parsed<Statement> {
        self.advance();
        self.expect("FROM")?;
        let table = self.name()?;
        Ok(Statement::Delete(Box::new(Delete { table, filter: self.filter()? })))
    }

    fn update(&mut self) -> Parsed<Statement> {
        self.advance();
        let table = self.name()?;
        let assignments = self.assignments()?;
        Ok(Statement::Update(Box::new(Update { table, assignments, filter: self.filter()? })))
    }

    /// `SET a = x, …`
    fn assignments(&mut self) -> Parsed<Vec<(Ident, Expr)>> {
        self.expect("SET")?;
        self.list(|cursor| {
            let column = cursor.identifier()?;
            cursor.expect_symbol("=")?;
            Ok((column, cursor.expression()?))
        })
    }

    fn merge(&mut self) -> Parsed<Statement> {
        self.advance();
        self.expect("INTO")?;
        let table = self.name()?;
        let alias = self.alias()?;
        self.expect("USING")?;
        let source = self.relation()?;
        self.expect("ON")?;
        let on = self.expression()?;
        let mut cases = Vec::new();
        while self.take("WHEN") {
            cases.push(self.merge_case()?);
        }
        if cases.is_empty() {
            return self.mismatch();
        }
        Ok(Statement::Merge(Box::new(Merge { table, alias, source, on, cases })))
    }

    fn merge_case(&mut self) -> Parsed<MergeCase> {
        let unmatched = self.take("NOT");
        self.expect("MATCHED")?;
        let condition = if self.take("AND") { Some(self.expression()?) } else { None };
        self.expect("THEN")?;
        if unmatched {
            self.expect("INSERT")?;
            let columns = if self.is_symbol_at(0, "(") { self.listed(Self::identifier)? } else { Vec::new() };
            self.expect("VALUES")?;
            return Ok(MergeCase::Insert { condition, columns, values: self.listed(Self::expression)? });
        }
        if self.take("DELETE") {
            return Ok(MergeCase::Delete { condition });
        }
        self.expect("UPDATE")?;
        Ok(MergeCase::Update { condition, assignments: self.assignments()? })
    }

    fn optimize(&mut self) -> Parsed<Statement> {
        self.advance();
        let table = self.name()?;
        self.expect("REWRITE DATA USING BIN_PACK")?;
        Ok(Statement::Optimize(Box::new(Optimize { table, filter: self.filter()? })))
    }

    fn unload(&mut self) -> Parsed<Statement> {
        self.advance();
        let query = self.parenthesised(Self::query)?;
        self.expect("TO")?;
        let location = self.string()?;
        Ok(Statement::Unload(Box::new(Unload { query, location, properties: self.with_properties()? })))
    }

    fn drop_view(&mut self) -> Parsed<Statement> {
        self.advance();
        self.expect("VIEW")?;
        let if_exists = self.take("IF EXISTS");
        Ok(Statement::DropView(DropRelation { name: self.name()?, if_exists }))
    }

    fn explain(&mut self) -> Parsed<Statement> {
        self.advance();
        let analyze = if self.take("ANALYZE") {
            Some(if self.take("VERBOSE") { Analyze::Verbose } else { Analyze::Plain })
        } else {
            None
        };
        let (mut kind, mut format) = (None, None);
        if self.is_symbol_at(0, "(") && self.is_any_word_at(1, &["TYPE", "FORMAT"]) {
            self.listed(|cursor| cursor.explain_option(&mut kind, &mut format))?;
        }
        let statement = self.nested(Self::trino_statement)?;
        Ok(Statement::Explain(Box::new(Explain { analyze, kind, format, statement })))
    }

    fn explain_option(&mut self, kind: &mut Option<ExplainType>, format: &mut Option<ExplainFormat>) -> Parsed<()> {
        if self.take("TYPE") {
            *kind = Some(self.one_of(&[
                ("LOGICAL", ExplainType::Logical),
                ("DISTRIBUTED", ExplainType::Distributed),
                ("VALIDATE", ExplainType::Validate),
                ("IO", ExplainType::Io),
            ])?);
            return Ok(());
        }
        self.expect("FORMAT")?;
        *format = Some(self.one_of(&[
            ("TEXT", ExplainFormat::Text),
            ("GRAPHVIZ", ExplainFormat::Graphviz),
            ("JSON", ExplainFormat::Json),
        ])?);
        Ok(())
    }

    fn prepare(&mut self) -> Parsed<Statement> {
        self.advance();
        let name = self.identifier()?;
        self.expect("FROM")?;
        let (statement, text) = self.with_text(|cursor| cursor.nested(Self::trino_statement))?;
        Ok(Statement::Prepare(Box::new(Prepare { name, statement, text })))
    }

    fn execute(&mut self) -> Parsed<Statement> {
        self.advance();
        let name = self.identifier()?;
        let arguments = if self.take("USING") { self.list(Self::expression)? } else { Vec::new() };
        Ok(Statement::Execute(Execute { name, arguments }))
    }
}
