//! Aggregates that condense values to something of their own kind, which travels between partitions as bytes.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use arrow::row::{RowConverter, SortField};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};

use super::super::AggregatePlan;
use super::super::sketch::{Reader, Writer};
use crate::Typed;
use crate::error::TrinoError;
use crate::kernel::any_arguments;
use crate::types::Type;

/// What the values of a group have been condensed to.
pub(super) trait Fold: std::fmt::Debug + Send + Sync {
    /// Takes in rows.
    fn update(&mut self, args: &[ArrayRef]) -> Result<(), TrinoError>;
    /// It as bytes.
    fn save(&self) -> Vec<u8>;
    /// Takes in what another one saved.
    fn absorb(&mut self, saved: &[u8]) -> Result<(), TrinoError>;
    /// The result: one value.
    fn finish(&mut self, result: &Type) -> Result<ArrayRef, TrinoError>;
    /// The memory it takes beside itself, in bytes.
    fn size(&self) -> usize {
        0
    }
}

/// Makes a fold of no values, for arguments of these types.
pub(super) type Make = fn(&[Type]) -> Box<dyn Fold>;

/// An aggregate that folds.
pub(super) fn folded(name: &'static str, make: Make, args: Vec<Typed>, result: &Type) -> AggregatePlan {
    let (args, types): (Vec<_>, Vec<_>) = args.into_iter().unzip();
    let signature = any_arguments(args.len(), Volatility::Immutable);
    let function = Folding { name, make, types, result: result.clone(), signature };
    AggregatePlan { function: Arc::new(AggregateUDF::new_from_impl(function)), args, ordered: false }
}

#[derive(Debug)]
struct Folding {
    name: &'static str,
    make: Make,
    types: Vec<Type>,
    result: Type,
    signature: Signature,
}

impl PartialEq for Folding {
    fn eq(&self, other: &Self) -> bool {
        (self.name, &self.types, &self.result) == (other.name, &other.types, &other.result)
    }
}

impl Eq for Folding {}

impl Hash for Folding {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.name, &self.types, &self.result).hash(state);
    }
}

impl AggregateUDFImpl for Folding {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.result.to_arrow())
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let fold = (self.make)(&self.types);
        let fold = match args.is_distinct {
            true => Box::new(Distinct::new(fold, &self.types)?),
            false => fold,
        };
        Ok(Box::new(Folder { fold, result: self.result.clone() }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format_state_name(args.name, "fold"), DataType::Binary, true))])
    }
}

#[derive(Debug)]
struct Folder {
    fold: Box<dyn Fold>,
    result: Type,
}

impl Accumulator for Folder {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        Ok(self.fold.update(values)?)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&self.fold.finish(&self.result)?, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Binary(Some(self.fold.save()))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for saved in states[0].as_binary::<i32>().iter().flatten() {
            self.fold.absorb(saved)?;
        }
        Ok(())
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.fold.size()
    }
}

/// Keeps each row once, until all are known.
#[derive(Debug)]
struct Distinct {
    inner: Box<dyn Fold>,
    converter: RowConverter,
    rows: BTreeSet<Vec<u8>>,
}

impl Distinct {
    fn new(inner: Box<dyn Fold>, types: &[Type]) -> Result<Self, TrinoError> {
        let fields = types.iter().map(|ty| SortField::new(ty.to_arrow())).collect();
        Ok(Self { inner, converter: RowConverter::new(fields)?, rows: BTreeSet::new() })
    }
}

impl Fold for Distinct {
    fn update(&mut self, args: &[ArrayRef]) -> Result<(), TrinoError> {
        let rows = self.converter.convert_columns(args)?;
        self.rows.extend(rows.iter().map(|row| row.as_ref().to_vec()));
        Ok(())
    }

    fn save(&self) -> Vec<u8> {
        let mut out = Writer::default();
        self.rows.iter().for_each(|row| out.slice(row));
        out.0
    }

    fn absorb(&mut self, saved: &[u8]) -> Result<(), TrinoError> {
        let mut reader = Reader(saved);
        while let Some(row) = reader.slice() {
            self.rows.insert(row.to_vec());
        }
        Ok(())
    }

    fn finish(&mut self, result: &Type) -> Result<ArrayRef, TrinoError> {
        let parser = self.converter.parser();
        let rows: Vec<_> = std::mem::take(&mut self.rows).into_iter().collect();
        let columns = self.converter.convert_rows(rows.iter().map(|row| parser.parse(row)))?;
        self.inner.update(&columns)?;
        self.inner.finish(result)
    }

    fn size(&self) -> usize {
        self.rows.iter().map(|row| row.capacity() + 32).sum()
    }
}
