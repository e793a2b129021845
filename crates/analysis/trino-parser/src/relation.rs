//! The relations of FROM.

use crate::ast::*;
use crate::cursor::{Cursor, Parsed};

/// What follows a relation that a join begins with.
enum JoinHead {
    Cross,
    Natural(JoinKind),
    Conditional(JoinKind),
}

impl Cursor<'_> {
    pub(crate) fn relation(&mut self) -> Parsed<Relation> {
        self.nested(|cursor| {
            cursor.scoped(|cursor| {
                let mut left = cursor.sampled_relation()?;
                while let Some(head) = cursor.join_head()? {
                    cursor.wrap()?;
                    left = cursor.join(left, head)?;
                }
                Ok(left)
            })
        })
    }

    fn join_head(&mut self) -> Parsed<Option<JoinHead>> {
        if self.take("CROSS") {
            self.expect("JOIN")?;
            return Ok(Some(JoinHead::Cross));
        }
        let natural = self.take("NATURAL");
        let kinds = [("LEFT", JoinKind::Left), ("RIGHT", JoinKind::Right), ("FULL", JoinKind::Full)];
        let kind = if let Some((_, kind)) = kinds.into_iter().find(|(keyword, _)| self.take(keyword)) {
            self.take("OUTER");
            self.expect("JOIN")?;
            kind
        } else if self.take("INNER") {
            self.expect("JOIN")?;
            JoinKind::Inner
        } else if self.take("JOIN") {
            JoinKind::Inner
        } else if natural {
            return self.mismatch();
        } else {
            return Ok(None);
        };
        Ok(Some(if natural { JoinHead::Natural(kind) } else { JoinHead::Conditional(kind) }))
    }

    fn join(&mut self, left: Relation, head: JoinHead) -> Parsed<Relation> {
        let pos = left.pos;
        let (kind, right, constraint) = match head {
            JoinHead::Cross => (JoinKind::Cross, self.sampled_relation()?, JoinConstraint::None),
            JoinHead::Natural(kind) => (kind, self.sampled_relation()?, JoinConstraint::Natural),
            JoinHead::Conditional(kind) => {
                let right = self.relation()?;
                (kind, right, self.join_constraint()?)
            }
        };
        Ok(Node::new(pos, RelationKind::Join { kind, left: Box::new(left), right: Box::new(right), constraint }))
    }

    fn join_constraint(&mut self) -> Parsed<JoinConstraint> {
        if self.take("USING") {
            return Ok(JoinConstraint::Using(self.listed(Self::identifier)?));
        }
        self.expect("ON")?;
        Ok(JoinConstraint::On(Box::new(self.expression()?)))
    }

    fn sampled_relation(&mut self) -> Parsed<Relation> {
        let relation = self.aliased_relation()?;
        if !self.take("TABLESAMPLE") {
            return Ok(relation);
        }
        let method = if self.take("SYSTEM") {
            SampleMethod::System
        } else {
            self.expect("BERNOULLI")?;
            SampleMethod::Bernoulli
        };
        let percentage = self.parenthesised(Self::expression)?;
        let pos = relation.pos;
        Ok(Node::new(pos, RelationKind::Sampled { relation: Box::new(relation), method, percentage }))
    }

    fn aliased_relation(&mut self) -> Parsed<Relation> {
        let relation = self.plain_relation()?;
        let relation = self.aliased(relation)?;
        if !self.begins_match_recognize() {
            return Ok(relation);
        }
        self.wrap()?;
        let pos = relation.pos;
        let recognition = self.match_recognize(relation)?;
        self.aliased(Node::new(pos, RelationKind::MatchRecognize(Box::new(recognition))))
    }

    /// The relation with the alias that follows, if one does.
    fn aliased(&mut self, relation: Relation) -> Parsed<Relation> {
        let Some(alias) = self.alias()? else { return Ok(relation) };
        let columns = if self.is_symbol_at(0, "(") { self.listed(Self::identifier)? } else { Vec::new() };
        Ok(Node::new(relation.pos, RelationKind::Aliased { relation: Box::new(relation), alias, columns }))
    }

    fn plain_relation(&mut self) -> Parsed<Relation> {
        let pos = self.pos();
        let kind = if self.is_symbol_at(0, "(") {
            if !self.begins_query(1) {
                return self.parenthesised(Self::relation);
            }
            RelationKind::Subquery(self.boxed_subquery()?)
        } else if self.is_word_at(0, "LATERAL") && self.is_symbol_at(1, "(") {
            self.advance();
            RelationKind::Lateral(self.boxed_subquery()?)
        } else if self.is_word_at(0, "UNNEST") {
            self.advance();
            let exprs = self.listed(Self::expression)?;
            RelationKind::Unnest { exprs, ordinality: self.take("WITH ORDINALITY") }
        } else if self.is_word_at(0, "TABLE") {
            self.advance();
            return self.parenthesised(Self::table_function);
        } else if self.is_word_at(0, "JSON_TABLE") {
            return self.unsupported("JSON_TABLE");
        } else if self.is_identifier_at(0) {
            let name = self.name()?;
            RelationKind::Table { name, version: self.table_version()? }
        } else {
            return self.mismatch_of(&["<relation>"]);
        };
        Ok(Node::new(pos, kind))
    }

    /// `name(…)` in `TABLE(…)`
    fn table_function(&mut self) -> Parsed<Relation> {
        let (pos, name) = (self.pos(), self.name()?);
        let args = self.listed_or_empty(|cursor| {
            let named = cursor.is_identifier_at(0) && cursor.is_symbol_at(1, "=>");
            let name = if named { Some(cursor.identifier()?) } else { None };
            if named {
                cursor.advance();
            }
            Ok((name, cursor.table_argument()?))
        })?;
        Ok(Node::new(pos, RelationKind::TableFunction { name, args }))
    }

    fn table_argument(&mut self) -> Parsed<TableArgument> {
        if self.is_word_at(0, "TABLE") && self.is_symbol_at(1, "(") {
            self.advance();
            let argument = self.nested(|cursor| cursor.parenthesised(Self::table_argument_rows))?;
            if self.is_symbol_at(0, ",") || self.is_symbol_at(0, ")") {
                return Ok(TableArgument::Table(Box::new(argument)));
            }
            return self.unsupported("What may follow the table argument of a table function");
        }
        if self.is_word_at(0, "DESCRIPTOR") && self.is_symbol_at(1, "(") {
            self.advance();
            return Ok(TableArgument::Descriptor(self.listed(Self::identifier)?));
        }
        Ok(TableArgument::Value(self.expression()?))
    }

    fn table_argument_rows(&mut self) -> Parsed<Relation> {
        let pos = self.pos();
        let kind = if self.begins_query(0) {
            RelationKind::Subquery(Box::new(self.query()?))
        } else {
            RelationKind::Table { name: self.name()?, version: None }
        };
        Ok(Node::new(pos, kind))
    }

    fn table_version(&mut self) -> Parsed<Option<TableVersion>> {
        if !self.take("FOR") {
            return Ok(None);
        }
        let timestamp = self.take("TIMESTAMP") || self.take("SYSTEM_TIME");
        if !timestamp && !self.take("SYSTEM_VERSION") {
            self.expect("VERSION")?;
        }
        self.expect("AS OF")?;
        let at = self.value()?;
        Ok(Some(if timestamp { TableVersion::Timestamp(at) } else { TableVersion::Version(at) }))
    }
}
