//! Literals, written types and the functions without parentheses.

use arrow::datatypes::IntervalUnit;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::{RowField, Type};
use boathouse_trino_functions::{Typed, cast, operators};
use boathouse_trino_parser::ast::{CurrentItem, Ident, IntervalField, Pos, TypeExpr, TypeKind};
use chrono::NaiveDate;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, lit};

use super::at;
use crate::catalog::Session;

/// A value of a scalar.
fn value(value: ScalarValue, ty: Type) -> Typed {
    (Expr::Literal(value, None), ty)
}

/// A text.
pub(super) fn string(text: &str) -> Typed {
    (lit(text), Type::Varchar(Some(text.chars().count() as u32)))
}

/// A whole number: an integer where it fits.
pub(super) fn integer(number: i64) -> Typed {
    match i32::try_from(number) {
        Ok(number) => (lit(number), Type::Integer),
        Err(_) => (lit(number), Type::Bigint),
    }
}

/// `1.50`: the digits decide precision and scale.
pub(super) fn decimal(text: &str, pos: Pos) -> Result<Typed, TrinoError> {
    let plain = without_underscores(text);
    let (negative, digits) = match plain.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, plain.as_str()),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = whole.trim_start_matches('0');
    let precision = (whole.len() + fraction.len()).max(1);
    let number = format!("{whole}{fraction}");
    let parsed = if number.is_empty() { Ok(0) } else { number.parse::<i128>() };
    match parsed {
        Ok(number) if precision <= 38 => {
            let (precision, scale) = (precision as u8, fraction.len() as u8);
            let number = if negative { -number } else { number };
            Ok(value(ScalarValue::Decimal128(Some(number), precision, scale as i8), Type::Decimal(precision, scale)))
        }
        _ => {
            let message = format!("'{text}' is not a valid DECIMAL literal");
            Err(TrinoError::at(pos, ErrorCode::InvalidLiteral, message))
        }
    }
}

/// Digits without the single underscores between them; others stay, and make no number.
fn without_underscores(text: &str) -> String {
    let is_digit = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_digit());
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    let mut before = None;
    while let Some(letter) = rest.next() {
        if letter != '_' || !is_digit(before) || !is_digit(rest.peek().copied()) {
            plain.push(letter);
        }
        before = Some(letter);
    }
    plain
}

/// `DATE '2020-01-01'` and its like.
pub(super) fn typed(type_name: &str, text: &str, pos: Pos) -> Result<Typed, TrinoError> {
    let written = type_name;
    let type_name = written.to_lowercase();
    let type_name = type_name.as_str();
    let ty = match type_name {
        "timestamp" => temporal(text, 11, Type::Timestamp, Type::TimestampTz)(fraction_of(text, "TIMESTAMP", pos)?),
        "time" => temporal(text, 0, Type::Time, Type::TimeTz)(fraction_of(text, "TIME", pos)?),
        "decimal" => return decimal(text, pos),
        "char" => Type::Char(text.chars().count() as u32),
        other => Type::parse_trino(other).map_err(|error| match error.code {
            ErrorCode::TypeNotFound => TrinoError::at(pos, error.code, format!("Unknown resolvedType: {written}")),
            _ => at(pos)(error),
        })?,
    };
    let refuse = || {
        let message = format!("'{text}' is not a valid {} literal", type_name.to_uppercase());
        TrinoError::at(pos, ErrorCode::InvalidLiteral, message)
    };
    if type_name == "json" && serde_json::from_str::<serde_json::Value>(text).is_err() {
        return Err(refuse());
    }
    let typed = if type_name == "json" {
        let parsed = boathouse_trino_functions::kind("json_parse").is_some();
        if !parsed {
            return Err(refuse());
        }
        let argument = boathouse_trino_functions::Argument::Value(string(text));
        boathouse_trino_functions::scalar("json_parse", vec![argument], &mut super::call::NoLambdas)
    } else {
        cast::cast((lit(text), Type::VARCHAR), &ty)
    };
    let typed = match typed {
        Err(_) if type_name == "json" => return Err(refuse()),
        typed => typed.map_err(at(pos))?,
    };
    match typed {
        (Expr::Literal(literal, _), ty @ Type::TimestampTz(_)) if is_skipped(text, &literal, &ty) => Err(refuse()),
        (Expr::Literal(literal, _), ty) => Ok(value(literal, ty)),
        typed if type_name == "json" => Ok(typed),
        _ => Err(refuse()),
    }
}

/// Whether the clocks of a text's zone leave its time out, as they do when summer time begins.
fn is_skipped(text: &str, instant: &ScalarValue, ty: &Type) -> bool {
    let (Some((local, _)), Type::TimestampTz(digits)) = (text.trim().rsplit_once(' '), ty) else { return false };
    let local = cast::cast((lit(local), Type::VARCHAR), &Type::Timestamp(*digits));
    let shown = cast::cast(value(instant.clone(), ty.clone()), &Type::Timestamp(*digits));
    matches!((local, shown), (Ok((local @ Expr::Literal(..), _)), Ok((shown @ Expr::Literal(..), _))) if local != shown)
}

/// How many digits a literal's fraction has.
fn fraction_of(text: &str, name: &str, pos: Pos) -> Result<u8, TrinoError> {
    let fraction = text.split_once('.').map_or("", |(_, rest)| rest);
    let digits = fraction.chars().take_while(char::is_ascii_digit).count() as u64;
    if digits > 12 {
        let message = format!("{name} precision must be in range [0, 12]: {digits}");
        return Err(TrinoError::at(pos, ErrorCode::NumericValueOutOfRange, message));
    }
    self::fraction(Some(digits), pos)
}

/// The type of a date and time, by whether a zone follows.
fn temporal(text: &str, date: usize, plain: fn(u8) -> Type, zoned: fn(u8) -> Type) -> fn(u8) -> Type {
    // A year may have more than four digits after its sign.
    let day = text.trim_start_matches(['+', '-']).find('-').map_or(0, |year| year.saturating_sub(4));
    let signed = usize::from(date > 0 && text.starts_with(['+', '-']));
    let time = text.get(if date > 0 { date + day + signed } else { 0 }..).unwrap_or_default();
    let has_zone =
        time.trim().contains([' ', '+', '-', 'Z', 'z']) || time.trim_start().chars().any(char::is_alphabetic);
    if has_zone { zoned } else { plain }
}

/// `INTERVAL '3' DAY`
pub(super) fn interval(
    negative: bool,
    text: &str,
    from: IntervalField,
    to: Option<IntervalField>,
    pos: Pos,
) -> Result<Typed, TrinoError> {
    let refuse = || TrinoError::at(pos, ErrorCode::InvalidLiteral, format!("'{text}' is not a valid INTERVAL literal"));
    let (inner_sign, digits) = match text.trim().strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.trim().trim_start_matches('+')),
    };
    let sign = if negative { -inner_sign } else { inner_sign };
    let parts: Vec<&str> = digits.split([' ', ':', '-']).filter(|part| !part.is_empty()).collect();
    let fields = fields(from, to.unwrap_or(from));
    // No text at all is nothing of anything.
    if (parts.is_empty() && !text.is_empty()) || parts.len() > fields.len() {
        return Err(refuse());
    }
    let mut total: i64 = 0;
    for (part, field) in parts.iter().zip(&fields) {
        let amount = amount(part, *field).ok_or_else(refuse)?;
        total = total.checked_add(amount).ok_or_else(refuse)?;
    }
    let total = total * sign;
    if from <= IntervalField::Month {
        debug_assert!(matches!(
            Type::IntervalYearMonth.to_arrow(),
            arrow::datatypes::DataType::Interval(IntervalUnit::YearMonth)
        ));
        let months = i32::try_from(total).map_err(|_| refuse())?;
        return Ok(value(ScalarValue::IntervalYearMonth(Some(months)), Type::IntervalYearMonth));
    }
    Ok(value(ScalarValue::DurationMillisecond(Some(total)), Type::IntervalDayTime))
}

fn fields(from: IntervalField, to: IntervalField) -> Vec<IntervalField> {
    use IntervalField::{Day, Hour, Minute, Month, Second, Year};
    [Year, Month, Day, Hour, Minute, Second].into_iter().filter(|field| (from..=to).contains(field)).collect()
}

/// A field's amount in months or milliseconds.
fn amount(text: &str, field: IntervalField) -> Option<i64> {
    let unit = match field {
        IntervalField::Year => 12,
        IntervalField::Month => 1,
        IntervalField::Day => 86_400_000,
        IntervalField::Hour => 3_600_000,
        IntervalField::Minute => 60_000,
        IntervalField::Second => {
            let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
            let millis = format!("{:0<3.3}", fraction).parse::<i64>().ok()?;
            return seconds.parse::<i64>().ok()?.checked_mul(1000)?.checked_add(millis);
        }
    };
    text.parse::<i64>().ok()?.checked_mul(unit)
}

/// A type as a cast writes it.
pub(super) fn written_type(written: &TypeExpr) -> Result<Type, TrinoError> {
    match &written.kind {
        TypeKind::Simple { name, parameters } => {
            if let ("decimal", [precision, rest @ ..]) = (name.to_lowercase().as_str(), parameters.as_slice()) {
                digits_of_decimal(*precision, rest.first().copied().unwrap_or(0))?;
            }
            let text = if parameters.is_empty() {
                name.clone()
            } else {
                let parameters: Vec<_> = parameters.iter().map(u64::to_string).collect();
                format!("{name}({})", parameters.join(","))
            };
            Type::parse_trino(&text).map_err(at(written.pos))
        }
        TypeKind::Time { precision, zoned: false } => Ok(Type::Time(fraction(*precision, written.pos)?)),
        TypeKind::Time { precision, zoned: true } => Ok(Type::TimeTz(fraction(*precision, written.pos)?)),
        TypeKind::Timestamp { precision, zoned: false } => Ok(Type::Timestamp(fraction(*precision, written.pos)?)),
        TypeKind::Timestamp { precision, zoned: true } => Ok(Type::TimestampTz(fraction(*precision, written.pos)?)),
        TypeKind::IntervalYearToMonth => Ok(Type::IntervalYearMonth),
        TypeKind::IntervalDayToSecond => Ok(Type::IntervalDayTime),
        TypeKind::Array(element) => Ok(Type::array(written_type(element)?)),
        TypeKind::Map(key, entry) => Ok(Type::map(written_type(key)?, written_type(entry)?)),
        TypeKind::Row(fields) => {
            let field = |field: &boathouse_trino_parser::ast::TypeField| {
                let written = |name: &Ident| if name.quoted { name.value.clone() } else { name.lower() };
                let name = field.name.as_ref().map(written);
                Ok(RowField { name, ty: written_type(&field.ty)? })
            };
            Ok(Type::Row(fields.iter().map(field).collect::<Result<Vec<_>, TrinoError>>()?.into()))
        }
    }
}

/// Refuses decimals that there aren't.
fn digits_of_decimal(precision: u64, scale: u64) -> Result<(), TrinoError> {
    let message = match (precision, scale) {
        (1..=38, scale) if scale <= precision => return Ok(()),
        (1..=38, _) => format!("DECIMAL scale must be in range [0, precision ({precision})]: {scale}"),
        _ => format!("DECIMAL precision must be in range [1, 38]: {precision}"),
    };
    Err(TrinoError::new(ErrorCode::InvalidFunctionArgument, message))
}

fn fraction(precision: Option<u64>, pos: Pos) -> Result<u8, TrinoError> {
    match precision.unwrap_or(3) {
        precision @ 0..=9 => Ok(precision as u8),
        other @ 10..=12 => {
            Err(TrinoError::at(pos, ErrorCode::NotSupported, format!("A precision of {other} digits is not supported")))
        }
        other => Err(TrinoError::at(pos, ErrorCode::TypeNotFound, format!("Unknown type: timestamp({other})"))),
    }
}

/// `CURRENT_DATE` and its like.
pub(super) fn current(
    session: &Session,
    item: CurrentItem,
    precision: Option<u32>,
    pos: Pos,
) -> Result<Typed, TrinoError> {
    if let Some(digits @ 13..) = precision {
        let name = match item {
            CurrentItem::Timestamp => "TIMESTAMP WITH TIME ZONE",
            CurrentItem::LocalTimestamp => "TIMESTAMP",
            CurrentItem::Time => "TIME WITH TIME ZONE",
            _ => "TIME",
        };
        let message = format!("{name} precision must be in range [0, 12]: {digits}");
        return Err(TrinoError::new(ErrorCode::NumericValueOutOfRange, message));
    }
    let digits = fraction(precision.map(u64::from), pos)?;
    let text = |text: &str| Ok((lit(text), Type::VARCHAR));
    let ty = match item {
        CurrentItem::Date => Type::Date,
        CurrentItem::Timestamp => Type::TimestampTz(digits),
        CurrentItem::LocalTimestamp => Type::Timestamp(digits),
        CurrentItem::LocalTime => Type::Time(digits),
        CurrentItem::Time => Type::TimeTz(digits),
        CurrentItem::User => return text(&session.user),
        CurrentItem::Catalog => return text(&session.catalog_name),
        CurrentItem::Schema => return text(&session.database),
        CurrentItem::Path => return text(""),
    };
    let start = session.start.format("%Y-%m-%d %H:%M:%S%.9f UTC").to_string();
    let start = cast::cast((lit(start), Type::VARCHAR), &Type::TimestampTz(digits))?;
    let local = match session.zone.as_str() {
        "UTC" => start,
        zone => operators::at_time_zone(start, string(zone), today(session))?,
    };
    cast::cast(local, &ty).map_err(at(pos))
}

/// The day (since 1970) on which the statement began.
pub(super) fn today(session: &Session) -> i32 {
    session.start.date_naive().signed_duration_since(NaiveDate::default()).num_days() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    const POS: Pos = Pos { line: 1, column: 1 };

    #[test]
    fn decimals_take_their_type_from_their_digits() {
        for (text, precision, scale) in [("1.5", 2, 1), ("0.05", 2, 2), ("-12.", 2, 0), (".5", 1, 1), ("0.0", 1, 1)] {
            assert_eq!(decimal(text, POS).unwrap().1, Type::Decimal(precision, scale), "{text}");
        }
        assert!(decimal(&"9".repeat(39), POS).is_err());
    }

    #[test]
    fn intervals_count_months_or_milliseconds() {
        let (expr, ty) = interval(true, "1-2", IntervalField::Year, Some(IntervalField::Month), POS).unwrap();
        assert_eq!((expr, ty), (lit(ScalarValue::IntervalYearMonth(Some(-14))), Type::IntervalYearMonth));
        let (expr, _) = interval(false, "2 03:04:05.6", IntervalField::Day, Some(IntervalField::Second), POS).unwrap();
        assert_eq!(expr, lit(ScalarValue::DurationMillisecond(Some(183_845_600))));
        assert!(interval(false, "x", IntervalField::Day, None, POS).is_err());
        assert!(interval(false, "", IntervalField::Day, None, POS).is_ok());
    }

    #[test]
    fn literals_that_are_none_are_refused() {
        assert_eq!(typed("date", "2020-13-01", POS).unwrap_err().code, ErrorCode::InvalidLiteral);
        assert_eq!(typed("date", "2020-12-01", POS).unwrap().1, Type::Date);
        assert_eq!(typed("timestamp", "2020-12-01 01:02:03.123456", POS).unwrap().1, Type::Timestamp(6));
        assert_eq!(typed("timestamp", "+12020-03-09 02:03:04", POS).unwrap().1, Type::Timestamp(0));
    }

    #[test]
    fn times_that_the_clocks_leave_out_are_refused() {
        let at = |text: &str| typed("timestamp", text, POS);
        assert_eq!(at("2020-03-29 02:30:00 Europe/Berlin").unwrap_err().code, ErrorCode::InvalidLiteral);
        for fine in
            ["2020-03-29 03:00:00 Europe/Berlin", "2020-10-25 02:30:00 Europe/Berlin", "2020-03-29 02:30:00 +01:00"]
        {
            assert_eq!(at(fine).unwrap().1, Type::TimestampTz(0), "{fine}");
        }
    }

    #[test]
    fn decimals_may_have_underscores() {
        assert_eq!(typed("decimal", "1_000.5", POS).unwrap().1, Type::Decimal(5, 1));
        for wrong in ["_1", "1_", "1__0", "1_.0"] {
            assert!(typed("decimal", wrong, POS).is_err(), "{wrong}");
        }
    }
}
