//! UPDATE, DELETE and MERGE: which rows of a table go, and which come.
//!
//! All three become one plan over the rows that change. Its first columns are those of [`LEADING`], then come the table's
//! columns with the values of the rows that come. A row that is updated goes and comes.

use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::Type;
use boathouse_trino_functions::types::coercion::can_coerce;
use boathouse_trino_functions::{Typed, cast};
use boathouse_trino_parser::ast::{self, Ident, JoinConstraint, JoinKind, MergeCase, Name, Pos, RelationKind};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::Case;
use datafusion::logical_expr::{Expr, LogicalPlan, lit};

use super::scope::{Field, Relation, Scope};
use super::{Analysis, Analyzer, at, project};

/// The hidden column of a table's file: rows of tables that can't say it can't be changed.
const PATH: &str = "$path";
/// The hidden column of a row's place in its file.
const POSITION: &str = "$pos";

/// The columns before those of the table: the file and the place of the row that goes, NULL where none goes, and whether a
/// row comes.
pub const LEADING: [(&str, Type); 3] = [(PATH, Type::VARCHAR), (POSITION, Type::Bigint), ("$comes", Type::Boolean)];

/// Where statements begin.
const START: Pos = Pos { line: 1, column: 1 };

/// A statement that changes rows of a table.
#[derive(Debug, Clone, Copy)]
pub enum Change<'a> {
    /// Rows go.
    Delete(&'a ast::Delete),
    /// Rows get other values.
    Update(&'a ast::Update),
    /// Rows go, come and get other values, as another relation's rows say.
    Merge(&'a ast::Merge),
}

impl<'a> Change<'a> {
    /// The table that changes.
    pub fn table(self) -> &'a Name {
        match self {
            Self::Delete(delete) => &delete.table,
            Self::Update(update) => &update.table,
            Self::Merge(merge) => &merge.table,
        }
    }
}

/// A table's columns, and where its rows are.
struct Target {
    columns: Vec<Field>,
    path: Field,
    position: Field,
}

impl Target {
    fn of(fields: &[Field]) -> Result<Self, TrinoError> {
        let hidden = |name: &str| {
            let found = fields.iter().find(|field| field.hidden && field.name.as_deref() == Some(name));
            found.cloned().ok_or_else(|| {
                let message = "Modifying Hive table rows is only supported for transactional tables";
                TrinoError::new(ErrorCode::NotSupported, message)
            })
        };
        let columns = fields.iter().filter(|field| !field.hidden).cloned().collect();
        Ok(Self { columns, path: hidden(PATH)?, position: hidden(POSITION)? })
    }

    /// The column of that name, by its place.
    fn place(&self, name: &Ident) -> Option<usize> {
        let name = name.lower();
        self.columns.iter().position(|column| column.name.as_deref() == Some(name.as_str()))
    }

    /// The analysis's columns, of which those of the table may be left out.
    fn described(&self, with_columns: bool) -> Vec<(String, Type)> {
        let leading = LEADING.iter().map(|(name, ty)| ((*name).to_owned(), ty.clone()));
        let columns = self.columns.iter().filter(|_| with_columns);
        let columns = columns.map(|column| (column.label.clone().unwrap_or_default(), column.ty.clone()));
        leading.chain(columns).collect()
    }
}

impl Analyzer<'_> {
    pub(super) fn change(&mut self, change: Change<'_>) -> Result<Analysis, TrinoError> {
        match change {
            Change::Delete(delete) => self.delete(delete),
            Change::Update(update) => self.update(update),
            Change::Merge(merge) => self.merge(merge),
        }
    }

    fn delete(&mut self, delete: &ast::Delete) -> Result<Analysis, TrinoError> {
        let relation = self.table(&delete.table, None)?;
        let target = Target::of(&relation.fields)?;
        let plan = self.filtered(relation.plan, delete.filter.as_ref(), &Scope::query(&relation.fields, None))?;
        let values = vec![target.path.typed().0, target.position.typed().0, lit(false)];
        Ok(Analysis { plan: self.named_anew(plan, values)?, columns: target.described(false) })
    }

    fn update(&mut self, update: &ast::Update) -> Result<Analysis, TrinoError> {
        let relation = self.table(&update.table, None)?;
        let target = Target::of(&relation.fields)?;
        let scope = Scope::query(&relation.fields, None);
        let plan = self.filtered(relation.plan.clone(), update.filter.as_ref(), &scope)?;
        let (names, exprs): (Vec<_>, Vec<_>) = update.assignments.iter().map(|(name, expr)| (name, expr)).unzip();
        let missing = |name: &Ident| format!("The UPDATE SET target column {} doesn't exist", name.value);
        let twice = |name: &Ident| format!("The UPDATE SET target column {} is specified more than once", name.value);
        let places = places(&target, &names, missing, twice)?;
        let given = exprs.into_iter().map(|expr| self.plain(expr, &scope, "UPDATE SET expression"));
        let given = given.collect::<Result<Vec<_>, _>>()?;
        let given =
            fitting(&target, &places, given, || "UPDATE table column types don't match SET expressions".into())?;
        let mut values = vec![target.path.typed().0, target.position.typed().0, lit(true)];
        values.extend(target.columns.iter().map(|column| column.typed().0));
        for (place, value) in places.into_iter().zip(given) {
            values[LEADING.len() + place] = value;
        }
        let (plan, values) = self.marks_in(plan, values)?;
        Ok(Analysis { plan: self.named_anew(plan, values)?, columns: target.described(true) })
    }

    fn merge(&mut self, merge: &ast::Merge) -> Result<Analysis, TrinoError> {
        let (joined, target) = self.merged(merge)?;
        let scope = Scope::query(&joined.fields, None);
        let case = self.chosen(&merge.cases, &target, &scope)?;
        let (plan, case) = self.with_case(joined.plan, case)?;
        let mut branches = Vec::with_capacity(merge.cases.len());
        for (index, merge_case) in merge.cases.iter().enumerate() {
            branches.push(self.outcome(index, merge_case, &target, &scope)?);
        }
        let comes = branches.iter().map(|row| lit(row.is_some())).collect();
        let mut values = vec![target.path.typed().0, target.position.typed().0, by_case(&case, comes, lit(false))];
        for (index, column) in target.columns.iter().enumerate() {
            let nothing = null(&column.ty)?;
            let of = |row: &Option<Vec<Expr>>| row.as_ref().map_or_else(|| nothing.clone(), |row| row[index].clone());
            values.push(by_case(&case, branches.iter().map(of).collect(), nothing.clone()));
        }
        let (plan, values) = self.marks_in(plan, values)?;
        Ok(Analysis { plan: self.named_anew(plan, values)?, columns: target.described(true) })
    }

    /// The source's rows with the rows of the table that they match, and, if rows may come, those that match none.
    fn merged(&mut self, merge: &ast::Merge) -> Result<(Relation, Target), TrinoError> {
        let pos = merge.table.pos();
        let table = ast::Relation::new(pos, RelationKind::Table { name: merge.table.clone(), version: None });
        let right = match merge.alias.clone() {
            None => table,
            Some(alias) => {
                let (relation, columns) = (Box::new(table), Vec::new());
                ast::Relation::new(pos, RelationKind::Aliased { relation, alias, columns })
            }
        };
        let left = self.relation(&merge.source, None)?;
        let sources = left.fields.len();
        let inserts = merge.cases.iter().any(|case| matches!(case, MergeCase::Insert { .. }));
        let kind = if inserts { JoinKind::Left } else { JoinKind::Inner };
        let on = JoinConstraint::On(Box::new(merge.on.clone()));
        let joined = self.joined(kind, left, &right, &on, pos, None)?;
        let target = Target::of(&joined.fields[sources..])?;
        Ok((joined, target))
    }

    /// The number of the first case that fits a row; NULL if none does. Conditions of cases that can't apply aren't
    /// evaluated.
    fn chosen(&mut self, cases: &[MergeCase], target: &Target, scope: &Scope<'_>) -> Result<Expr, TrinoError> {
        let (mut matched, mut unmatched) = (Vec::new(), Vec::new());
        for (index, case) in cases.iter().enumerate() {
            let (list, condition) = match case {
                MergeCase::Update { condition, .. } | MergeCase::Delete { condition } => (&mut matched, condition),
                MergeCase::Insert { condition, .. } => (&mut unmatched, condition),
            };
            let fits = match condition {
                None => lit(true),
                Some(condition) => {
                    let value = self.plain(condition, scope, "MERGE WHEN condition")?;
                    super::expression::boolean(value, "MERGE WHEN condition").map_err(at(condition.pos))?
                }
            };
            list.push((fits, lit(number(index))));
        }
        let none = lit(ScalarValue::Int32(None));
        let [matched, unmatched] = [matched, unmatched].map(|list| choice(list, none.clone()));
        Ok(choice(vec![(target.path.typed().0.is_not_null(), matched)], unmatched))
    }

    /// The plan with the case as a column, without the rows that no case fits.
    fn with_case(&mut self, plan: LogicalPlan, case: Expr) -> Result<(LogicalPlan, Expr), TrinoError> {
        let (plan, mut values) = self.marks_in(plan, vec![case])?;
        let column = self.fresh_column("case");
        let all = plan.schema().columns().into_iter().map(Expr::Column);
        let all = all.chain(values.pop().map(|case| case.alias(&column.name))).collect();
        let case = Expr::Column(column);
        Ok((self.filter(project(plan, all)?, case.clone().is_not_null())?, case))
    }

    /// The row that comes in a case, in the order of the table's columns; none if the row only goes.
    fn outcome(
        &mut self,
        index: usize,
        case: &MergeCase,
        target: &Target,
        scope: &Scope<'_>,
    ) -> Result<Option<Vec<Expr>>, TrinoError> {
        let missing = |name: &Ident| format!("Merge column name does not exist in target table: {}", name.value);
        let twice = |name: &Ident| format!("Merge column name is specified more than once: {}", name.value);
        let (names, exprs): (Vec<&Ident>, Vec<&ast::Expr>) = match case {
            MergeCase::Delete { .. } => return Ok(None),
            MergeCase::Update { assignments, .. } => assignments.iter().map(|(name, expr)| (name, expr)).unzip(),
            MergeCase::Insert { columns, values, .. } => (columns.iter().collect(), values.iter().collect()),
        };
        let places = match (case, names.is_empty()) {
            (MergeCase::Insert { .. }, true) => (0..target.columns.len()).collect(),
            _ => places(target, &names, missing, twice)?,
        };
        if places.len() != exprs.len() {
            let message = format!("MERGE INSERT has {} column(s) but {} value(s)", places.len(), exprs.len());
            return Err(TrinoError::at(
                exprs.first().map_or(START, |expr| expr.pos),
                ErrorCode::InvalidArguments,
                message,
            ));
        }
        let given = exprs.into_iter().map(|expr| self.plain(expr, scope, "MERGE expression"));
        let given = given.collect::<Result<Vec<_>, _>>()?;
        let given = fitting(target, &places, given, || {
            format!("MERGE table column types don't match for MERGE case {index}, SET expressions")
        })?;
        let mut row = match case {
            MergeCase::Insert { .. } => {
                target.columns.iter().map(|column| null(&column.ty)).collect::<Result<_, _>>()?
            }
            _ => target.columns.iter().map(|column| column.typed().0).collect::<Vec<_>>(),
        };
        for (place, value) in places.into_iter().zip(given) {
            row[place] = value;
        }
        Ok(Some(row))
    }

    /// The plan with these columns, each under a name of its own.
    fn named_anew(&mut self, plan: LogicalPlan, values: Vec<Expr>) -> Result<LogicalPlan, TrinoError> {
        let named = values.into_iter().map(|value| value.alias(self.fresh("changed")));
        let named = named.collect();
        project(plan, named)
    }
}

/// The columns that names mean, by their places.
fn places(
    target: &Target,
    names: &[&Ident],
    missing: impl Fn(&Ident) -> String,
    twice: impl Fn(&Ident) -> String,
) -> Result<Vec<usize>, TrinoError> {
    let mut places = Vec::with_capacity(names.len());
    for name in names {
        let place = target.place(name);
        let place = place.ok_or_else(|| TrinoError::at(name.pos, ErrorCode::ColumnNotFound, missing(name)))?;
        if places.contains(&place) {
            return Err(TrinoError::at(name.pos, ErrorCode::DuplicateColumnName, twice(name)));
        }
        places.push(place);
    }
    Ok(places)
}

/// The values as the columns' types.
fn fitting(
    target: &Target,
    places: &[usize],
    given: Vec<Typed>,
    what: impl Fn() -> String,
) -> Result<Vec<Expr>, TrinoError> {
    let wanted: Vec<&Type> = places.iter().map(|place| &target.columns[*place].ty).collect();
    if !given.iter().zip(&wanted).all(|((_, from), to)| can_coerce(from, to)) {
        let shown = |types: &mut dyn Iterator<Item = &Type>| types.map(Type::to_string).collect::<Vec<_>>().join(", ");
        let (table, exprs) = (shown(&mut wanted.iter().copied()), shown(&mut given.iter().map(|(_, ty)| ty)));
        let message = format!("{}: Table: [{table}], Expressions: [{exprs}]", what());
        return Err(TrinoError::at(START, ErrorCode::TypeMismatch, message));
    }
    given.into_iter().zip(wanted).map(|(value, ty)| Ok(cast::cast(value, ty)?.0)).collect()
}

fn null(ty: &Type) -> Result<Expr, TrinoError> {
    Ok(cast::cast((lit(ScalarValue::Null), Type::Unknown), ty)?.0)
}

/// A case as a number in the plan.
fn number(index: usize) -> i32 {
    i32::try_from(index).unwrap_or(i32::MAX)
}

/// `CASE WHEN … THEN … ELSE otherwise END`
fn choice(branches: Vec<(Expr, Expr)>, otherwise: Expr) -> Expr {
    if branches.is_empty() {
        return otherwise;
    }
    let branches = branches.into_iter().map(|(when, then)| (Box::new(when), Box::new(then))).collect();
    Expr::Case(Case::new(None, branches, Some(Box::new(otherwise))))
}

/// The value of each case.
fn by_case(case: &Expr, values: Vec<Expr>, otherwise: Expr) -> Expr {
    let branches = values.into_iter().enumerate();
    choice(branches.map(|(index, value)| (case.clone().eq(lit(number(index))), value)).collect(), otherwise)
}
