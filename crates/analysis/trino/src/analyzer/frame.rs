//! Frames of windows: which DataFusion knows, and which an operator of ours computes row by row.

use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::Type;
use boathouse_trino_functions::types::coercion::common_super_type;
use boathouse_trino_functions::{Typed, cast, operators};
use boathouse_trino_parser::ast::{self, BinaryOp, ComparisonOp, FrameBound, FrameUnit, Window};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, WindowFrame, WindowFrameBound, WindowFrameUnits, lit};

use super::scope::Scope;
use super::{Analyzer, CallKind};
use crate::operators::{Bound, Frame, Limit, Unit};

/// Distances that DataFusion gets; those beyond may lead over the end of its numbers.
const FAR: u64 = 1 << 40;

/// A window's frame.
pub(super) struct Framing {
    /// As DataFusion knows it, if it does.
    pub(super) plain: Option<WindowFrame>,
    /// In terms of what each row has.
    pub(super) by_row: Frame<Expr>,
}

/// A bound both ways.
struct Known {
    plain: Option<WindowFrameBound>,
    by_row: Bound<Expr>,
}

impl Analyzer<'_> {
    /// The frame. Where a pattern is recognised in it only its bounds are checked.
    pub(super) fn frame(
        &mut self,
        window: &Window,
        recognises: bool,
        scope: &Scope<'_>,
    ) -> Result<Framing, TrinoError> {
        let is_ordered = !window.order_by.is_empty();
        let whole = || Framing { plain: Some(WindowFrame::new(None)), by_row: Frame::whole() };
        let Some(frame) = &window.frame else {
            if !is_ordered {
                return Ok(whole());
            }
            let plain = self.has_plain_order(window, scope)?.then(|| WindowFrame::new(Some(false)));
            let by_row = Frame { unit: Unit::Groups, start: Bound::Unbounded, end: Bound::CurrentRow };
            return Ok(Framing { plain, by_row });
        };
        if let Some(message) = crossed(frame) {
            return Err(TrinoError::at(frame.pos.0, ErrorCode::InvalidWindowFrame, message));
        }
        if recognises {
            return Ok(Framing { plain: Some(WindowFrame::new(is_ordered.then_some(false))), ..whole() });
        }
        let start = self.frame_bound(&frame.start, (window, frame.unit, "start"), scope)?;
        let end = match &frame.end {
            Some(end) => self.frame_bound(end, (window, frame.unit, "end"), scope)?,
            None => Known { plain: Some(WindowFrameBound::CurrentRow), by_row: Bound::CurrentRow },
        };
        let (units, unit) = match frame.unit {
            // All rows are equal in no order.
            FrameUnit::Range | FrameUnit::Groups if !is_ordered => return Ok(whole()),
            FrameUnit::Rows => (WindowFrameUnits::Rows, Unit::Rows),
            FrameUnit::Range => (WindowFrameUnits::Range, Unit::Groups),
            FrameUnit::Groups => (WindowFrameUnits::Groups, Unit::Groups),
        };
        let is_plain = unit == Unit::Rows || self.has_plain_order(window, scope)?;
        let plain = match (start.plain, end.plain) {
            (Some(start), Some(end)) if is_plain && begins_before(&start, &end) => {
                Some(WindowFrame::new_bounds(units, start, end))
            }
            _ => None,
        };
        Ok(Framing { plain, by_row: Frame { unit, start: start.by_row, end: end.by_row } })
    }

    /// Whether DataFusion finds equal rows in the order: not by a key that holds other values.
    fn has_plain_order(&mut self, window: &Window, scope: &Scope<'_>) -> Result<bool, TrinoError> {
        for item in &window.order_by {
            if matches!(self.again(&item.expr, scope)?.1, Type::Array(_) | Type::Row(_)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The value of what has been analyzed before; its calls are known.
    fn again(&mut self, expr: &ast::Expr, scope: &Scope<'_>) -> Result<Typed, TrinoError> {
        let known = self.calls.len();
        let value = self.expr(expr, scope);
        self.calls.truncate(known);
        value
    }

    fn frame_bound(
        &mut self,
        bound: &FrameBound,
        (window, unit, side): (&Window, FrameUnit, &str),
        scope: &Scope<'_>,
    ) -> Result<Known, TrinoError> {
        let unbounded = ScalarValue::UInt64(None);
        let (distance, is_back) = match bound {
            FrameBound::UnboundedPreceding => {
                let plain = Some(WindowFrameBound::Preceding(unbounded));
                return Ok(Known { plain, by_row: Bound::Unbounded });
            }
            FrameBound::UnboundedFollowing => {
                let plain = Some(WindowFrameBound::Following(unbounded));
                return Ok(Known { plain, by_row: Bound::Unbounded });
            }
            FrameBound::CurrentRow => {
                let plain = Some(WindowFrameBound::CurrentRow);
                return Ok(Known { plain, by_row: Bound::CurrentRow });
            }
            FrameBound::Preceding(distance) => (distance, true),
            FrameBound::Following(distance) => (distance, false),
        };
        if unit == FrameUnit::Range {
            let by_row = Bound::Value(self.limit(window, distance, is_back, scope)?);
            return Ok(Known { plain: None, by_row });
        }
        if unit == FrameUnit::Groups && window.order_by.is_empty() {
            let message = "Window frame of type GROUPS PRECEDING or FOLLOWING requires ORDER BY";
            return Err(TrinoError::at(window.pos.0, ErrorCode::MissingOrderBy, message));
        }
        let name = if unit == FrameUnit::Rows { "ROWS" } else { "GROUPS" };
        let count = self.distance(distance, (name, side), scope)?;
        let plain = match &count {
            Expr::Literal(ScalarValue::Int64(Some(count)), _) => match u64::try_from(*count) {
                Ok(count) if count < FAR => Some(ScalarValue::UInt64(Some(count))),
                Ok(_) => None,
                Err(_) => {
                    let message = "Window frame offset value must not be negative or null";
                    return Err(TrinoError::at(distance.pos, ErrorCode::InvalidWindowFrame, message));
                }
            },
            _ => None,
        };
        Ok(match is_back {
            true => Known { plain: plain.map(WindowFrameBound::Preceding), by_row: Bound::Preceding(count) },
            false => Known { plain: plain.map(WindowFrameBound::Following), by_row: Bound::Following(count) },
        })
    }

    /// How far a frame reaches, which no window says.
    fn reach(&mut self, distance: &ast::Expr, scope: &Scope<'_>) -> Result<Typed, TrinoError> {
        let before = self.calls.len();
        let value = self.expr(distance, scope)?;
        if self.calls[before..].iter().any(|call| call.kind == CallKind::Window) {
            let message = "Cannot nest window functions or row pattern measures inside window specification";
            return Err(TrinoError::at(distance.pos, ErrorCode::NestedWindow, message));
        }
        Ok(value)
    }

    /// How many rows or groups a frame reaches, which may be another number for each row.
    pub(super) fn distance(
        &mut self,
        distance: &ast::Expr,
        (unit, side): (&str, &str),
        scope: &Scope<'_>,
    ) -> Result<Expr, TrinoError> {
        let (value, ty) = self.reach(distance, scope)?;
        let wide = match &ty {
            ty if ty.is_integer() => false,
            Type::Decimal(_, 0) => true,
            _ => {
                let message = format!(
                    "Window frame {unit} {side} value type must be exact numeric type with scale 0 (actual {ty})"
                );
                return Err(TrinoError::at(distance.pos, ErrorCode::TypeMismatch, message));
            }
        };
        let count = cast::cast((value.clone(), ty.clone()), &Type::Bigint);
        if !wide {
            return Ok(count?.0);
        }
        // No partition has more rows than a bigint counts.
        let most = || (lit(i64::MAX), Type::Bigint);
        let is_more = operators::comparison(ComparisonOp::Greater, (value, ty), most())?;
        match count {
            Ok(count) => Ok(operators::if_(is_more, most(), Some(count))?.0),
            // A constant that no bigint holds.
            Err(_) => Ok(most().0),
        }
    }

    /// What value a RANGE frame reaches to: the order's key with the distance added or taken away, in a type that both
    /// values and keys have.
    fn limit(
        &mut self,
        window: &Window,
        distance: &ast::Expr,
        is_back: bool,
        scope: &Scope<'_>,
    ) -> Result<Limit<Expr>, TrinoError> {
        let pos = window.pos.0;
        let [item] = window.order_by.as_slice() else {
            if window.order_by.is_empty() {
                let message = "Window frame of type RANGE PRECEDING or FOLLOWING requires ORDER BY";
                return Err(TrinoError::at(pos, ErrorCode::MissingOrderBy, message));
            }
            let count = window.order_by.len();
            let message = format!(
                "Window frame of type RANGE PRECEDING or FOLLOWING requires single sort item in ORDER BY (actual: {count})"
            );
            return Err(TrinoError::at(pos, ErrorCode::InvalidOrderBy, message));
        };
        let key = self.again(&item.expr, scope)?;
        let ty = key.1.clone();
        if !ty.is_numeric() && !is_temporal(&ty) {
            let message = format!(
                "Window frame of type RANGE PRECEDING or FOLLOWING requires that sort item type be numeric, datetime or \
                 interval (actual: {ty})"
            );
            return Err(TrinoError::at(item.expr.pos, ErrorCode::TypeMismatch, message));
        }
        let reach = self.reach(distance, scope)?;
        let incompatible = || {
            let message =
                format!("Window frame RANGE value type ({}) not compatible with sort item type ({ty})", reach.1);
            TrinoError::at(distance.pos, ErrorCode::TypeMismatch, message)
        };
        let zero = match &reach.1 {
            distance if ty.is_numeric() && distance.is_numeric() => (lit(0_i32), Type::Integer),
            Type::IntervalDayTime if is_temporal(&ty) => {
                (Expr::Literal(ScalarValue::DurationMillisecond(Some(0)), None), Type::IntervalDayTime)
            }
            Type::IntervalYearMonth if is_temporal(&ty) => {
                (Expr::Literal(ScalarValue::IntervalYearMonth(Some(0)), None), Type::IntervalYearMonth)
            }
            _ => return Err(incompatible()),
        };
        let op = if is_back != item.descending { BinaryOp::Subtract } else { BinaryOp::Add };
        let value = operators::binary(op, key.clone(), reach.clone()).map_err(|error| match error.code {
            ErrorCode::TypeMismatch | ErrorCode::FunctionNotFound => incompatible(),
            _ => error,
        })?;
        let common = common_super_type(&ty, &value.1).ok_or_else(incompatible)?;
        let comparable = |value: Typed| cast::coerce(value, &common).map(operators::comparable);
        let fits = operators::comparison(ComparisonOp::GreaterOrEqual, reach, zero)?.0;
        Ok(Limit { key: comparable(key)?, value: comparable(value)?, fits })
    }
}

/// Types that intervals can be added to.
fn is_temporal(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Date
            | Type::Time(_)
            | Type::TimeTz(_)
            | Type::Timestamp(_)
            | Type::TimestampTz(_)
            | Type::IntervalDayTime
            | Type::IntervalYearMonth
    )
}

/// What is wrong with a frame that begins after its end.
fn crossed(frame: &ast::Frame) -> Option<&'static str> {
    match (&frame.start, frame.end.as_ref().unwrap_or(&FrameBound::CurrentRow)) {
        (FrameBound::UnboundedFollowing, _) => Some("Window frame start cannot be UNBOUNDED FOLLOWING"),
        (_, FrameBound::UnboundedPreceding) => Some("Window frame end cannot be UNBOUNDED PRECEDING"),
        (FrameBound::CurrentRow, FrameBound::Preceding(_)) => {
            Some("Window frame starting from CURRENT ROW cannot end with PRECEDING")
        }
        (FrameBound::Following(_), FrameBound::Preceding(_)) => {
            Some("Window frame starting from FOLLOWING cannot end with PRECEDING")
        }
        (FrameBound::Following(_), FrameBound::CurrentRow) => {
            Some("Window frame starting from FOLLOWING cannot end with CURRENT ROW")
        }
        _ => None,
    }
}

/// Whether a frame doesn't begin after its end, which DataFusion refuses.
fn begins_before(start: &WindowFrameBound, end: &WindowFrameBound) -> bool {
    let count = |distance: &ScalarValue| match distance {
        ScalarValue::UInt64(count) => count.unwrap_or(u64::MAX),
        _ => u64::MAX,
    };
    match (start, end) {
        (WindowFrameBound::Preceding(start), WindowFrameBound::Preceding(end)) => count(start) >= count(end),
        (WindowFrameBound::Following(start), WindowFrameBound::Following(end)) => count(start) <= count(end),
        _ => true,
    }
}
