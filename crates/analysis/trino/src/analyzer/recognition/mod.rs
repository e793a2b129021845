//! MATCH_RECOGNIZE and windows that recognise: their variables, conditions, measures and columns.
//!
//! What an expression takes from a match (a column of a row that is navigated to, a label, an aggregate) becomes a column of
//! a table that exists for this expression alone, and the expression is analyzed as any other over that table.

mod calls;
mod scope;
mod subquery;
mod variables;
mod window;

pub(super) use calls::refuse_mode_and_label;
pub(super) use scope::PatternScope;
pub(super) use window::is_pattern_call;

use std::cell::RefCell;
use std::sync::Arc;

use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::Type;
use boathouse_trino_parser::ast::{self, RowsPerMatch};
use datafusion::common::{Column, DFSchema};
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{Expr, Extension, LogicalPlan};

use arrow::datatypes::Field as ArrowField;

use self::scope::{Clause, Inside};
use self::variables::{Allowed, Variables};
use super::scope::{Field, Relation, Scope};
use super::{Analyzer, at, planned};
use crate::operators::{Formulas, Goal, Keys, MatchRecognize, Navigation, Output, Rows, Slot};

/// A measure's name, type and value.
struct Measure {
    field: Field,
    value: Expr,
}

/// What all expressions over the rows of a match share.
#[derive(Debug)]
struct Matched<'m> {
    variables: &'m Variables,
    /// The input's columns.
    fields: &'m [Field],
    /// The names around, of which none may be used.
    around: Option<&'m Scope<'m>>,
    /// What is computed for each row of the input before a match is looked for.
    computed: RefCell<Vec<(Expr, Column)>>,
    in_window: bool,
}

impl Analyzer<'_> {
    /// The rows that a MATCH_RECOGNIZE makes of its input's.
    pub(super) fn match_recognize(
        &mut self,
        recognition: &ast::MatchRecognize,
        input: Relation,
        pos: ast::Pos,
        outer: Option<&Scope<'_>>,
    ) -> Result<Relation, TrinoError> {
        let variables = Variables::new(&recognition.pattern, &recognition.subsets)?;
        let exclusions = recognition.rows != RowsPerMatch::AllWithUnmatched;
        let program = variables.program(&recognition.pattern, Allowed { anchors: true, exclusions })?;
        let skip = variables.skip(&recognition.skip)?;
        let scope = Scope::query(&input.fields, None);
        let partition_by = self.partition_columns(recognition, &input, &scope)?;
        let (order_by, ordered) = self.order_columns(recognition, &input, &scope)?;
        let (computed, fields) = (RefCell::default(), &input.fields);
        let matched = Matched { variables: &variables, fields, around: outer, computed, in_window: false };
        let define = self.conditions(&recognition.define, &matched)?;
        let slots = RefCell::default();
        let measures = self.measures(recognition, &matched, &slots)?;
        let computed = matched.computed.into_inner();
        let rows = match recognition.rows {
            RowsPerMatch::One => Rows::One,
            RowsPerMatch::AllWithEmpty => Rows::AllWithEmpty,
            RowsPerMatch::AllWithoutEmpty => Rows::AllWithoutEmpty,
            RowsPerMatch::AllWithUnmatched => Rows::AllWithUnmatched,
        };
        let mut before = partition_by.clone();
        let mut after = Vec::new();
        if rows != Rows::One {
            before.extend(ordered.clone());
            after = input.fields.iter().filter(|field| !field.hidden).cloned().collect();
        }
        let (fields, outputs) = shown(before, &measures, after);
        if fields.is_empty() {
            let message = "pattern recognition output table has no columns";
            return Err(TrinoError::at(pos, ErrorCode::TableHasNoColumns, message));
        }
        let measures =
            Formulas { slots: slots.into_inner(), exprs: measures.into_iter().map(|measure| measure.value).collect() };
        let mut needed: Vec<Column> = Vec::new();
        let shown = outputs.iter().filter_map(|output| match output {
            Output::Input(column) => Some(column),
            Output::Measure(_) | Output::Function(_) => None,
        });
        let keys = partition_by.iter().chain(&ordered).map(|field| &field.column);
        let asked = define.iter().flatten().chain([&measures]).flat_map(Formulas::columns);
        for column in shown.chain(keys).chain(asked) {
            if !needed.contains(column) {
                needed.push(column.clone());
            }
        }
        let column = |column| match computed.iter().find(|(_, known)| *known == column) {
            Some((value, column)) => value.clone().alias(&column.name),
            None => Expr::Column(column),
        };
        let plan = self.select_columns(input.plan, needed.into_iter().map(column))?;
        let qualified = |field: &Field| {
            let arrow = Arc::new(ArrowField::new(&field.column.name, field.ty.to_arrow(), true));
            (field.column.relation.clone(), arrow)
        };
        let schema = DFSchema::new_with_metadata(fields.iter().map(qualified).collect(), Default::default());
        let node = MatchRecognize {
            input: plan,
            keys: Keys {
                partition_by: partition_by.into_iter().map(|field| Expr::Column(field.column)).collect(),
                order_by,
            },
            program,
            names: variables.names,
            define,
            measures,
            goal: Goal::Matches(rows),
            skip,
            outputs,
            schema: Arc::new(schema.map_err(planned)?),
        };
        Ok(Relation { plan: LogicalPlan::Extension(Extension { node: Arc::new(node) }), fields })
    }

    fn partition_columns(
        &mut self,
        recognition: &ast::MatchRecognize,
        input: &Relation,
        scope: &Scope<'_>,
    ) -> Result<Vec<Field>, TrinoError> {
        let mut columns: Vec<Field> = Vec::new();
        for key in &recognition.partition_by {
            let field = self.input_column(key, input, scope)?;
            if !field.ty.is_comparable() {
                let message = format!("{} is not comparable, and therefore cannot be used in PARTITION BY", field.ty);
                return Err(TrinoError::at(key.pos, ErrorCode::TypeMismatch, message));
            }
            if columns.iter().all(|known| known.column != field.column) {
                columns.push(field);
            }
        }
        Ok(columns)
    }

    fn order_columns(
        &mut self,
        recognition: &ast::MatchRecognize,
        input: &Relation,
        scope: &Scope<'_>,
    ) -> Result<(Vec<Sort>, Vec<Field>), TrinoError> {
        let columns = recognition.order_by.iter().map(|item| self.input_column(&item.expr, input, scope));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        Ok((self.sort_exprs(&recognition.order_by, scope)?, columns))
    }

    /// A column of the input, and nothing else.
    fn input_column(&mut self, expr: &ast::Expr, input: &Relation, scope: &Scope<'_>) -> Result<Field, TrinoError> {
        let known = match expr.as_name() {
            Some(name) => match scope.resolve(&name)? {
                (Expr::Column(column), _) => input.fields.iter().find(|field| field.column == column),
                _ => None,
            },
            None => None,
        };
        known.cloned().ok_or_else(|| {
            let message = format!("Expected column reference. Actual: {expr}");
            TrinoError::at(expr.pos, ErrorCode::InvalidColumnReference, message)
        })
    }

    /// The condition of each label; none for those without a definition.
    fn conditions(
        &mut self,
        define: &[(ast::Ident, ast::Expr)],
        matched: &Matched<'_>,
    ) -> Result<Vec<Option<Formulas>>, TrinoError> {
        let variables = matched.variables;
        let mut conditions: Vec<Option<Formulas>> = vec![None; variables.names.len()];
        for (variable, condition) in define {
            let invalid = |message| TrinoError::at(variable.pos, ErrorCode::InvalidLabel, message);
            let Some(label) = variables.primary(variable) else {
                return Err(invalid(format!("defined variable: {variable} is not a primary pattern variable")));
            };
            let place = &mut conditions[label as usize];
            if place.is_some() {
                return Err(invalid(format!("pattern variable with name: {variable} is defined twice")));
            }
            let slots = RefCell::default();
            let (value, ty) = self.in_match(condition, matched, &slots, Clause::Define)?;
            if !matches!(ty, Type::Boolean | Type::Unknown) {
                let message = format!("Expression defining a label must be boolean (actual type: {ty})");
                return Err(TrinoError::at(condition.pos, ErrorCode::TypeMismatch, message));
            }
            *place = Some(Formulas { slots: slots.into_inner(), exprs: vec![value] });
        }
        Ok(conditions)
    }

    fn measures(
        &mut self,
        recognition: &ast::MatchRecognize,
        matched: &Matched<'_>,
        slots: &RefCell<Vec<Slot>>,
    ) -> Result<Vec<Measure>, TrinoError> {
        let mut measures = Vec::with_capacity(recognition.measures.len());
        for (expr, name) in &recognition.measures {
            let (value, ty) = self.in_match(expr, matched, slots, Clause::Measures)?;
            let (label, column) = (Some(name.value.clone()), self.fresh_column("measure"));
            let field = Field { relation: Vec::new(), name: Some(name.lower()), label, column, ty, hidden: false };
            measures.push(Measure { field, value });
        }
        Ok(measures)
    }

    /// An expression over the rows of a match.
    fn in_match(
        &mut self,
        expr: &ast::Expr,
        matched: &Matched<'_>,
        slots: &RefCell<Vec<Slot>>,
        clause: Clause,
    ) -> Result<(Expr, Type), TrinoError> {
        let (navigation, inside, used) = (Navigation::default(), Inside::Nothing, RefCell::default());
        let pattern = PatternScope { matched, slots, navigation, inside, used, clause };
        let was = std::mem::take(&mut self.place);
        let value = self.expr(expr, &Scope::pattern(&pattern, None)).map_err(at(expr.pos));
        self.place = was;
        value
    }
}

/// The columns that come out: those before the measures, the measures, and those after them that have not come yet.
fn shown(before: Vec<Field>, measures: &[Measure], after: Vec<Field>) -> (Vec<Field>, Vec<Output>) {
    let mut fields: Vec<Field> = Vec::new();
    let mut outputs = Vec::new();
    let add = |field: Field, fields: &mut Vec<Field>, outputs: &mut Vec<Output>| {
        if fields.iter().all(|known| known.column != field.column) {
            outputs.push(Output::Input(field.column.clone()));
            fields.push(Field { relation: Vec::new(), hidden: false, ..field });
        }
    };
    before.into_iter().for_each(|field| add(field, &mut fields, &mut outputs));
    for (index, measure) in measures.iter().enumerate() {
        outputs.push(Output::Measure(index));
        fields.push(measure.field.clone());
    }
    after.into_iter().for_each(|field| add(field, &mut fields, &mut outputs));
    (fields, outputs)
}
