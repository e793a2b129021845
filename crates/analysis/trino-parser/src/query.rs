//! Queries, without the relations of FROM.

use crate::ast::*;
use crate::cursor::{Cursor, Parsed};
use crate::expression::{Strength, strength};
use crate::lexer::TokenKind;

const SET_OPERATORS: [&str; 3] = ["UNION", "INTERSECT", "EXCEPT"];

impl Cursor<'_> {
    /// Whether what begins `count` tokens ahead is a query: one of its words comes, or parentheses around such words with
    /// nothing but a query's parts after them. Only a lookahead over the parentheses: trying both ways takes exponential time.
    pub(crate) fn begins_query(&self, count: usize) -> bool {
        let mut word = count;
        while self.is_symbol_at(word, "(") {
            word += 1;
        }
        let begins = self.is_any_word_at(word, &["SELECT", "WITH", "VALUES"])
            || (self.is_word_at(word, "TABLE") && !self.is_symbol_at(word + 1, "("));
        begins && (count..word).all(|open| self.closing(open).is_some_and(|close| self.continues_query(close + 1)))
    }

    /// Whether a query in parentheses may be followed by what stands there, and stay a query.
    fn continues_query(&self, count: usize) -> bool {
        self.is_symbol_at(count, ")")
            || self.is_any_word_at(count, &SET_OPERATORS)
            || self.is_word_at(count, "ORDER")
            || self.begins_row_limit(count)
    }

    /// Whether OFFSET, LIMIT or FETCH come, and not columns or aliases of such names.
    pub(crate) fn begins_row_limit(&self, count: usize) -> bool {
        let number = matches!(self.ahead(count + 1), TokenKind::Integer(_) | TokenKind::Symbol("?"));
        (self.is_any_word_at(count, &["OFFSET", "LIMIT"]) && number)
            || (self.is_word_at(count, "LIMIT") && self.is_word_at(count + 1, "ALL"))
            || (self.is_word_at(count, "FETCH") && self.is_any_word_at(count + 1, &["FIRST", "NEXT"]))
    }

    /// `(query)`
    pub(crate) fn boxed_subquery(&mut self) -> Parsed<Box<Query>> {
        self.parenthesised(|cursor| cursor.query().map(Box::new))
    }

    pub(crate) fn query(&mut self) -> Parsed<Query> {
        self.nested(|cursor| {
            let with = if cursor.is_word_at(0, "WITH") { Some(cursor.with_clause()?) } else { None };
            let body = cursor.query_body()?;
            let order_by = cursor.order_by()?;
            let offset = cursor.offset()?;
            let limit = cursor.limit()?;
            Ok(unwrapped(Query { with, body, order_by, offset, limit }))
        })
    }

    fn with_clause(&mut self) -> Parsed<With> {
        self.expect("WITH")?;
        let recursive = self.take("RECURSIVE");
        Ok(With { recursive, queries: self.list(Self::named_query)? })
    }

    fn named_query(&mut self) -> Parsed<NamedQuery> {
        let name = self.identifier()?;
        let columns = if self.is_symbol_at(0, "(") { self.listed(Self::identifier)? } else { Vec::new() };
        self.expect("AS")?;
        Ok(NamedQuery { name, columns, query: self.parenthesised(Self::query)? })
    }

    fn offset(&mut self) -> Parsed<Option<Expr>> {
        if !self.take("OFFSET") {
            return Ok(None);
        }
        let rows = self.row_count()?;
        if !self.take("ROWS") {
            self.take("ROW");
        }
        Ok(Some(rows))
    }

    fn limit(&mut self) -> Parsed<Option<Limit>> {
        if self.take("LIMIT") {
            return Ok(Some(if self.take("ALL") { Limit::All } else { Limit::Rows(self.row_count()?) }));
        }
        let pos = Mark(self.pos());
        if !self.take("FETCH") {
            return Ok(None);
        }
        if !self.take("FIRST") {
            self.expect("NEXT")?;
        }
        let rows = if self.is_any_word_at(0, &["ROW", "ROWS"]) { None } else { Some(self.row_count()?) };
        if !self.take("ROWS") {
            self.expect("ROW")?;
        }
        let with_ties = !self.take("ONLY");
        if with_ties {
            self.expect("WITH TIES")?;
        }
        Ok(Some(Limit::Fetch { pos, rows, with_ties }))
    }

    fn row_count(&mut self) -> Parsed<Expr> {
        let pos = self.pos();
        if self.take_symbol("?") {
            return Ok(Node::new(pos, ExprKind::Parameter(self.next_parameter())));
        }
        Ok(Node::new(pos, ExprKind::Integer(self.integer()?)))
    }

    /// Bodies with UNION and EXCEPT between them.
    fn query_body(&mut self) -> Parsed<QueryBody> {
        self.set_operations(&[("UNION", SetOp::Union), ("EXCEPT", SetOp::Except)], |cursor| {
            cursor.set_operations(&[("INTERSECT", SetOp::Intersect)], Self::query_primary)
        })
    }

    fn set_operations(
        &mut self,
        operators: &[(&'static str, SetOp)],
        operand: impl Fn(&mut Self) -> Parsed<QueryBody>,
    ) -> Parsed<QueryBody> {
        self.scoped(|cursor| {
            let mut left = operand(cursor)?;
            loop {
                let pos = cursor.pos();
                let Some((_, op)) = operators.iter().find(|(keyword, _)| cursor.take(keyword)) else { break };
                let all = cursor.take("ALL");
                if !all {
                    cursor.take("DISTINCT");
                }
                cursor.wrap()?;
                let right = Box::new(operand(cursor)?);
                left = Node::new(pos, QueryBodyKind::SetOperation { op: *op, all, left: Box::new(left), right });
            }
            Ok(left)
        })
    }

    fn query_primary(&mut self) -> Parsed<QueryBody> {
        let pos = self.pos();
        let kind = if self.is_word_at(0, "SELECT") {
            QueryBodyKind::Select(Box::new(self.select()?))
        } else if self.is_word_at(0, "VALUES") {
            self.advance();
            QueryBodyKind::Values(self.list(Self::expression)?)
        } else if self.is_word_at(0, "TABLE") {
            self.advance();
            QueryBodyKind::Table(self.name()?)
        } else if self.is_symbol_at(0, "(") {
            QueryBodyKind::Subquery(self.boxed_subquery()?)
        } else {
            return self.mismatch_of(&["<query>"]);
        };
        Ok(Node::new(pos, kind))
    }

    fn select(&mut self) -> Parsed<Select> {
        self.expect("SELECT")?;
        let distinct = self.set_quantifier();
        let items = self.list(Self::select_item)?;
        let from = if self.take("FROM") { self.list(Self::relation)? } else { Vec::new() };
        let filter = if self.take("WHERE") { Some(self.expression()?) } else { None };
        let group_by = if self.take("GROUP BY") { Some(self.group_by()?) } else { None };
        let having = if self.take("HAVING") { Some(self.expression()?) } else { None };
        let windows = if self.take("WINDOW") { self.list(Self::named_window)? } else { Vec::new() };
        Ok(Select { distinct, items, from, filter, group_by, having, windows })
    }

    fn named_window(&mut self) -> Parsed<(Ident, Window)> {
        let name = self.identifier()?;
        self.expect("AS")?;
        Ok((name, self.parenthesised(Self::window)?))
    }

    fn select_item(&mut self) -> Parsed<SelectItem> {
        let pos = self.pos();
        if self.is_symbol_at(0, "*") {
            self.advance();
            return Ok(Node::new(pos, SelectItemKind::All));
        }
        let enclosed = self.is_symbol_at(0, "(");
        let expr = self.expression()?;
        let one_operand = enclosed || strength(&expr.kind) == Strength::Postfix;
        if one_operand && self.is_symbol_at(0, ".") && self.is_symbol_at(1, "*") {
            self.advance();
            self.advance();
            let aliases = if self.take("AS") { self.listed(Self::identifier)? } else { Vec::new() };
            return Ok(Node::new(pos, SelectItemKind::AllOf { target: expr, aliases }));
        }
        let alias = self.alias()?;
        Ok(Node::new(pos, SelectItemKind::Expr { expr, alias }))
    }

    /// `[AS] name`; without AS, words that begin a clause are no names.
    pub(crate) fn alias(&mut self) -> Parsed<Option<Ident>> {
        if self.take("AS") {
            return self.identifier().map(Some);
        }
        Ok(if self.begins_clause() { None } else { self.take_identifier() })
    }

    /// Whether words come that are not reserved and yet begin a clause.
    fn begins_clause(&self) -> bool {
        self.begins_row_limit(0)
            || (self.is_word_at(0, "WINDOW") && self.is_identifier_at(1) && self.is_word_at(2, "AS"))
            || (self.is_word_at(0, "TABLESAMPLE") && self.is_any_word_at(1, &["BERNOULLI", "SYSTEM"]))
            || self.begins_match_recognize()
    }

    fn group_by(&mut self) -> Parsed<GroupBy> {
        let distinct = self.set_quantifier();
        Ok(GroupBy { distinct, elements: self.list(Self::grouping_element)? })
    }

    fn grouping_element(&mut self) -> Parsed<GroupingElement> {
        if self.take("ROLLUP") {
            return Ok(GroupingElement::Rollup(self.listed_or_empty(Self::grouping_set)?));
        }
        if self.take("CUBE") {
            return Ok(GroupingElement::Cube(self.listed_or_empty(Self::grouping_set)?));
        }
        if self.is_word_at(0, "GROUPING") && self.is_word_at(1, "SETS") {
            self.expect("GROUPING SETS")?;
            return Ok(GroupingElement::Sets(self.listed(Self::grouping_set)?));
        }
        if self.is_word_at(0, "AUTO") && !self.is_symbol_at(1, ".") && !self.is_symbol_at(1, "(") {
            self.advance();
            return Ok(GroupingElement::Auto);
        }
        Ok(GroupingElement::Set(self.grouping_set()?))
    }

    /// An expression, or a list of them in parentheses.
    fn grouping_set(&mut self) -> Parsed<Vec<Expr>> {
        if self.is_symbol_at(0, "(") && self.is_symbol_at(1, ")") && !self.is_symbol_at(2, "->") {
            return self.listed_or_empty(Self::expression);
        }
        let listed = self.is_symbol_at(0, "(");
        let expr = self.expression()?;
        Ok(match expr.kind {
            ExprKind::Row(items) if listed => items,
            _ => vec![expr],
        })
    }
}

/// A query that only is another one in parentheses is that other one.
fn unwrapped(query: Query) -> Query {
    let bare = query.with.is_none() && query.order_by.is_empty() && query.offset.is_none() && query.limit.is_none();
    match query.body.kind {
        QueryBodyKind::Subquery(inner) if bare => *inner,
        kind => Query { body: Node::new(query.body.pos, kind), ..query },
    }
}
