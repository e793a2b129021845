//! Types of Hive's grammar.

use crate::ast::{HiveType, Ident};
use crate::cursor::{Cursor, Parsed};

const PRIMITIVES: [&str; 11] =
    ["boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "string", "binary", "date", "timestamp"];

impl Cursor<'_> {
    pub(crate) fn hive_type(&mut self) -> Parsed<HiveType> {
        self.nested(|cursor| {
            let Some(word) = cursor.take_word() else { return cursor.mismatch_of(&["<type>"]) };
            match word.lower().as_str() {
                "integer" => Ok(HiveType::Primitive("int".into())),
                "decimal" => cursor.decimal(),
                "char" => Ok(HiveType::Char(cursor.length(255)?)),
                "varchar" => Ok(HiveType::Varchar(cursor.length(65535)?)),
                "array" => cursor.bracketed(|cursor| Ok(HiveType::Array(Box::new(cursor.hive_type()?)))),
                "map" => cursor.bracketed(|cursor| {
                    let key = Box::new(cursor.hive_type()?);
                    cursor.expect_symbol(",")?;
                    Ok(HiveType::Map(key, Box::new(cursor.hive_type()?)))
                }),
                "struct" => cursor.bracketed(|cursor| cursor.list(Self::struct_field).map(HiveType::Struct)),
                name if PRIMITIVES.contains(&name) => Ok(HiveType::Primitive(name.into())),
                name => cursor.refuse_type(&word, name),
            }
        })
    }

    fn refuse_type(&self, word: &Ident, name: &str) -> Parsed<HiveType> {
        let message = format!("mismatched input '{name}'. Expecting: <type>");
        Err(crate::SyntaxError { pos: word.pos, message })
    }

    fn bracketed(&mut self, rule: impl FnOnce(&mut Self) -> Parsed<HiveType>) -> Parsed<HiveType> {
        self.expect_symbol("<")?;
        let ty = rule(self)?;
        self.expect_symbol(">")?;
        Ok(ty)
    }

    fn struct_field(&mut self) -> Parsed<(Ident, HiveType)> {
        let Some(name) = self.any_word() else { return self.mismatch_of(&["<identifier>"]) };
        self.expect_symbol(":")?;
        Ok((name, self.hive_type()?))
    }

    fn decimal(&mut self) -> Parsed<HiveType> {
        if !self.take_symbol("(") {
            return Ok(HiveType::Decimal { precision: 10, scale: 0 });
        }
        let precision: u8 = self.integer()?;
        let scale: u8 = if self.take_symbol(",") { self.integer()? } else { 0 };
        if !(1..=38).contains(&precision) || scale > precision {
            return self.refuse(&format!("Invalid decimal type: decimal({precision},{scale})"));
        }
        self.expect_symbol(")")?;
        Ok(HiveType::Decimal { precision, scale })
    }

    fn length(&mut self, limit: u32) -> Parsed<u32> {
        self.parenthesised(|cursor| {
            let length = cursor.integer()?;
            if (1..=limit).contains(&length) {
                return Ok(length);
            }
            cursor.refuse(&format!("Length {length} is out of range [1, {limit}]"))
        })
    }
}
