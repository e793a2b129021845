//! `min_by`, `max_by` and `arbitrary`: the value of one chosen row.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};

use super::super::{AggregatePlan, Table};
use crate::Typed;
use crate::error::TrinoError;

pub(super) fn register(table: &mut Table) {
    let min_by = "The first argument where the second one is least.";
    table.aggregate("min_by(V, K) -> V where K:orderable", min_by, |args, _| Ok(plan(Choice::Least, args)));
    let max_by = "The first argument where the second one is greatest.";
    table.aggregate("max_by(V, K) -> V where K:orderable", max_by, |args, _| Ok(plan(Choice::Greatest, args)));
    table.aggregate("arbitrary(T) -> T", "Any value that isn't NULL.", |mut args, _| {
        args.extend(args.first().cloned());
        Ok(plan(Choice::First, args))
    });
    table.alias("any_value", "arbitrary");
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Choice {
    Least,
    Greatest,
    First,
}

fn plan(choice: Choice, args: Vec<Typed>) -> AggregatePlan {
    let function = Extreme { choice, signature: Signature::any(2, Volatility::Immutable) };
    let args = args.into_iter().map(|(expr, _)| expr).collect();
    AggregatePlan { function: Arc::new(AggregateUDF::new_from_impl(function)), args, ordered: false }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Extreme {
    choice: Choice,
    signature: Signature,
}

impl AggregateUDFImpl for Extreme {
    fn name(&self) -> &str {
        match self.choice {
            Choice::Least => "min_by",
            Choice::Greatest => "max_by",
            Choice::First => "arbitrary",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> Result<DataType> {
        match args.first() {
            Some(ty) => Ok(ty.clone()),
            None => Err(TrinoError::internal("an argument is missing").into()),
        }
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let null = |index: usize| ScalarValue::try_from(args.expr_fields[index].data_type());
        Ok(Box::new(Chosen { choice: self.choice, value: null(0)?, key: null(1)? }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let field = |name: &str, index: usize| {
            let ty = args.input_fields[index].data_type().clone();
            Arc::new(Field::new(format_state_name(args.name, name), ty, true))
        };
        Ok(vec![field("value", 0), field("key", 1)])
    }
}

/// The value of the row chosen so far. A NULL key means that there was none.
#[derive(Debug)]
struct Chosen {
    choice: Choice,
    value: ScalarValue,
    key: ScalarValue,
}

impl Chosen {
    fn better(&self, key: &ScalarValue, than: &ScalarValue) -> bool {
        than.is_null()
            || match self.choice {
                Choice::First => false,
                Choice::Least => key.partial_cmp(than) == Some(Ordering::Less),
                Choice::Greatest => key.partial_cmp(than) == Some(Ordering::Greater),
            }
    }
}

impl Accumulator for Chosen {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let keys = &values[1];
        let mut best = self.key.clone();
        let mut chosen = None;
        for row in (0..keys.len()).filter(|row| keys.is_valid(*row)) {
            let key = ScalarValue::try_from_array(keys, row)?;
            if self.better(&key, &best) {
                (best, chosen) = (key, Some(row));
            }
            if self.choice == Choice::First && chosen.is_some() {
                break;
            }
        }
        if let Some(row) = chosen {
            // What is kept must not keep the whole batch alive.
            (self.key, self.value) = (best.compacted(), ScalarValue::try_from_array(&values[0], row)?.compacted());
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(self.value.clone())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.value.clone(), self.key.clone()])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.value.size() + self.key.size()
    }
}
