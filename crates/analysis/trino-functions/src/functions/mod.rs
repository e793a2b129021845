//! Every function by name: its signatures, what it does, and what computes it.
//!
//! Each kind of function has a file with `pub(crate) fn register(table: &mut Table)`. To add a function, add one entry
//! there; several entries of one name are its overloads, and the best match wins as in Trino.
//!
//! - `table.kernel("repeat(T, integer) -> array(T)", "What it does.", repeat)`: computed by our own kernel,
//!   `fn repeat(call: &Call<'_>) -> Result<ArrayRef, TrinoError>`. `call.array(i)` has a value for each of `call.rows`
//!   rows, `call.constant(i)` is `Some` if the argument is the same for all rows (compile patterns once), `call.types` and
//!   `call.result` are the types of this call. The array returned must have exactly `call.result.to_arrow()`. If all
//!   arguments are constants, `call.rows` is 1. A NULL argument reaches the kernel like any other value.
//! - `table.native("abs(double) -> double", "…", |args| abs(args))`: DataFusion's expression means exactly the same. The
//!   arguments have already the types of the signature.
//! - `table.expression("nullif(T, T) -> T", "…", build)`: `fn(Vec<Typed>, &Type) -> Result<Expr, TrinoError>`, where the
//!   expression depends on the types.
//! - Lambdas are parameters like `function(T, boolean)`: the kernel calls `call.lambda(i)?.evaluate(&columns, &rows)`, where
//!   the columns are the lambda's parameters and `rows[i]` is the row of the batch that the i-th value belongs to.
//! - `table.aggregate(…)`, `table.window(…)`: see `aggregate.rs` and `window.rs`.
//! - `table.alias("pow", "power")` gives all overloads registered so far a second name; `.volatile()` after an entry keeps
//!   it from being computed once for all rows. `.never_fails()` and `.fails_by_row()` spare TRY the search for the rows
//!   that fail, and let what stands inside it be computed once with what stands outside.
//!
//! Signatures are explained in [`crate::signature`]. For unbounded text declare `varchar`; `varchar(x)` only where the
//! length matters for the result's type.

mod address;
pub(crate) mod aggregate;
mod array;
mod binary;
mod bitwise;
mod color;
mod conditional;
mod conversion;
pub(crate) use color::write_color;

pub(crate) mod datetime;
mod elements;
mod geospatial;
pub(crate) use geospatial::{kdb_tree, write_geometry, write_tile};

mod hashing;
mod higher_order;
pub mod json;
mod map;
mod math;
mod regexp;
mod session;
mod sketch;
pub(crate) mod sliding;
mod string;
mod support;
#[cfg(test)]
mod testing;
mod url;
mod window;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use datafusion::logical_expr::{AggregateUDF, Expr, Volatility, WindowFunctionDefinition};

use crate::error::TrinoError;
use crate::kernel::{Failure, Kernel};
use crate::signature::Signature;
use crate::types::Type;
use crate::{FunctionKind, Typed};

/// The functions by lower-case name.
pub(crate) static TABLE: LazyLock<Table> = LazyLock::new(Table::build);

/// Builds DataFusion's expression of a call.
pub(crate) type Native = fn(Vec<Expr>) -> Expr;
/// Builds an expression from arguments of the signature's types and the result's type.
pub(crate) type Build = fn(Vec<Typed>, &Type) -> Result<Expr, TrinoError>;
/// Builds an aggregate and its arguments; the second type is the result's.
pub(crate) type BuildAggregate = fn(Vec<Typed>, &Type) -> Result<AggregatePlan, TrinoError>;
/// Builds a window function and its arguments.
pub(crate) type BuildWindow = fn(Vec<Typed>, &Type) -> Result<(WindowFunctionDefinition, Vec<Expr>), TrinoError>;

/// An aggregate with what is done to its arguments before and to its result after.
pub(crate) struct AggregatePlan {
    /// The aggregate function.
    pub(crate) function: Arc<AggregateUDF>,
    /// Its arguments.
    pub(crate) args: Vec<Expr>,
    /// Whether ORDER BY changes the result; elsewhere it is dropped.
    pub(crate) ordered: bool,
}

/// What computes a function.
pub(crate) enum Implementation {
    Kernel(Kernel),
    Native(Native),
    Expression(Build),
    Aggregate(BuildAggregate),
    Window(BuildWindow),
}

/// One overload of a function.
pub(crate) struct Entry {
    /// Its signature.
    pub(crate) signature: Signature,
    /// One sentence for the documentation.
    pub(crate) description: &'static str,
    /// What computes it.
    pub(crate) implementation: Implementation,
    /// Whether the same arguments always give the same result.
    pub(crate) volatility: Volatility,
    /// How it fails.
    pub(crate) failure: Failure,
}

impl Entry {
    /// What sort of function it is.
    pub(crate) fn kind(&self) -> FunctionKind {
        match self.implementation {
            Implementation::Aggregate(_) => FunctionKind::Aggregate,
            Implementation::Window(_) => FunctionKind::Window,
            _ => FunctionKind::Scalar,
        }
    }

    /// Every row gets its own value, even from the same arguments.
    pub(crate) fn volatile(&mut self) {
        self.volatility = Volatility::Volatile;
    }

    /// A row's error is its own, and a NULL argument gives NULL, so that TRY can be asked of each row.
    pub(crate) fn fails_by_row(&mut self) {
        self.failure = Failure::OfRows;
    }

    /// No row is an error if this holds for the arguments.
    pub(crate) fn never_fails_if(&mut self, holds: fn(&[Expr]) -> bool) {
        self.failure = Failure::Never(holds);
    }

    /// No row is an error.
    pub(crate) fn never_fails(&mut self) {
        self.never_fails_if(|_| true);
    }
}

/// All functions.
#[derive(Default)]
pub(crate) struct Table {
    entries: BTreeMap<String, Vec<Arc<Entry>>>,
}

impl Table {
    fn build() -> Self {
        let mut table = Self::default();
        let kinds = [
            address::register,
            aggregate::register,
            array::register,
            string::register,
            binary::register,
            bitwise::register,
            color::register,
            conditional::register,
            conversion::register,
            datetime::register,
            geospatial::register,
            higher_order::register,
            json::register,
            map::register,
            math::register,
            regexp::register,
            session::register,
            sketch::register,
            url::register,
            window::register,
        ];
        for register in kinds {
            register(&mut table);
        }
        table
    }

    /// The overloads of a function; empty if there is no such function.
    pub(crate) fn overloads(&self, name: &str) -> &[Arc<Entry>] {
        self.entries.get(name.to_lowercase().as_str()).map_or(&[], Vec::as_slice)
    }

    /// All functions in the order of their names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &[Arc<Entry>])> {
        self.entries.iter().map(|(name, entries)| (name.as_str(), entries.as_slice()))
    }

    /// Adds a function that our own kernel computes.
    pub(crate) fn kernel(&mut self, signature: &'static str, description: &'static str, kernel: Kernel) -> &mut Entry {
        self.add(signature, description, Implementation::Kernel(kernel))
    }

    /// Adds a function that DataFusion has with the same meaning.
    pub(crate) fn native(&mut self, signature: &'static str, description: &'static str, native: Native) -> &mut Entry {
        self.add(signature, description, Implementation::Native(native))
    }

    /// Adds a function whose expression depends on the types.
    pub(crate) fn expression(
        &mut self,
        signature: &'static str,
        description: &'static str,
        build: Build,
    ) -> &mut Entry {
        self.add(signature, description, Implementation::Expression(build))
    }

    /// Adds an aggregate.
    pub(crate) fn aggregate(
        &mut self,
        signature: &'static str,
        description: &'static str,
        build: BuildAggregate,
    ) -> &mut Entry {
        self.add(signature, description, Implementation::Aggregate(build))
    }

    /// Adds a window function that is no aggregate.
    pub(crate) fn window(
        &mut self,
        signature: &'static str,
        description: &'static str,
        build: BuildWindow,
    ) -> &mut Entry {
        self.add(signature, description, Implementation::Window(build))
    }

    /// Gives a function a second name.
    pub(crate) fn alias(&mut self, alias: &str, name: &str) {
        let entries = self.overloads(name).to_vec();
        debug_assert!(!entries.is_empty(), "{name} is registered before its alias");
        self.entries.entry(alias.to_owned()).or_default().extend(entries);
    }

    fn add(
        &mut self,
        signature: &'static str,
        description: &'static str,
        implementation: Implementation,
    ) -> &mut Entry {
        // A constant of this crate; `every_signature_is_readable` reads them all.
        let signature = Signature::parse(signature).expect("the table's signatures are readable");
        let entry = Entry {
            signature,
            description,
            implementation,
            volatility: Volatility::Immutable,
            failure: Failure::Unknown,
        };
        let overloads = self.entries.entry(entry.signature.name.clone()).or_default();
        overloads.push(Arc::new(entry));
        overloads.last_mut().and_then(Arc::get_mut).expect("an entry just added is shared with nobody")
    }
}

/// A call from inside this crate, without lambdas.
pub(crate) fn call_scalar(name: &str, args: Vec<Typed>) -> Result<Typed, TrinoError> {
    crate::scalar(name, args.into_iter().map(crate::Argument::Value).collect(), &mut crate::NoLambdas)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FunctionKind, catalogue, kind};

    #[test]
    fn every_signature_is_readable() {
        // Building the table reads them all.
        let names: Vec<_> = catalogue().map(|function| function.name).collect();
        assert!(names.len() > 60, "{}", names.len());
        assert!(names.iter().all(|name| name == &name.to_lowercase()));
        assert!(catalogue().all(|function| function.description.ends_with('.') && !function.signatures.is_empty()));
    }

    #[test]
    fn names_have_kinds() {
        assert_eq!(kind("DATE_TRUNC"), Some(FunctionKind::Scalar));
        assert_eq!(kind("sum"), Some(FunctionKind::Aggregate));
        assert_eq!(kind("lag"), Some(FunctionKind::Window));
        assert_eq!(kind("nope"), None);
    }

    #[test]
    fn a_signature_that_cannot_be_read_says_where() {
        let error = Signature::parse("f(varchar -> bigint").unwrap_err();
        assert_eq!(error.to_string(), "a signature can't be read at ` -> bigint`");
        assert!(Signature::parse("f(nope) -> bigint").is_err());
        assert!(Signature::parse("f(T) -> T where T:large").is_err());
    }

    #[test]
    fn numbers_in_types_are_computed() {
        let signature = Signature::parse("f(decimal(p, s)) -> decimal(min(38, p - s + min(s, 1)), 0)").unwrap();
        let mut bindings = crate::signature::Bindings::default();
        let patterns = signature.patterns(1).unwrap();
        assert!(patterns[0].bind(&Type::Decimal(10, 2), &mut bindings));
        assert_eq!(signature.result(&bindings), Some(Type::Decimal(9, 0)));
    }
}
