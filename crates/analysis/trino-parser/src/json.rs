//! The SQL/JSON functions.

use crate::ast::*;
use crate::cursor::{Cursor, Parsed};

impl Cursor<'_> {
    /// A call of the function of this name, which comes now.
    pub(crate) fn json_call(&mut self, name: &str) -> Parsed<ExprKind> {
        let rule = match name {
            "JSON_EXISTS" => Self::json_exists,
            "JSON_VALUE" => Self::json_value,
            "JSON_QUERY" => Self::json_query,
            "JSON_OBJECT" => Self::json_object,
            "JSON_ARRAY" => Self::json_array,
            _ => return self.unsupported(name),
        };
        self.advance();
        self.parenthesised(rule).map(|call| ExprKind::Json(Box::new(call)))
    }

    fn json_exists(&mut self) -> Parsed<JsonCall> {
        let path = self.json_path()?;
        let choices = [
            ("TRUE", JsonExistsOnError::True),
            ("FALSE", JsonExistsOnError::False),
            ("UNKNOWN", JsonExistsOnError::Unknown),
            ("ERROR", JsonExistsOnError::Error),
        ];
        let on_error = choices.into_iter().find(|(keyword, _)| self.take(keyword)).map(|(_, choice)| choice);
        if on_error.is_some() {
            self.expect("ON ERROR")?;
        }
        Ok(JsonCall::Exists { path, on_error })
    }

    fn json_value(&mut self) -> Parsed<JsonCall> {
        let path = self.json_path()?;
        let returning = if self.take("RETURNING") { Some(self.type_expr()?) } else { None };
        let (on_empty, on_error) = self.fallbacks(Self::value_fallback)?;
        Ok(JsonCall::Value { path, returning, on_empty, on_error })
    }

    fn value_fallback(&mut self) -> Parsed<Option<JsonValueFallback>> {
        Ok(if self.take("ERROR") {
            Some(JsonValueFallback::Error)
        } else if self.take("NULL") {
            Some(JsonValueFallback::Null)
        } else if self.take("DEFAULT") {
            Some(JsonValueFallback::Default(self.expression()?))
        } else {
            None
        })
    }

    fn json_query(&mut self) -> Parsed<JsonCall> {
        let path = self.json_path()?;
        let returning = self.json_output()?;
        let wrapper = self.json_wrapper()?;
        let keep_quotes = self.either("KEEP", "OMIT");
        if keep_quotes.is_some() {
            self.expect("QUOTES")?;
            self.take("ON SCALAR STRING");
        }
        let (on_empty, on_error) = self.fallbacks(Self::query_fallback)?;
        Ok(JsonCall::Query { path, returning, wrapper, keep_quotes, on_empty, on_error })
    }

    fn query_fallback(&mut self) -> Parsed<Option<JsonQueryFallback>> {
        let choices = [
            ("ERROR", JsonQueryFallback::Error),
            ("NULL", JsonQueryFallback::Null),
            ("EMPTY ARRAY", JsonQueryFallback::EmptyArray),
            ("EMPTY OBJECT", JsonQueryFallback::EmptyObject),
        ];
        Ok(choices.into_iter().find(|(keywords, _)| self.take(keywords)).map(|(_, choice)| choice))
    }

    /// `… ON EMPTY` and `… ON ERROR`, in this order, each if it comes.
    fn fallbacks<T>(&mut self, rule: impl Fn(&mut Self) -> Parsed<Option<T>>) -> Parsed<(Option<T>, Option<T>)> {
        let Some(first) = rule(self)? else { return Ok((None, None)) };
        self.expect("ON")?;
        if self.take("ERROR") {
            return Ok((None, Some(first)));
        }
        self.expect("EMPTY")?;
        let second = rule(self)?;
        if second.is_some() {
            self.expect("ON ERROR")?;
        }
        Ok((Some(first), second))
    }

    fn json_wrapper(&mut self) -> Parsed<Option<JsonWrapper>> {
        let wrapper = if self.take("WITHOUT") {
            JsonWrapper::Without
        } else if self.take("WITH") {
            match self.either("CONDITIONAL", "UNCONDITIONAL") {
                Some(true) => JsonWrapper::Conditional,
                _ => JsonWrapper::Unconditional,
            }
        } else {
            return Ok(None);
        };
        self.take("ARRAY");
        self.expect("WRAPPER")?;
        Ok(Some(wrapper))
    }

    /// Whether the first or the second keyword comes, if one of them does.
    fn either(&mut self, first: &'static str, second: &'static str) -> Option<bool> {
        if self.take(first) {
            return Some(true);
        }
        self.take(second).then_some(false)
    }

    fn json_object(&mut self) -> Parsed<JsonCall> {
        let members = if self.ends_json_items() { Vec::new() } else { self.list(Self::json_member)? };
        let absent_on_null = self.absent_on_null()?;
        let unique_keys = self.either("WITH", "WITHOUT");
        if unique_keys.is_some() {
            self.expect("UNIQUE")?;
            self.take("KEYS");
        }
        Ok(JsonCall::Object { members, absent_on_null, unique_keys, returning: self.json_output()? })
    }

    fn json_member(&mut self) -> Parsed<JsonMember> {
        let spelled = self.is_word_at(0, "KEY") && !self.is_symbol_at(1, ":") && !self.is_word_at(1, "VALUE");
        if spelled {
            self.advance();
        }
        let key = self.expression()?;
        if spelled || !self.take_symbol(":") {
            self.expect("VALUE")?;
        }
        Ok(JsonMember { key, value: self.json_item()? })
    }

    fn json_array(&mut self) -> Parsed<JsonCall> {
        let items = if self.ends_json_items() { Vec::new() } else { self.list(Self::json_item)? };
        let absent_on_null = self.absent_on_null()?;
        Ok(JsonCall::Array { items, absent_on_null, returning: self.json_output()? })
    }

    fn ends_json_items(&self) -> bool {
        self.is_symbol_at(0, ")") || self.is_word_at(0, "RETURNING")
    }

    fn absent_on_null(&mut self) -> Parsed<Option<bool>> {
        let absent = self.either("ABSENT", "NULL");
        if absent.is_some() {
            self.expect("ON NULL")?;
        }
        Ok(absent)
    }

    fn json_path(&mut self) -> Parsed<JsonPath> {
        let input = self.json_item()?;
        self.expect_symbol(",")?;
        let pos = Mark(self.pos());
        let path = self.string()?;
        let name = if self.take("AS") { Some(self.identifier()?) } else { None };
        let passing = if self.take("PASSING") { self.list(Self::json_argument)? } else { Vec::new() };
        Ok(JsonPath { input, path, pos, name, passing })
    }

    fn json_argument(&mut self) -> Parsed<(JsonItem, Ident)> {
        let item = self.json_item()?;
        self.expect("AS")?;
        Ok((item, self.identifier()?))
    }

    fn json_item(&mut self) -> Parsed<JsonItem> {
        Ok(JsonItem { expr: self.expression()?, format: self.json_format()? })
    }

    fn json_output(&mut self) -> Parsed<Option<JsonOutput>> {
        if !self.take("RETURNING") {
            return Ok(None);
        }
        Ok(Some(JsonOutput { ty: self.type_expr()?, format: self.json_format()? }))
    }

    fn json_format(&mut self) -> Parsed<Option<JsonFormat>> {
        if !self.take("FORMAT") {
            return Ok(None);
        }
        self.expect("JSON")?;
        if !self.take("ENCODING") {
            return Ok(Some(JsonFormat::Json));
        }
        self.one_of(&[("UTF8", JsonFormat::Utf8), ("UTF16", JsonFormat::Utf16), ("UTF32", JsonFormat::Utf32)]).map(Some)
    }
}
