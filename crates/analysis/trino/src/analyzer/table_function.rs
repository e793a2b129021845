//! Table functions: `sequence` and `exclude_columns`.

use arrow::datatypes::DataType;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::Type;
use boathouse_trino_parser::ast::{self, Ident, Name, TableArgument};
use datafusion::common::{NullHandling, ScalarValue, UnnestOptions};
use datafusion::functions_nested::expr_fn::gen_series;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit};

use super::scope::{Field, Relation, Scope};
use super::{Analyzer, planned, project};

type Arguments = [(Option<Ident>, TableArgument)];

impl Analyzer<'_> {
    pub(super) fn table_function(
        &mut self,
        name: &Name,
        args: &Arguments,
        outer: Option<&Scope<'_>>,
    ) -> Result<Relation, TrinoError> {
        match name.last_lower().as_str() {
            "sequence" => self.sequence_table(name, args),
            "exclude_columns" => self.without_columns(name, args, outer),
            _ => {
                let message = format!("Table function {name} not registered");
                Err(TrinoError::at(name.pos(), ErrorCode::FunctionNotFound, message))
            }
        }
    }

    /// `sequence(start, stop, step)`: the numbers as `sequential_number`.
    fn sequence_table(&mut self, name: &Name, args: &Arguments) -> Result<Relation, TrinoError> {
        let [start, stop, step] = arguments(name, args, ["start", "stop", "step"])?;
        let missing = || invalid(name.pos(), "Missing argument: STOP".to_owned());
        let start = self.whole_number(start, "START")?.unwrap_or(0);
        let stop = self.whole_number(stop, "STOP")?.ok_or_else(missing)?;
        let step = self.whole_number(step, "STEP")?.unwrap_or(1);
        if (start < stop && step <= 0) || (start > stop && step >= 0) {
            let message = if start < stop {
                "Step must be positive for sequence [start, stop] with start < stop"
            } else {
                "Step must be negative for sequence [start, stop] with start > stop"
            };
            return Err(invalid(name.pos(), message.to_owned()));
        }
        let column = self.fresh_column("sequential_number");
        let numbers = gen_series(lit(start), lit(stop), lit(if step == 0 { 1 } else { step }));
        let list = project(super::join::one_row().plan, vec![numbers.alias(&column.name)])?;
        let options = UnnestOptions::new().with_null_handling(NullHandling::Drop);
        let plan = LogicalPlanBuilder::from(list).unnest_columns_with_options(vec![column.clone()], options);
        let plan = plan.and_then(|plan| plan.build()).map_err(planned)?;
        let called = Some("sequential_number".to_owned());
        let (label, ty) = (called.clone(), Type::Bigint);
        Ok(Relation {
            plan,
            fields: vec![Field { relation: Vec::new(), name: called, label, column, ty, hidden: false }],
        })
    }

    fn whole_number(&mut self, argument: Option<&TableArgument>, name: &str) -> Result<Option<i64>, TrinoError> {
        let value = match argument {
            None => return Ok(None),
            Some(TableArgument::Value(value)) => value,
            Some(_) => {
                let message = format!("Invalid argument {name}. Expected expression");
                return Err(TrinoError::new(ErrorCode::InvalidFunctionArgument, message));
            }
        };
        if let (Expr::Literal(number, _), ty) = self.expr(value, &Scope::query(&[], None))?
            && ty.is_integer()
            && let Ok(ScalarValue::Int64(Some(number))) = number.cast_to(&DataType::Int64)
        {
            return Ok(Some(number));
        }
        Err(invalid(value.pos, format!("The argument {name} must be a number that is known beforehand")))
    }

    /// `exclude_columns(input, columns)`
    fn without_columns(
        &mut self,
        name: &Name,
        args: &Arguments,
        outer: Option<&Scope<'_>>,
    ) -> Result<Relation, TrinoError> {
        let [input, columns] = arguments(name, args, ["input", "columns"])?;
        let (Some(TableArgument::Table(rows)), Some(TableArgument::Descriptor(columns))) = (input, columns) else {
            let message = "exclude_columns takes a table argument INPUT and a descriptor argument COLUMNS";
            return Err(invalid(name.pos(), message.to_owned()));
        };
        let mut relation = self.relation(rows, outer)?;
        relation.fields.retain(|field| !field.hidden);
        for column in columns {
            if relation.fields.iter().all(|field| field.name.as_deref() != Some(column.lower().as_str())) {
                let message = format!("Excluded columns: [{}] not present in the table", column.lower());
                return Err(invalid(column.pos, message));
            }
        }
        let excluded = |field: &Field| columns.iter().any(|column| field.name.as_deref() == Some(&column.lower()));
        relation.fields.retain(|field| !excluded(field));
        if relation.fields.is_empty() {
            return Err(invalid(name.pos(), "All columns are excluded".to_owned()));
        }
        relation.fields.iter_mut().for_each(|field| field.relation.clear());
        Ok(relation)
    }
}

/// The arguments in the order of their names, which may be given or follow from their places.
fn arguments<'a, const N: usize>(
    function: &Name,
    args: &'a Arguments,
    names: [&str; N],
) -> Result<[Option<&'a TableArgument>; N], TrinoError> {
    let mut found = [None; N];
    for (index, (name, value)) in args.iter().enumerate() {
        let place = match name {
            Some(name) => names.iter().position(|known| *known == name.lower()),
            None => (index < N).then_some(index),
        };
        let pos = name.as_ref().map_or(function.pos(), |name| name.pos);
        let Some(place) = place else {
            let what = name.as_ref().map_or_else(|| "too many arguments".to_owned(), |name| name.value.clone());
            return Err(invalid(pos, format!("Unexpected argument name: {what}")));
        };
        if found[place].replace(value).is_some() {
            return Err(invalid(pos, format!("Duplicate argument name: {}", names[place])));
        }
    }
    Ok(found)
}

fn invalid(pos: ast::Pos, message: String) -> TrinoError {
    TrinoError::at(pos, ErrorCode::InvalidFunctionArgument, message)
}
