//! Names in scope: what a column's name means at a place of the statement.

use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::Type;
use boathouse_trino_functions::{Typed, operators};
use boathouse_trino_parser::ast::Name;
use datafusion::common::Column;
use datafusion::logical_expr::expr::LambdaVariable;
use datafusion::logical_expr::{Expr, LogicalPlan};
use std::sync::Arc;

use arrow::datatypes::Field as ArrowField;

use super::recognition::PatternScope;

/// A column of a relation.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    /// The relation's name: an alias, or catalog, database and table.
    pub(crate) relation: Vec<String>,
    /// The column's name, in lower case.
    pub(crate) name: Option<String>,
    /// The name as it was written, for the result's header.
    pub(crate) label: Option<String>,
    /// The column of the plan; its name is used only once in the whole statement.
    pub(crate) column: Column,
    /// Its type.
    pub(crate) ty: Type,
    /// Whether `*` leaves it out.
    pub(crate) hidden: bool,
}

/// Rows with named columns.
#[derive(Debug, Clone)]
pub(crate) struct Relation {
    /// What computes them.
    pub(crate) plan: LogicalPlan,
    /// The columns. The plan may have more.
    pub(crate) fields: Vec<Field>,
}

impl Field {
    /// The column as an expression.
    pub(crate) fn typed(&self) -> Typed {
        (Expr::Column(self.column.clone()), self.ty.clone())
    }

    fn answers_to(&self, qualifier: &[String], name: &str) -> bool {
        self.name.as_deref() == Some(name) && self.relation.ends_with(qualifier)
    }
}

/// What names mean at one level of the statement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'s> {
    level: Level<'s>,
    parent: Option<&'s Scope<'s>>,
}

#[derive(Debug, Clone, Copy)]
enum Level<'s> {
    /// The relations of a query.
    Query(&'s [Field]),
    /// The columns that a SELECT gives, for its ORDER BY.
    Outputs(&'s [(Option<String>, Typed)]),
    /// The parameters of a lambda: name, internal name and type.
    Lambda(&'s [(String, String, Type)]),
    /// The rows of a match.
    Pattern(&'s PatternScope<'s>),
    /// Names that would mean something, but may not be used.
    Refused(&'s Scope<'s>),
}

impl<'s> Scope<'s> {
    /// The relations of a query, inside another query's scope if it is a subquery.
    pub(crate) fn query(fields: &'s [Field], outer: Option<&'s Scope<'s>>) -> Self {
        Self { level: Level::Query(fields), parent: outer }
    }

    /// A SELECT's columns by name, before those of its relations.
    pub(crate) fn outputs(outputs: &'s [(Option<String>, Typed)], inner: &'s Scope<'s>) -> Self {
        Self { level: Level::Outputs(outputs), parent: Some(inner) }
    }

    /// A lambda's parameters before everything around it.
    pub(crate) fn lambda(parameters: &'s [(String, String, Type)], inner: &'s Scope<'s>) -> Self {
        Self { level: Level::Lambda(parameters), parent: Some(inner) }
    }

    /// The rows of a match. What is around is the same match, seen from elsewhere, with lambdas in between.
    pub(crate) fn pattern(pattern: &'s PatternScope<'s>, around: Option<&'s Scope<'s>>) -> Self {
        Self { level: Level::Pattern(pattern), parent: around }
    }

    /// Nothing: names of that scope are refused.
    pub(crate) fn refused(scope: &'s Scope<'s>) -> Self {
        Self { level: Level::Refused(scope), parent: None }
    }

    /// Refuses a name that means something here.
    pub(crate) fn refuse(&self, name: &Name) -> Result<(), TrinoError> {
        if self.resolve(name).is_err() {
            return Ok(());
        }
        let written: Vec<_> = name.parts.iter().map(|part| part.value.as_str()).collect();
        let message =
            format!("Reference to column '{}' from outer scope not allowed in this context", written.join("."));
        Err(TrinoError::at(name.pos(), ErrorCode::NotSupported, message))
    }

    /// The match whose rows an expression is about, if it is about one.
    pub(crate) fn matched(&self) -> Option<&'s PatternScope<'s>> {
        match (self.level, self.parent) {
            (Level::Pattern(pattern), _) => Some(pattern),
            (Level::Query(_) | Level::Refused(_), _) | (_, None) => None,
            (_, Some(parent)) => parent.matched(),
        }
    }

    /// What a dotted name means: a column, or a field of a row in a column.
    pub(crate) fn resolve(&self, name: &Name) -> Result<Typed, TrinoError> {
        let parts: Vec<String> = name.parts.iter().map(|part| part.lower()).collect();
        let (mut scope, mut is_outer) = (Some(self), false);
        while let Some(current) = scope {
            if let Some((value, rest)) = current.level.find(&parts, name)? {
                let value = if is_outer { as_outer(value) } else { value };
                let fields = name.parts.iter().skip(parts.len() - rest);
                return fields.into_iter().try_fold(value, |value, field| {
                    operators::dereference(value, &field.value).map_err(|error| {
                        let message = match error.code {
                            ErrorCode::ColumnNotFound => format!("Column '{}' cannot be resolved", parts.join(".")),
                            _ if error.message.ends_with("is not of type ROW") => {
                                format!("Expression {} is not of type ROW", parts[..parts.len() - rest].join("."))
                            }
                            _ => error.message,
                        };
                        TrinoError { pos: error.pos.or(Some(name.pos())), message, ..error }
                    })
                });
            }
            is_outer |= matches!(current.level, Level::Query(_));
            scope = current.parent;
        }
        let written: Vec<_> = name.parts.iter().map(|part| part.value.as_str()).collect();
        let message = format!("Column '{}' cannot be resolved", written.join(".").to_lowercase());
        Err(TrinoError::at(name.pos(), ErrorCode::ColumnNotFound, message))
    }

    /// The names around the query itself.
    pub(crate) fn around(&self) -> Option<&'s Scope<'s>> {
        match self.level {
            Level::Query(_) => self.parent,
            _ => self.parent.and_then(Scope::around),
        }
    }

    /// The fields of the query itself.
    pub(crate) fn fields(&self) -> &'s [Field] {
        match (self.level, self.parent) {
            (Level::Query(fields), _) => fields,
            (_, Some(parent)) => parent.fields(),
            (_, None) => &[],
        }
    }
}

impl Level<'_> {
    /// The value that the longest possible start of the name means, and how many parts are left.
    fn find(&self, parts: &[String], name: &Name) -> Result<Option<(Typed, usize)>, TrinoError> {
        match self {
            Self::Query(fields) => {
                for end in (0..parts.len()).rev() {
                    let mut found = fields.iter().filter(|field| field.answers_to(&parts[..end], &parts[end]));
                    if let Some(field) = found.next() {
                        if found.next().is_some() {
                            return Err(ambiguous(name));
                        }
                        return Ok(Some((field.typed(), parts.len() - end - 1)));
                    }
                }
                Ok(None)
            }
            Self::Outputs(outputs) => {
                let mut found =
                    outputs.iter().filter(|(output, _)| parts.len() == 1 && output.as_ref() == Some(&parts[0]));
                let Some((_, value)) = found.next() else {
                    return Ok(None);
                };
                if found.any(|(_, other)| other != value) {
                    return Err(ambiguous(name));
                }
                Ok(Some((value.clone(), 0)))
            }
            Self::Lambda(parameters) => {
                let found = parameters.iter().find(|(parameter, ..)| *parameter == parts[0]);
                Ok(found.map(|(_, internal, ty)| (lambda_variable(internal, ty), parts.len() - 1)))
            }
            Self::Pattern(pattern) => pattern.find(name),
            Self::Refused(scope) => scope.refuse(name).map(|()| None),
        }
    }
}

fn ambiguous(name: &Name) -> TrinoError {
    let written: Vec<_> = name.parts.iter().map(|part| part.value.as_str()).collect();
    TrinoError::at(name.pos(), ErrorCode::AmbiguousName, format!("Column '{}' is ambiguous", written.join(".")))
}

fn lambda_variable(name: &str, ty: &Type) -> Typed {
    let field = Arc::new(ArrowField::new(name, ty.to_arrow(), true));
    (Expr::LambdaVariable(LambdaVariable::new(name.to_owned(), Some(field))), ty.clone())
}

fn as_outer((expr, ty): Typed) -> Typed {
    match expr {
        Expr::Column(column) => {
            let field = Arc::new(ArrowField::new(&column.name, ty.to_arrow(), true));
            (Expr::OuterReferenceColumn(field, column), ty)
        }
        other => (other, ty),
    }
}
