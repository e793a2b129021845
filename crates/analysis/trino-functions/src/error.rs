//! Errors with Trino's names: `SYNTAX_ERROR: line 1:8: …`, `DIVISION_BY_ZERO: Division by zero`.

use std::fmt;

use arrow::error::ArrowError;
use datafusion::common::DataFusionError;

use boathouse_trino_parser::ast::Pos;

/// Trino's error codes ("StandardErrorCode"), as far as the engine raises them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are Trino's and say what they mean")]
pub enum ErrorCode {
    SyntaxError,
    CatalogNotFound,
    SchemaNotFound,
    TableNotFound,
    ColumnNotFound,
    AmbiguousName,
    DuplicateColumnName,
    DuplicateNamedQuery,
    DuplicateWindowName,
    MissingColumnAliases,
    MismatchedColumnAliases,
    ExpressionNotAggregate,
    ExpressionNotScalar,
    ExpressionNotInDistinct,
    NestedAggregation,
    NestedWindow,
    MissingOver,
    FunctionNotFound,
    FunctionNotAggregate,
    FunctionNotWindow,
    OperatorNotFound,
    MissingGroupBy,
    InvalidWindowFrame,
    InvalidWindowReference,
    InvalidPartitionBy,
    InvalidOrderBy,
    NullTreatmentNotAllowed,
    TypeMismatch,
    TypeNotFound,
    InvalidLiteral,
    InvalidParameterUsage,
    InvalidColumnReference,
    InvalidViewDefinition,
    ViewIsStale,
    TableAlreadyExists,
    NotSupported,
    NotFound,
    SubqueryMultipleRows,
    MergeTargetRowMultipleMatches,
    DivisionByZero,
    NumericValueOutOfRange,
    InvalidCastArgument,
    InvalidFunctionArgument,
    InvalidArguments,
    PathEvaluationError,
    JsonInputConversionError,
    JsonOutputConversionError,
    JsonValueResultError,
    AmbiguousFunctionCall,
    InvalidRowPattern,
    InvalidLabel,
    InvalidRange,
    InvalidProcessingMode,
    InvalidNavigationNesting,
    InvalidPatternRecognitionFunction,
    InvalidWindowMeasure,
    MissingRowPattern,
    MissingVariableDefinitions,
    TableHasNoColumns,
    InvalidLimitClause,
    MissingOrderBy,
    ConstraintViolation,
    InvalidTableProperty,
    HiveBadData,
    HiveCannotOpenSplit,
    HivePathAlreadyExists,
    HiveExceededPartitionLimit,
    IcebergBadData,
    IcebergCommitError,
    IcebergInvalidMetadata,
    IcebergTooManyOpenPartitions,
    PermissionDenied,
    ExceededMemoryLimit,
    ExceededLocalDiskLimit,
    UserCanceled,
    GenericUserError,
    GenericInternalError,
}

impl ErrorCode {
    /// The code as it stands in messages, such as `DIVISION_BY_ZERO`.
    pub fn name(self) -> String {
        let camel = format!("{self:?}");
        let mut name = String::with_capacity(camel.len() + 4);
        for (index, letter) in camel.char_indices() {
            if letter.is_uppercase() && index > 0 {
                name.push('_');
            }
            name.push(letter.to_ascii_uppercase());
        }
        name
    }

    /// Whether the platform failed, and not the statement.
    pub fn is_internal(self) -> bool {
        matches!(self, Self::GenericInternalError)
    }
}

/// An error of parsing, analysis or execution.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct TrinoError {
    /// Trino's code.
    pub code: ErrorCode,
    /// Where in the statement, when known.
    pub pos: Option<Pos>,
    /// What went wrong, without code and position.
    pub message: String,
}

impl fmt::Display for TrinoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.code.name())?;
        if let Some(pos) = self.pos {
            write!(f, "line {}:{}: ", pos.line, pos.column)?;
        }
        f.write_str(&self.message)
    }
}

impl TrinoError {
    /// An error without a position, as raised while rows are computed.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, pos: None, message: message.into() }
    }

    /// An error at a position of the statement.
    pub fn at(pos: Pos, code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, pos: Some(pos), message: message.into() }
    }
}

impl TrinoError {
    /// A failure of the platform, and not of the statement.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::GenericInternalError, message)
    }

    /// A value that a function can't take.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidFunctionArgument, message)
    }

    /// Types that don't go together.
    pub(crate) fn mismatch(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::TypeMismatch, message)
    }

    /// A number too large (or too small) for its type.
    pub(crate) fn out_of_range(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::NumericValueOutOfRange, message)
    }

    pub(crate) fn of_arrow(error: &ArrowError) -> Self {
        match error {
            ArrowError::ExternalError(inner) => match inner.downcast_ref::<Self>() {
                Some(ours) => ours.clone(),
                None => Self::internal(inner.to_string()),
            },
            ArrowError::DivideByZero => Self::new(ErrorCode::DivisionByZero, "Division by zero"),
            ArrowError::ArithmeticOverflow(message) => Self::out_of_range(message),
            other => Self::internal(other.to_string()),
        }
    }
}

impl From<ArrowError> for TrinoError {
    fn from(error: ArrowError) -> Self {
        Self::of_arrow(&error)
    }
}

/// Kernels and operators run inside DataFusion and hand our errors through it unharmed.
impl From<TrinoError> for DataFusionError {
    fn from(error: TrinoError) -> Self {
        Self::External(Box::new(error))
    }
}
