//! Expressions, calls, windows and types.

use std::fmt::{self, Display, Formatter};

use super::{Text, list, optional, separated};
use crate::ast::*;
use crate::expression::{Strength, binary_strength, strength};
use crate::lexer::Dialect;
use crate::reserved::is_plain;

/// An expression in a place for those that bind more strongly than an operator; others get parentheses.
struct Above<'a>(Strength, &'a Expr);

impl Display for Above<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(above, expr) = self;
        if strength(&expr.kind) > *above { write!(f, "{expr}") } else { write!(f, "({expr})") }
    }
}

/// An expression without AND, OR, NOT and predicates, or one in parentheses.
pub(super) fn value(expr: &Expr) -> impl Display {
    Above(Strength::Predicate, expr)
}

/// An expression that a dot or a bracket may follow.
pub(super) struct Base<'a>(pub(super) &'a Expr);

impl Display for Base<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if matches!(self.0.kind, ExprKind::Integer(_) | ExprKind::Decimal(_) | ExprKind::Double(_)) {
            return write!(f, "({})", self.0);
        }
        write!(f, "{}", Above(Strength::Zone, self.0))
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Null => f.write_str("NULL"),
            ExprKind::Boolean(value) => f.write_str(if *value { "TRUE" } else { "FALSE" }),
            ExprKind::Integer(value) => write!(f, "{value}"),
            ExprKind::Decimal(text) | ExprKind::Double(text) => f.write_str(text),
            ExprKind::String(text) => write!(f, "{}", Text(text)),
            ExprKind::Bytes(bytes) => {
                f.write_str("X'")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02X}"))?;
                f.write_str("'")
            }
            ExprKind::TypedLiteral { type_name, value } => write!(f, "{type_name} {}", Text(value)),
            ExprKind::Interval { negative, value, from, to } => {
                write!(f, "INTERVAL {}{} {from}", if *negative { "-" } else { "" }, Text(value))?;
                optional(f, " TO ", to.as_ref())
            }
            ExprKind::Parameter(_) => f.write_str("?"),
            ExprKind::Identifier(ident) => write!(f, "{ident}"),
            ExprKind::Dereference { base, field } => write!(f, "{}.{field}", Base(base)),
            ExprKind::Subscript { base, index } => write!(f, "{}[{}]", Base(base), value(index)),
            ExprKind::Row(items) => call(f, "ROW", items),
            ExprKind::Array(items) => {
                f.write_str("ARRAY[")?;
                list(f, items)?;
                f.write_str("]")
            }
            ExprKind::Grouping(columns) => call(f, "GROUPING", columns),
            ExprKind::Function(function) => write!(f, "{function}"),
            ExprKind::Measure { name, over } => write!(f, "{name} OVER {over}"),
            ExprKind::Json(json) => write!(f, "{json}"),
            ExprKind::Exists(query) => write!(f, "EXISTS ({query})"),
            ExprKind::Subquery(query) => write!(f, "({query})"),
            ExprKind::Current { item, precision } => {
                write!(f, "{item}")?;
                precision.map_or(Ok(()), |precision| write!(f, "({precision})"))
            }
            kind => operation(f, kind),
        }
    }
}

fn call(f: &mut Formatter<'_>, name: &str, args: &[Expr]) -> fmt::Result {
    write!(f, "{name}(")?;
    list(f, args)?;
    f.write_str(")")
}

fn operation(f: &mut Formatter<'_>, kind: &ExprKind) -> fmt::Result {
    match kind {
        ExprKind::Unary { op, expr } => unary(f, *op, expr),
        ExprKind::Binary { op, left, right } => {
            let strength = binary_strength(*op);
            // The left side may be as strong, since chains grow to the left.
            if crate::expression::strength(&left.kind) == strength {
                write!(f, "{left}")?;
            } else {
                write!(f, "{}", Above(strength, left))?;
            }
            write!(f, " {op} {}", Above(strength, right))
        }
        ExprKind::Logical { op, terms } => {
            let strength = strength(kind);
            let terms: Vec<_> = terms.iter().map(|term| Above(strength, term)).collect();
            separated(f, if *op == LogicalOp::Or { " OR " } else { " AND " }, &terms)
        }
        ExprKind::Not(term) => write!(f, "NOT {}", Above(Strength::And, term)),
        ExprKind::AtTimeZone { expr, zone } => {
            write!(f, "{} AT TIME ZONE {}", Above(Strength::Sign, expr), Above(Strength::Zone, zone))
        }
        ExprKind::Case { operand, branches, otherwise } => case(f, operand.as_deref(), branches, otherwise.as_deref()),
        ExprKind::Cast { expr, target, safe } => {
            write!(f, "{}({expr} AS {target})", if *safe { "TRY_CAST" } else { "CAST" })
        }
        ExprKind::Extract { field, expr } => write!(f, "EXTRACT({field} FROM {})", value(expr)),
        ExprKind::Trim { side: TrimSide::Both, characters: None, expr } => write!(f, "TRIM({})", value(expr)),
        ExprKind::Trim { side, characters, expr } => {
            write!(f, "TRIM({side}")?;
            optional(f, " ", characters.as_deref().map(value).as_ref())?;
            write!(f, " FROM {})", value(expr))
        }
        ExprKind::Lambda { parameters, body } => {
            if let [parameter] = parameters.as_slice() {
                return write!(f, "{parameter} -> {body}");
            }
            f.write_str("(")?;
            list(f, parameters)?;
            write!(f, ") -> {body}")
        }
        kind => predicate(f, kind),
    }
}

/// A sign before what may begin with a sign or a digit would be read otherwise: `--x` is a comment, `-1` one number.
fn unary(f: &mut Formatter<'_>, op: UnaryOp, expr: &Expr) -> fmt::Result {
    let sign = if op == UnaryOp::Minus { "-" } else { "+" };
    let operand = Above(Strength::Multiply, expr).to_string();
    if operand.starts_with(|first: char| matches!(first, '-' | '+' | '.') || first.is_ascii_digit()) {
        return write!(f, "{sign}({expr})");
    }
    write!(f, "{sign}{operand}")
}

fn case(
    f: &mut Formatter<'_>,
    operand: Option<&Expr>,
    branches: &[WhenClause],
    otherwise: Option<&Expr>,
) -> fmt::Result {
    f.write_str("CASE")?;
    optional(f, " ", operand)?;
    for branch in branches {
        write!(f, " WHEN {} THEN {}", branch.condition, branch.result)?;
    }
    optional(f, " ELSE ", otherwise)?;
    f.write_str(" END")
}

fn predicate(f: &mut Formatter<'_>, kind: &ExprKind) -> fmt::Result {
    let not = |negated: &bool| if *negated { "NOT " } else { "" };
    match kind {
        ExprKind::Comparison { op, left, right } => write!(f, "{} {op} {}", value(left), value(right)),
        ExprKind::IsNull { expr, negated } => write!(f, "{} IS {}NULL", value(expr), not(negated)),
        ExprKind::IsDistinctFrom { left, right, negated } => {
            write!(f, "{} IS {}DISTINCT FROM {}", value(left), not(negated), value(right))
        }
        ExprKind::Between { expr, low, high, negated } => {
            write!(f, "{} {}BETWEEN {} AND {}", value(expr), not(negated), value(low), value(high))
        }
        ExprKind::InList { expr, list: items, negated } => {
            write!(f, "{} {}IN (", value(expr), not(negated))?;
            list(f, items)?;
            f.write_str(")")
        }
        ExprKind::InSubquery { expr, query, negated } => write!(f, "{} {}IN ({query})", value(expr), not(negated)),
        ExprKind::Like { expr, pattern, escape, negated } => {
            write!(f, "{} {}LIKE {}", value(expr), not(negated), value(pattern))?;
            optional(f, " ESCAPE ", escape.as_deref().map(value).as_ref())
        }
        ExprKind::Quantified { op, quantifier, left, query } => {
            let word = if *quantifier == Quantifier::All { "ALL" } else { "ANY" };
            write!(f, "{} {op} {word} ({query})", value(left))
        }
        _ => Ok(()),
    }
}

impl Display for FunctionCall {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let spelled = match self.name.parts.as_slice() {
            [name] if name.lower() == "listagg" => !self.within_group.is_empty(),
            [name] if name.lower() == "substring" => {
                !self.args.is_empty() && *self == Self::new(self.name.clone(), self.args.clone())
            }
            _ => false,
        };
        match self.mode {
            Some(ProcessingMode::Running) => f.write_str("RUNNING ")?,
            Some(ProcessingMode::Final) => f.write_str("FINAL ")?,
            None => {}
        }
        if spelled {
            f.write_str(&self.name.last_lower())?;
        } else {
            write!(f, "{}", self.name)?;
        }
        f.write_str("(")?;
        if let Some(label) = &self.label {
            write!(f, "{label}.")?;
        }
        write!(f, "{}{}", if self.star { "*" } else { "" }, if self.distinct { "DISTINCT " } else { "" })?;
        list(f, &self.args)?;
        order_by(f, if self.args.is_empty() { "" } else { " " }, &self.order_by)?;
        optional(f, " ON OVERFLOW ", self.overflow.as_ref())?;
        f.write_str(")")?;
        if !self.within_group.is_empty() {
            order_by(f, " WITHIN GROUP (", &self.within_group)?;
            f.write_str(")")?;
        }
        if let Some(filter) = &self.filter {
            write!(f, " FILTER (WHERE {filter})")?;
        }
        match self.nulls {
            Some(NullTreatment::Ignore) => f.write_str(" IGNORE NULLS")?,
            Some(NullTreatment::Respect) => f.write_str(" RESPECT NULLS")?,
            None => {}
        }
        optional(f, " OVER ", self.over.as_ref())
    }
}

/// `ORDER BY …` after `before`, or nothing.
pub(super) fn order_by(f: &mut Formatter<'_>, before: &str, items: &[SortItem]) -> fmt::Result {
    if items.is_empty() {
        return Ok(());
    }
    write!(f, "{before}ORDER BY ")?;
    list(f, items)
}

impl Display for SortItem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.expr, if self.descending { "DESC" } else { "ASC" })?;
        match self.nulls_first {
            Some(true) => f.write_str(" NULLS FIRST"),
            Some(false) => f.write_str(" NULLS LAST"),
            None => Ok(()),
        }
    }
}

impl Display for ListaggOverflow {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error => f.write_str("ERROR"),
            Self::Truncate { filler, with_count } => {
                f.write_str("TRUNCATE")?;
                optional(f, " ", filler.as_deref().map(Text).as_ref())?;
                f.write_str(if *with_count { " WITH COUNT" } else { " WITHOUT COUNT" })
            }
        }
    }
}

impl Display for Over {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => write!(f, "{name}"),
            Self::Window(window) => write!(f, "({window})"),
        }
    }
}

/// Without its parentheses.
impl Display for Window {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut space = "";
        if let Some(base) = &self.base {
            write!(f, "{base}")?;
            space = " ";
        }
        if !self.partition_by.is_empty() {
            write!(f, "{space}PARTITION BY ")?;
            list(f, &self.partition_by)?;
            space = " ";
        }
        order_by(f, space, &self.order_by)?;
        let space = if self.order_by.is_empty() { space } else { " " };
        optional(f, space, self.frame.as_ref())
    }
}

impl Display for Frame {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            FrameUnit::Rows => "ROWS",
            FrameUnit::Range => "RANGE",
            FrameUnit::Groups => "GROUPS",
        };
        let recognition = self.recognition.as_deref();
        let listed = recognition.map_or(&[] as &[_], |recognition| &recognition.measures);
        super::pattern::measures(f, listed)?;
        match &self.end {
            Some(end) => write!(f, "{unit} BETWEEN {} AND {end}", self.start)?,
            None => write!(f, "{unit} {}", self.start)?,
        }
        optional(f, "", recognition)
    }
}

impl Display for FrameBound {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnboundedPreceding => f.write_str("UNBOUNDED PRECEDING"),
            Self::Preceding(distance) => write!(f, "{} PRECEDING", value(distance)),
            Self::CurrentRow => f.write_str("CURRENT ROW"),
            Self::Following(distance) => write!(f, "{} FOLLOWING", value(distance)),
            Self::UnboundedFollowing => f.write_str("UNBOUNDED FOLLOWING"),
        }
    }
}

impl Display for BinaryOp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulus => "%",
            Self::Concat => "||",
        })
    }
}

impl Display for ComparisonOp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        })
    }
}

impl Display for IntervalField {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Year => "YEAR",
            Self::Month => "MONTH",
            Self::Day => "DAY",
            Self::Hour => "HOUR",
            Self::Minute => "MINUTE",
            Self::Second => "SECOND",
        })
    }
}

impl Display for TrimSide {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Both => "BOTH",
            Self::Leading => "LEADING",
            Self::Trailing => "TRAILING",
        })
    }
}

impl Display for CurrentItem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Date => "CURRENT_DATE",
            Self::Time => "CURRENT_TIME",
            Self::Timestamp => "CURRENT_TIMESTAMP",
            Self::LocalTime => "LOCALTIME",
            Self::LocalTimestamp => "LOCALTIMESTAMP",
            Self::User => "CURRENT_USER",
            Self::Catalog => "CURRENT_CATALOG",
            Self::Schema => "CURRENT_SCHEMA",
            Self::Path => "CURRENT_PATH",
        })
    }
}

impl Display for TypeExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            TypeKind::Simple { name, parameters } => {
                if name == "double" || is_plain(Dialect::Trino, name) {
                    f.write_str(name)?;
                } else {
                    write!(f, "\"{}\"", name.replace('"', "\"\""))?;
                }
                if parameters.is_empty() {
                    return Ok(());
                }
                f.write_str("(")?;
                list(f, parameters)?;
                f.write_str(")")
            }
            TypeKind::Time { precision, zoned } => timed(f, "time", *precision, *zoned),
            TypeKind::Timestamp { precision, zoned } => timed(f, "timestamp", *precision, *zoned),
            TypeKind::IntervalYearToMonth => f.write_str("interval year to month"),
            TypeKind::IntervalDayToSecond => f.write_str("interval day to second"),
            TypeKind::Array(element) => write!(f, "array({element})"),
            TypeKind::Map(key, value) => write!(f, "map({key}, {value})"),
            TypeKind::Row(fields) => {
                f.write_str("row(")?;
                list(f, fields)?;
                f.write_str(")")
            }
        }
    }
}

fn timed(f: &mut Formatter<'_>, name: &str, precision: Option<u64>, zoned: bool) -> fmt::Result {
    f.write_str(name)?;
    precision.map_or(Ok(()), |precision| write!(f, "({precision})"))?;
    f.write_str(if zoned { " with time zone" } else { "" })
}

impl Display for TypeField {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} {}", self.ty),
            None => write!(f, "{}", self.ty),
        }
    }
}
