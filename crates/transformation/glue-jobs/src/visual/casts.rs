//! Types and casts of mappings, with Glue's rules in the engine's words: what can't be cast is NULL, fractions are cut off.

use boathouse_trino_functions::types::Type;

/// The type that a mapping or a schema names.
pub(super) fn type_of(name: &str) -> Result<Type, String> {
    let name = name.trim().to_lowercase();
    Ok(match name.as_str() {
        "string" => Type::VARCHAR,
        "long" | "bigint" => Type::Bigint,
        "int" | "integer" => Type::Integer,
        "short" | "smallint" => Type::Smallint,
        "byte" | "tinyint" => Type::Tinyint,
        "decimal" => Type::Decimal(10, 2),
        other => Type::from_hive(other).map_err(|_| format!("{name} is not a type"))?,
    })
}

/// The expression as another type.
pub(super) fn cast(value: &str, from: &Type, to: &Type) -> Result<String, String> {
    use Type::{Boolean, Date, Decimal, Double, Real, Timestamp, Unknown, Varbinary, Varchar};
    let tried = |value: &str| format!("TRY_CAST({value} AS {to})");
    Ok(match (from, to) {
        (Unknown, _) => format!("CAST(NULL AS {to})"),
        (from, to) if from == to || matches!((from, to), (Varchar(_), Varchar(None))) => value.to_owned(),
        (Timestamp(_), Timestamp(_)) | (Date, Timestamp(_)) | (Timestamp(_), Date) => format!("CAST({value} AS {to})"),
        (Varchar(_), Date) => {
            let (text, day) = (format!("trim({value})"), format!("substr(trim({value}), 1, 10)"));
            tried(&format!("CASE WHEN length({text}) <= 10 OR substr({text}, 11, 1) IN (' ', 'T') THEN {day} END"))
        }
        (Varchar(_), Timestamp(_)) => {
            let zoned = format!("TRY(from_iso8601_timestamp(trim({value}))) AT TIME ZONE 'UTC'");
            format!("COALESCE({}, CAST({zoned} AS {to}))", tried(&format!("trim({value})")))
        }
        (Varchar(_), to) if is_number(to) => tried(&format!("trim({value})")),
        (Varchar(_), Varbinary) => format!("CAST({value} AS {to})"),
        (Double | Real | Decimal(..), to) if to.is_integer() => tried(&format!("truncate({value})")),
        (from, to) if is_number(from) && is_number(to) => tried(value),
        (Timestamp(_), Varchar(None)) => {
            format!(r"regexp_replace(CAST(CAST({value} AS timestamp(3)) AS varchar), '\.?0+$', '')")
        }
        (from, Varchar(None)) if from.is_integer() || matches!(from, Boolean | Date | Decimal(..)) => {
            format!("CAST({value} AS varchar)")
        }
        _ => return Err(format!("Boathouse does not implement casts from {from} to {to} yet")),
    })
}

fn is_number(ty: &Type) -> bool {
    ty.is_numeric() || *ty == Type::Boolean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glues_names_are_types() {
        for (name, ty) in [
            ("long", Type::Bigint),
            ("String", Type::VARCHAR),
            ("decimal(12,4)", Type::Decimal(12, 4)),
            ("array<int>", Type::array(Type::Integer)),
        ] {
            assert_eq!(type_of(name), Ok(ty));
        }
        assert!(type_of("wibble").is_err());
    }

    #[test]
    fn casts_are_expressions_of_the_engine() {
        let sql = |from: Type, to: Type| cast("\"v\"", &from, &to);
        assert_eq!(sql(Type::VARCHAR, Type::Integer).unwrap(), "TRY_CAST(trim(\"v\") AS integer)");
        assert_eq!(sql(Type::Double, Type::Bigint).unwrap(), "TRY_CAST(truncate(\"v\") AS bigint)");
        assert_eq!(sql(Type::Bigint, Type::Bigint).unwrap(), "\"v\"");
        assert!(sql(Type::Double, Type::VARCHAR).unwrap_err().contains("from double to varchar"));
        for (from, to) in
            [(Type::VARCHAR, Type::Date), (Type::VARCHAR, Type::Timestamp(3)), (Type::Timestamp(3), Type::VARCHAR)]
        {
            let text = sql(from, to).unwrap();
            assert!(boathouse_trino_parser::parse_expression(&text).is_ok(), "{text}");
        }
    }
}
