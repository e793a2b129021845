//! Names in MEASURES and DEFINE: columns of the rows of a match, perhaps with a variable before them.

use std::cell::RefCell;

use boathouse_trino_functions::Typed;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::Type;
use boathouse_trino_parser::ast::{self, Ident, Name};
use datafusion::common::Column;
use datafusion::logical_expr::Expr;

use super::Matched;
use super::variables::label;
use crate::analyzer::scope::Field;
use crate::operators::{Label, Navigation, Slot, Value};

/// What names mean in an expression over the rows of a match.
#[derive(Debug)]
pub(crate) struct PatternScope<'s> {
    pub(super) matched: &'s Matched<'s>,
    /// What the expression takes from the match, so far.
    pub(super) slots: &'s RefCell<Vec<Slot>>,
    /// Which row columns are taken from; it has no labels yet.
    pub(super) navigation: Navigation,
    pub(super) inside: Inside<'s>,
    /// The variables whose rows are looked at; none for all rows.
    pub(super) used: RefCell<Vec<Option<String>>>,
    pub(super) clause: Clause,
}

/// The clause that an expression stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clause {
    /// DEFINE, where FINAL means nothing.
    Define,
    /// MEASURES
    Measures,
}

/// What an expression stands in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Inside<'s> {
    Nothing,
    /// An argument of PREV, NEXT, FIRST or LAST; the argument itself.
    Navigation(&'s str, &'s ast::Expr),
    /// An argument of an aggregate.
    Aggregate(&'s str),
}

impl<'s> PatternScope<'s> {
    /// The same names inside something else.
    pub(super) fn within<'t>(
        &'t self,
        slots: &'t RefCell<Vec<Slot>>,
        navigation: Navigation,
        inside: Inside<'t>,
    ) -> PatternScope<'t> {
        let used = RefCell::default();
        PatternScope { matched: self.matched, slots, navigation, inside, used, clause: self.clause }
    }

    /// The input's columns.
    pub(crate) fn fields(&self) -> &'s [Field] {
        self.matched.fields
    }

    /// Whether there is an OVER around.
    pub(super) fn in_window(&self) -> bool {
        self.matched.in_window
    }

    /// A value that is computed for each row of the input, as a column.
    pub(super) fn computed(&self, value: Typed, column: Column) -> Typed {
        self.matched.computed.borrow_mut().push((value.0, column.clone()));
        self.slot(Value::Column(column), value.1, Vec::new())
    }

    /// Refuses a name of the queries around; others may be anything.
    fn refuse_outer(&self, name: &Name) -> Result<(), TrinoError> {
        self.matched.around.map_or(Ok(()), |around| around.refuse(name))
    }

    /// The value that a name means, and how many of its parts are left.
    pub(crate) fn find(&self, name: &Name) -> Result<Option<(Typed, usize)>, TrinoError> {
        let parts = &name.parts;
        if let [variable, column, ..] = parts.as_slice()
            && let Some(labels) = self.matched.variables.labels(variable)
        {
            let rest: Vec<_> = parts[1..].iter().map(|part| part.value.as_str()).collect();
            let unresolved = || {
                let message =
                    format!("Column {} prefixed with label {} cannot be resolved", rest.join("."), label(variable));
                TrinoError::at(name.pos(), ErrorCode::ColumnNotFound, message)
            };
            let field = if parts.len() == 2 { self.field(column, name)? } else { None };
            let field = field.ok_or_else(unresolved)?;
            self.used.borrow_mut().push(Some(label(variable)));
            return Ok(Some((self.column(field, labels), 0)));
        }
        let Some(first) = parts.first() else { return Ok(None) };
        let Some(field) = self.field(first, name)? else {
            self.refuse_outer(name)?;
            return Ok(None);
        };
        self.used.borrow_mut().push(None);
        Ok(Some((self.column(field, Vec::new()), parts.len() - 1)))
    }

    fn field(&self, column: &Ident, name: &Name) -> Result<Option<&'s Field>, TrinoError> {
        let column = column.lower();
        let mut found = self.matched.fields.iter().filter(|field| field.name.as_ref() == Some(&column));
        match (found.next(), found.next()) {
            (field, None) => Ok(field),
            (_, Some(_)) => {
                let written: Vec<_> = name.parts.iter().map(|part| part.value.as_str()).collect();
                let message = format!("Column '{}' is ambiguous", written.join("."));
                Err(TrinoError::at(name.pos(), ErrorCode::AmbiguousName, message))
            }
        }
    }

    fn column(&self, field: &Field, labels: Vec<Label>) -> Typed {
        self.slot(Value::Column(field.column.clone()), field.ty.clone(), labels)
    }

    /// Something taken from the match, as a column.
    pub(super) fn slot(&self, value: Value, ty: Type, labels: Vec<Label>) -> Typed {
        let navigation = Navigation { labels, ..self.navigation.clone() };
        let mut slots = self.slots.borrow_mut();
        let name = format!("slot_{}", slots.len());
        let slot = Slot { name, ty: ty.to_arrow(), value, navigation };
        let known = slots
            .iter()
            .find(|known| (&known.value, &known.navigation, &known.ty) == (&slot.value, &slot.navigation, &slot.ty));
        let name = known.map_or_else(|| slot.name.clone(), |known| known.name.clone());
        if known.is_none() {
            slots.push(slot);
        }
        (Expr::Column(Column::new_unqualified(name)), ty)
    }

    /// The variable that all columns and classifiers of a function's arguments belong to. None if there are no columns.
    pub(super) fn only_variable(&self, function: &str, pos: ast::Pos) -> Result<Option<Option<String>>, TrinoError> {
        let used = self.used.borrow();
        let Some(first) = used.first() else { return Ok(None) };
        if used.iter().all(|other| other == first) {
            return Ok(Some(first.clone()));
        }
        let message = format!(
            "Column references inside argument of function {function} must all either be prefixed with the same label or be not prefixed"
        );
        Err(TrinoError::at(pos, ErrorCode::InvalidArguments, message))
    }
}
