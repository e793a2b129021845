//! Which types turn into which without a CAST, and where two types meet ("TypeCoercion" in Trino).

use std::sync::Arc;

use super::{RowField, Type};

/// The greatest precision a decimal may have.
const MAX_PRECISION: u8 = 38;
/// The greatest length a `char` may have.
const MAX_CHAR: u32 = 65_536;

/// Whether a value of type `from` may stand where `to` is asked for, without a CAST.
pub fn can_coerce(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (Type::Array(a), Type::Array(b)) => can_coerce(a, b),
        (Type::Map(ak, av), Type::Map(bk, bv)) => can_coerce(ak, bk) && can_coerce(av, bv),
        // Names don't count: a row coerces field by field.
        (Type::Row(a), Type::Row(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| can_coerce(&a.ty, &b.ty))
        }
        _ => common_super_type(from, to).as_ref() == Some(to),
    }
}

/// The narrowest type that both coerce to; none if they don't go together. The order of the two doesn't matter.
pub fn common_super_type(a: &Type, b: &Type) -> Option<Type> {
    match (a, b) {
        _ if a == b => Some(a.clone()),
        (Type::Unknown, other) | (other, Type::Unknown) => Some(other.clone()),
        _ if a.is_numeric() && b.is_numeric() => numeric(a, b),
        (Type::Varchar(x), Type::Varchar(y)) => Some(Type::Varchar(widest(*x, *y))),
        (Type::Char(x), Type::Char(y)) => Some(Type::Char(*x.max(y))),
        (Type::Varchar(n), Type::Char(m)) | (Type::Char(m), Type::Varchar(n)) => {
            Some(Type::Char((*m).max(n.unwrap_or(MAX_CHAR)).min(MAX_CHAR)))
        }
        (Type::Time(x), Type::Time(y)) => Some(Type::Time(*x.max(y))),
        (Type::Time(x) | Type::TimeTz(x), Type::Time(y) | Type::TimeTz(y)) => Some(Type::TimeTz(*x.max(y))),
        (Type::Array(x), Type::Array(y)) => Some(Type::array(common_super_type(x, y)?)),
        (Type::Map(xk, xv), Type::Map(yk, yv)) => {
            Some(Type::map(common_super_type(xk, yk)?, common_super_type(xv, yv)?))
        }
        (Type::Row(x), Type::Row(y)) => row(x, y),
        _ => instant(a, b),
    }
}

/// The type that all coerce to; `unknown` for none at all, as in `ARRAY[]`.
pub fn common_of<'a>(types: impl IntoIterator<Item = &'a Type>) -> Option<Type> {
    types.into_iter().try_fold(Type::Unknown, |common, next| common_super_type(&common, next))
}

/// The decimal type that holds every value of an exact numeric type.
pub fn as_decimal(ty: &Type) -> Option<(u8, u8)> {
    match ty {
        Type::Tinyint => Some((3, 0)),
        Type::Smallint => Some((5, 0)),
        Type::Integer => Some((10, 0)),
        Type::Bigint => Some((19, 0)),
        Type::Decimal(precision, scale) => Some((*precision, *scale)),
        _ => None,
    }
}

fn numeric(a: &Type, b: &Type) -> Option<Type> {
    if a == &Type::Double || b == &Type::Double {
        return Some(Type::Double);
    }
    if a == &Type::Real || b == &Type::Real {
        return Some(Type::Real);
    }
    let (a_precision, a_scale) = as_decimal(a)?;
    let (b_precision, b_scale) = as_decimal(b)?;
    if a.is_integer() && b.is_integer() {
        return Some(if a_precision > b_precision { a.clone() } else { b.clone() });
    }
    let scale = a_scale.max(b_scale);
    let whole_digits = (a_precision - a_scale).max(b_precision - b_scale);
    Some(Type::Decimal((whole_digits + scale).min(MAX_PRECISION), scale))
}

/// Dates and timestamps: the finer precision, and a zone if one of them has a zone.
fn instant(a: &Type, b: &Type) -> Option<Type> {
    let precision = |ty: &Type| match ty {
        Type::Date => Some(0),
        Type::Timestamp(precision) | Type::TimestampTz(precision) => Some(*precision),
        _ => None,
    };
    let finer = precision(a)?.max(precision(b)?);
    let zoned = matches!(a, Type::TimestampTz(_)) || matches!(b, Type::TimestampTz(_));
    Some(if zoned { Type::TimestampTz(finer) } else { Type::Timestamp(finer) })
}

/// Rows meet field by field; a name stays where both agree on it.
fn row(a: &Arc<[RowField]>, b: &Arc<[RowField]>) -> Option<Type> {
    if a.len() != b.len() {
        return None;
    }
    let fields: Option<Arc<[RowField]>> = a.iter().zip(b.iter()).map(|(a, b)| meet(a, b)).collect();
    fields.map(Type::Row)
}

fn meet(a: &RowField, b: &RowField) -> Option<RowField> {
    let name = a.name.clone().filter(|_| a.name == b.name);
    Some(RowField { name, ty: common_super_type(&a.ty, &b.ty)? })
}

fn widest(a: Option<u32>, b: Option<u32>) -> Option<u32> {
    Some(a?.max(b?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_meet_where_trino_says() {
        let meet = |a, b| common_super_type(&a, &b);
        assert_eq!(meet(Type::Tinyint, Type::Bigint), Some(Type::Bigint));
        assert_eq!(meet(Type::Bigint, Type::Decimal(10, 2)), Some(Type::Decimal(21, 2)));
        assert_eq!(meet(Type::Decimal(38, 0), Type::Decimal(38, 10)), Some(Type::Decimal(38, 10)));
        assert_eq!(meet(Type::Bigint, Type::Real), Some(Type::Real));
        assert_eq!(meet(Type::Decimal(5, 2), Type::Double), Some(Type::Double));
        assert_eq!(meet(Type::Integer, Type::VARCHAR), None);
        assert_eq!(meet(Type::Boolean, Type::Integer), None);
    }

    #[test]
    fn a_narrower_decimal_is_no_target() {
        assert!(can_coerce(&Type::Integer, &Type::Decimal(12, 2)));
        assert!(!can_coerce(&Type::Integer, &Type::Decimal(11, 2)));
        assert!(!can_coerce(&Type::Double, &Type::Decimal(38, 2)));
        assert!(can_coerce(&Type::Decimal(38, 2), &Type::Real));
    }

    #[test]
    fn text_widens_and_becomes_char_but_never_a_number() {
        assert!(can_coerce(&Type::Varchar(Some(3)), &Type::VARCHAR));
        assert!(!can_coerce(&Type::VARCHAR, &Type::Varchar(Some(3))));
        assert!(can_coerce(&Type::Varchar(Some(3)), &Type::Char(5)));
        assert!(!can_coerce(&Type::Char(3), &Type::VARCHAR));
        assert!(!can_coerce(&Type::VARCHAR, &Type::Bigint));
        assert!(!can_coerce(&Type::VARCHAR, &Type::Date));
    }

    #[test]
    fn dates_become_timestamps_and_get_zones() {
        assert!(can_coerce(&Type::Date, &Type::Timestamp(3)));
        assert!(can_coerce(&Type::Timestamp(3), &Type::TimestampTz(6)));
        assert!(!can_coerce(&Type::Timestamp(6), &Type::TimestampTz(3)));
        assert!(!can_coerce(&Type::Timestamp(3), &Type::Date));
        assert_eq!(common_super_type(&Type::Timestamp(6), &Type::TimestampTz(3)), Some(Type::TimestampTz(6)));
    }

    #[test]
    fn nested_types_coerce_element_by_element() {
        let ints = Type::array(Type::Integer);
        assert!(can_coerce(&ints, &Type::array(Type::Bigint)));
        assert!(can_coerce(&Type::array(Type::Unknown), &ints));
        assert!(!can_coerce(&ints, &Type::Integer));
        let row = |name: Option<&str>, ty| Type::Row(Arc::from(vec![RowField { name: name.map(str::to_owned), ty }]));
        assert!(can_coerce(&row(None, Type::Integer), &row(Some("a"), Type::Double)));
        assert_eq!(
            common_super_type(&row(Some("a"), Type::Integer), &row(Some("a"), Type::Bigint)),
            Some(row(Some("a"), Type::Bigint))
        );
        assert_eq!(
            common_super_type(&row(Some("a"), Type::Integer), &row(Some("b"), Type::Integer)),
            Some(row(None, Type::Integer))
        );
        assert_eq!(common_of(&[]), Some(Type::Unknown));
    }

    /// Every pair out of a set that holds each kind of type.
    #[test]
    fn order_never_matters_and_the_meeting_point_takes_both() {
        let types = [
            Type::Unknown,
            Type::Boolean,
            Type::Tinyint,
            Type::Smallint,
            Type::Integer,
            Type::Bigint,
            Type::Real,
            Type::Double,
            Type::Decimal(1, 1),
            Type::Decimal(10, 2),
            Type::Decimal(20, 0),
            Type::Varchar(Some(0)),
            Type::Varchar(Some(9)),
            Type::VARCHAR,
            Type::Char(4),
            Type::Varbinary,
            Type::Json,
            Type::Date,
            Type::Time(3),
            Type::Time(6),
            Type::TimeTz(3),
            Type::Timestamp(0),
            Type::Timestamp(9),
            Type::TimestampTz(3),
            Type::IntervalDayTime,
            Type::IntervalYearMonth,
            Type::Uuid,
            Type::IpAddress,
            Type::array(Type::Integer),
            Type::map(Type::VARCHAR, Type::Double),
        ];
        for a in &types {
            for b in &types {
                let common = common_super_type(a, b);
                assert_eq!(common, common_super_type(b, a), "{a} and {b}");
                if let Some(common) = common {
                    assert!(can_coerce(a, &common) && can_coerce(b, &common), "{a} and {b} to {common}");
                }
            }
        }
    }
}
