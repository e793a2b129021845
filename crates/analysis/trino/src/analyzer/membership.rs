//! Whether a value is among those of a subquery, with SQL's three values: for IN where it is no filter of its own.
//!
//! The subquery becomes a list: one for all rows, or one for each row if it is correlated. A function looks the value up.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, ListArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use arrow::row::{OwnedRow, RowConverter, Rows, SortField};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use parking_lot::Mutex;

/// `value IN list`: false for no list or an empty one; NULL where a NULL on either side leaves it open.
pub(super) fn is_among(value: Expr, list: Expr) -> Expr {
    let function = Among { signature: Signature::any(2, Volatility::Immutable), known: Arc::default() };
    ScalarUDF::new_from_impl(function).call(vec![value, list])
}

/// The list that was looked into last, ready for the next rows.
type Known = Arc<Mutex<Option<(Arc<ListArray>, Arc<Candidates>)>>>;

struct Among {
    signature: Signature,
    known: Known,
}

impl fmt::Debug for Among {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Among")
    }
}

// What is remembered makes no difference to the answer.
impl PartialEq for Among {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Among {}

impl std::hash::Hash for Among {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        "in_values".hash(state);
    }
}

impl ScalarUDFImpl for Among {
    fn name(&self) -> &str {
        "in_values"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value, list] = args.args.as_slice() else {
            return internal_err!("in_values takes two arguments");
        };
        let values = Tuples::of(&value.to_array(args.number_rows)?)?;
        let found: BooleanArray = match list {
            ColumnarValue::Scalar(ScalarValue::List(list)) => {
                let candidates = self.candidates(list)?;
                (0..args.number_rows).map(|row| candidates.contain(&values, row)).collect()
            }
            ColumnarValue::Scalar(_) => (0..args.number_rows).map(|_| Some(false)).collect(),
            ColumnarValue::Array(lists) => each(&values, lists.as_list::<i32>())?,
        };
        Ok(ColumnarValue::Array(Arc::new(found)))
    }
}

impl Among {
    fn candidates(&self, list: &Arc<ListArray>) -> Result<Arc<Candidates>> {
        let mut known = self.known.lock();
        if let Some((known, candidates)) = known.as_ref()
            && Arc::ptr_eq(known, list)
        {
            return Ok(Arc::clone(candidates));
        }
        let elements = if list.is_empty() || list.is_null(0) { list.values().slice(0, 0) } else { list.value(0) };
        let candidates = Arc::new(Candidates::new(&Tuples::of(&elements)?));
        *known = Some((Arc::clone(list), Arc::clone(&candidates)));
        Ok(candidates)
    }
}

/// Each row's value in the row's own list.
fn each(values: &Tuples, lists: &ListArray) -> Result<BooleanArray> {
    let elements = Tuples::of(lists.values())?;
    let offsets = lists.value_offsets();
    let row = |row: usize| {
        let range = if lists.is_null(row) { 0..0 } else { offsets[row] as usize..offsets[row + 1] as usize };
        any(range.map(|element| values.equal(row, &elements, element)))
    };
    Ok((0..lists.len()).map(row).collect())
}

/// SQL's OR.
fn any(mut answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut open = false;
    let found = answers.any(|answer| {
        open |= answer.is_none();
        answer == Some(true)
    });
    if found { Some(true) } else { (!open).then_some(false) }
}

/// Values that can be compared. As in Trino's semi-joins, a NULL inside of a value equals another one there; only values
/// that are NULL themselves leave the answer open.
struct Tuples {
    rows: Rows,
    nulls: Option<NullBuffer>,
}

impl Tuples {
    fn of(values: &ArrayRef) -> Result<Self> {
        let converter = RowConverter::new(vec![SortField::new(values.data_type().clone())])?;
        Ok(Self { rows: converter.convert_columns(std::slice::from_ref(values))?, nulls: values.logical_nulls() })
    }

    fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    fn equal(&self, row: usize, other: &Self, element: usize) -> Option<bool> {
        let open = self.is_null(row) || other.is_null(element);
        (!open).then(|| self.rows.row(row) == other.rows.row(element))
    }
}

/// One list for all rows.
struct Candidates {
    known: HashSet<OwnedRow>,
    is_empty: bool,
    has_null: bool,
}

impl Candidates {
    fn new(all: &Tuples) -> Self {
        let count = all.rows.num_rows();
        let (nulls, others): (Vec<usize>, Vec<usize>) = (0..count).partition(|row| all.is_null(*row));
        let known = others.into_iter().map(|row| all.rows.row(row).owned()).collect();
        Self { known, is_empty: count == 0, has_null: !nulls.is_empty() }
    }

    fn contain(&self, values: &Tuples, row: usize) -> Option<bool> {
        if self.is_empty {
            return Some(false);
        }
        if values.is_null(row) {
            return None;
        }
        match self.known.contains(&values.rows.row(row).owned()) {
            true => Some(true),
            false => (!self.has_null).then_some(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int32Array, StructArray};
    use arrow::datatypes::{Field, Int32Type};

    use super::*;

    fn candidates(elements: Vec<Option<i32>>) -> Candidates {
        Candidates::new(&Tuples::of(&(Arc::new(Int32Array::from(elements)) as ArrayRef)).unwrap())
    }

    fn ask(candidates: &Candidates, value: Option<i32>) -> Option<bool> {
        candidates.contain(&Tuples::of(&(Arc::new(Int32Array::from(vec![value])) as ArrayRef)).unwrap(), 0)
    }

    #[test]
    fn null_leaves_the_answer_open_unless_the_value_is_there() {
        let (plain, open) = (candidates(vec![Some(1), Some(2)]), candidates(vec![Some(1), None]));
        assert_eq!([ask(&plain, Some(2)), ask(&plain, Some(3)), ask(&plain, None)], [Some(true), Some(false), None]);
        assert_eq!([ask(&open, Some(1)), ask(&open, Some(3)), ask(&open, None)], [Some(true), None, None]);
        let none = candidates(vec![]);
        assert_eq!([ask(&none, Some(1)), ask(&none, None)], [Some(false); 2]);
    }

    #[test]
    fn each_row_has_its_own_list() {
        let values: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), Some(1), Some(1), None, None]));
        let lists = ListArray::from_iter_primitive::<Int32Type, _, _>([
            Some(vec![Some(1)]),
            Some(vec![Some(2), None]),
            None,
            Some(vec![Some(1)]),
            Some(vec![]),
        ]);
        let found = each(&Tuples::of(&values).unwrap(), &lists).unwrap();
        assert_eq!(found.iter().collect::<Vec<_>>(), [Some(true), None, Some(false), None, Some(false)]);
    }

    #[test]
    fn nulls_inside_of_rows_are_values_like_others() {
        let row = |a: Vec<Option<i32>>, b: Vec<Option<i32>>| -> ArrayRef {
            let field = |name| Arc::new(Field::new(name, DataType::Int32, true));
            let column = |values| Arc::new(Int32Array::from(values)) as ArrayRef;
            Arc::new(StructArray::from(vec![(field("a"), column(a)), (field("b"), column(b))]))
        };
        let all = Candidates::new(&Tuples::of(&row(vec![Some(1), Some(2)], vec![Some(1), None])).unwrap());
        let asked =
            Tuples::of(&row(vec![Some(1), Some(2), Some(2), None], vec![Some(1), Some(9), None, Some(7)])).unwrap();
        let found: Vec<_> = (0..4).map(|row| all.contain(&asked, row)).collect();
        assert_eq!(found, [Some(true), Some(false), Some(true), Some(false)]);
    }
}
