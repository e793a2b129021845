//! A file's columns found by field id, whatever they are called in the file.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use arrow::error::ArrowError;
use boathouse_iceberg::schema::{NestedField, Type as IcebergType};
use boathouse_trino_functions::error::TrinoError;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{Column, Literal};
use datafusion::physical_expr_adapter::{PhysicalExprAdapter, PhysicalExprAdapterFactory};

use super::convert;
use super::types::to_trino;
use crate::error::unsupported;
use crate::scan::DataFile as ScannedFile;

/// A table's columns by the names that queries know them by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ById(Arc<[NestedField]>);

impl ById {
    pub(crate) fn new(fields: &[NestedField]) -> Self {
        Self(fields.iter().map(|field| NestedField { name: field.name.to_lowercase(), ..field.clone() }).collect())
    }

    fn column(&self, name: &str) -> Option<&NestedField> {
        self.0.iter().find(|field| field.name == name)
    }

    /// A column of the table, called as the file calls it, if the file holds values that need no conversion; else by a name that no file
    /// has.
    pub(crate) fn renamed(&self, field: &Field, physical: &SchemaRef) -> Field {
        let place = self.column(field.name()).and_then(|wanted| convert::place(physical.fields(), wanted));
        let same = place.map(|place| physical.field(place)).filter(|found| found.data_type() == field.data_type());
        let name = same.map_or_else(|| format!("{} (converted)", field.name()), |found| found.name().clone());
        field.clone().with_name(name)
    }

    /// The place in a file of a column of the table.
    pub(crate) fn place(&self, index: usize, fields: &Fields) -> Option<usize> {
        convert::place(fields, self.0.get(index)?)
    }

    /// A file's values as those of a column of the table.
    pub(crate) fn read(&self, index: usize, stored: &ArrayRef) -> std::result::Result<ArrayRef, ArrowError> {
        let field = self.0.get(index).ok_or_else(|| ArrowError::SchemaError("there is no such column".to_owned()))?;
        convert::read(stored, &field.ty)
    }

    /// Refuses files that lack a column which must be there.
    pub(crate) fn check_needed(&self, fields: &Fields, file: &ScannedFile) -> std::result::Result<(), TrinoError> {
        let has = |id: &i32| {
            let column = self.0.iter().find(|column| column.id == *id);
            column.is_none_or(|column| convert::place(fields, column).is_some())
        };
        match file.needed().iter().find(|id| !has(id)) {
            None => Ok(()),
            Some(id) => {
                let path = file.path();
                let message = "Iceberg data files without their partition columns are not supported";
                Err(unsupported(format!("{message}: {path} lacks field {id}")))
            }
        }
    }
}

impl PhysicalExprAdapterFactory for ById {
    fn create(&self, _: SchemaRef, physical: SchemaRef) -> Result<Arc<dyn PhysicalExprAdapter>> {
        Ok(Arc::new(Adapter { columns: self.clone(), physical }))
    }
}

#[derive(Debug)]
struct Adapter {
    columns: ById,
    physical: SchemaRef,
}

impl PhysicalExprAdapter for Adapter {
    fn rewrite(&self, expr: Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        let adapted = |expr: Arc<dyn PhysicalExpr>| match expr.downcast_ref::<Column>() {
            Some(column) => self.column(column).map(Transformed::yes),
            None => Ok(Transformed::no(expr)),
        };
        // From below, so that the columns that come out of this aren't looked at again.
        expr.transform_up(adapted).data()
    }
}

impl Adapter {
    fn column(&self, column: &Column) -> Result<Arc<dyn PhysicalExpr>> {
        let Some(wanted) = self.columns.column(column.name()) else {
            // A column that the reader makes itself.
            let index = self.physical.index_of(column.name())?;
            return Ok(Arc::new(Column::new(column.name(), index)));
        };
        let to = to_trino(&wanted.ty).to_arrow();
        let Some(place) = convert::place(self.physical.fields(), wanted) else {
            return Ok(Arc::new(Literal::new(ScalarValue::try_from(&to)?)));
        };
        let found = self.physical.field(place);
        let stored: Arc<dyn PhysicalExpr> = Arc::new(Column::new(found.name(), place));
        if *found.data_type() == to {
            return Ok(stored);
        }
        Ok(Arc::new(Converted { stored, ty: wanted.ty.clone(), to }))
    }
}

/// A column of a file, as the table's type.
#[derive(Debug, Eq)]
struct Converted {
    stored: Arc<dyn PhysicalExpr>,
    ty: IcebergType,
    to: DataType,
}

impl PartialEq for Converted {
    fn eq(&self, other: &Self) -> bool {
        self.stored.eq(&other.stored) && self.ty == other.ty
    }
}

impl Hash for Converted {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.stored.hash(state);
        self.to.hash(state);
    }
}

impl fmt::Display for Converted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} as {}", self.stored, to_trino(&self.ty))
    }
}

impl PhysicalExpr for Converted {
    fn data_type(&self, _: &Schema) -> Result<DataType> {
        Ok(self.to.clone())
    }

    fn nullable(&self, _: &Schema) -> Result<bool> {
        Ok(true)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let stored = self.stored.evaluate(batch)?.into_array(batch.num_rows())?;
        Ok(ColumnarValue::Array(convert::read(&stored, &self.ty)?))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.stored]
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        let stored = children.pop().unwrap_or_else(|| Arc::clone(&self.stored));
        Ok(Arc::new(Self { stored, ty: self.ty.clone(), to: self.to.clone() }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
