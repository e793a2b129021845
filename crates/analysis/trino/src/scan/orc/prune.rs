//! Stripes and row groups in which a filter finds nothing, by their statistics and Bloom filters.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, UInt64Array};
use arrow::datatypes::{DataType as ArrowType, SchemaRef, TimeUnit};
use boathouse_orc::proto::stream::Kind;
use boathouse_orc::proto::{BloomFilter as StoredFilter, ColumnStatistics, StripeInformation};
use boathouse_orc::stripe::{StreamAt, bloom_filters, row_index};
use boathouse_trino_functions::types::Type;
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, DFSchema, Result as PlanResult, ScalarValue};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::logical_expr::expr_rewriter::unnormalize_col;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::utils::conjunction;
use datafusion::physical_expr::create_physical_expr;
use datafusion::physical_optimizer::pruning::{PruningPredicate, PruningPredicateBuilder};
use orc_rust::RowSelection;
use orc_rust::bloom_filter::BloomFilter;
use orc_rust::schema::DataType;

use super::{File, in_file};
use crate::catalog::ColumnDefinition;

/// The first version of writers whose statistics of texts compare bytes.
const TEXTS_COMPARE_BYTES: u32 = 1;
/// How many row groups of a stripe are looked at: one has millions of rows, and a group has ten thousand.
const MOST_GROUPS: u64 = 1 << 16;

/// What rules out rows before they are read.
#[derive(Debug)]
pub(super) struct Pruning {
    predicate: Arc<PruningPredicate>,
    columns: Vec<ColumnDefinition>,
    /// The places in the table of the columns that the filters compare.
    compared: Vec<usize>,
}

impl Pruning {
    /// What the filters say of columns that are in files; none if that rules out nothing.
    pub(super) fn new(filters: &[Expr], schema: &SchemaRef, columns: &[ColumnDefinition]) -> PlanResult<Option<Self>> {
        let is_stored = |filter: &&Expr| {
            let mut names = filter.column_refs().into_iter().map(|column| &column.name);
            !filter.is_volatile() && names.all(|name| schema.index_of(name).is_ok())
        };
        let filters = filters.iter().filter(is_stored).cloned().map(unnormalize_col);
        let Some(filter) = conjunction(filters) else { return Ok(None) };
        let compared = filter.column_refs().into_iter().filter_map(|column| schema.index_of(&column.name).ok());
        let compared = compared.collect();
        let (of, context) = (DFSchema::try_from(Arc::clone(schema))?, PhysicalPlanningContext::default());
        let filter = create_physical_expr(&filter, &of, &ExecutionProps::new(), &context)?;
        let predicate = PruningPredicateBuilder::new().with_file_schema(Arc::clone(schema)).build(filter);
        Ok(predicate.map(|predicate| Self { predicate, columns: columns.to_vec(), compared }))
    }

    /// For each stripe whether it may hold rows.
    pub(super) fn stripes(&self, file: &File) -> PlanResult<Vec<bool>> {
        let stripes = &file.tail.footer.stripes;
        let statistics = &file.tail.stripe_statistics;
        if statistics.len() != stripes.len() {
            return Ok(vec![true; stripes.len()]);
        }
        self.predicate.prune(&Containers {
            pruning: self,
            file,
            rows: stripes.iter().map(StripeInformation::number_of_rows).collect(),
            statistics: &|container, column| statistics[container].col_stats.get(column),
            filters: &|_, _| None,
        })
    }

    /// Which rows of a stripe may be left, if not all are.
    pub(super) async fn rows(
        &self,
        file: &File,
        stripe: &StripeInformation,
        streams: &[StreamAt],
    ) -> PlanResult<Option<RowSelection>> {
        let stride = u64::from(file.tail.footer.row_index_stride());
        let groups = stripe.number_of_rows().checked_div(stride).unwrap_or(0) + 1;
        if stripe.number_of_rows() == 0 || stride == 0 || groups > MOST_GROUPS {
            return Ok(None);
        }
        let compared = self.compared.iter().filter_map(|index| file.columns.found[*index].as_ref());
        let compared: Vec<u32> = compared.map(|ty| ty.column_index() as u32).collect();
        let of_index = |stream: &&StreamAt| {
            matches!(stream.kind, Kind::RowIndex | Kind::BloomFilterUtf8) && compared.contains(&stream.column)
        };
        let wanted: Vec<&StreamAt> = streams.iter().filter(of_index).collect();
        let indexes = Indexes::read(file, &wanted).await?;
        let groups = stripe.number_of_rows().div_ceil(stride);
        let rows = |group| stride.min(stripe.number_of_rows() - group * stride);
        let keep = self.predicate.prune(&Containers {
            pruning: self,
            file,
            rows: (0..groups).map(rows).collect(),
            statistics: &|container, column| indexes.statistics(container, column),
            filters: &|container, column| indexes.filter(container, column),
        })?;
        if keep.iter().all(|keep| *keep) {
            return Ok(None);
        }
        let (stride, rows) = (stride as usize, stripe.number_of_rows() as usize);
        Ok(Some(RowSelection::from_row_group_filter(&keep, stride, rows)))
    }
}

/// The indexes of a stripe's columns.
struct Indexes {
    statistics: Vec<(u32, Vec<Option<ColumnStatistics>>)>,
    filters: Vec<(u32, Vec<StoredFilter>)>,
}

impl Indexes {
    async fn read(file: &File, streams: &[&StreamAt]) -> PlanResult<Self> {
        let mut indexes = Self { statistics: Vec::new(), filters: Vec::new() };
        let ranges: Vec<_> = streams.iter().map(|stream| stream.range.clone()).collect();
        for (stream, part) in streams.iter().zip(file.parts(&ranges).await?) {
            if stream.kind == Kind::RowIndex {
                let index = row_index(&file.tail, &part).map_err(|error| in_file(&file.data, error))?;
                let statistics = index.entry.into_iter().map(|entry| entry.statistics).collect();
                indexes.statistics.push((stream.column, statistics));
            } else {
                let filters = bloom_filters(&file.tail, &part).map_err(|error| in_file(&file.data, error))?;
                indexes.filters.push((stream.column, filters));
            }
        }
        Ok(indexes)
    }

    fn statistics(&self, group: usize, column: usize) -> Option<&ColumnStatistics> {
        let (_, groups) = self.statistics.iter().find(|(of, _)| *of as usize == column)?;
        groups.get(group)?.as_ref()
    }

    fn filter(&self, group: usize, column: usize) -> Option<&StoredFilter> {
        let (_, groups) = self.filters.iter().find(|(of, _)| *of as usize == column)?;
        groups.get(group)
    }
}

/// Stripes of a file, or row groups of a stripe.
struct Containers<'a> {
    pruning: &'a Pruning,
    file: &'a File,
    rows: Vec<u64>,
    /// A container's statistics of a column of the file.
    statistics: &'a (dyn Fn(usize, usize) -> Option<&'a ColumnStatistics> + Sync),
    /// A container's Bloom filter of a column of the file.
    filters: &'a (dyn Fn(usize, usize) -> Option<&'a StoredFilter> + Sync),
}

impl Containers<'_> {
    /// A column of the table, and what it is in the file.
    fn find(&self, name: &str) -> Option<(&ColumnDefinition, &DataType)> {
        let place = self.pruning.columns.iter().position(|column| column.name == name)?;
        Some((&self.pruning.columns[place], self.file.columns.found[place].as_ref()?))
    }

    fn bounds(&self, name: &str, which: impl Fn((ScalarValue, ScalarValue)) -> ScalarValue) -> Option<ArrayRef> {
        let (column, found) = self.find(name)?;
        let unknown = ScalarValue::try_from(column.ty.to_arrow()).ok()?;
        let bound = |container| {
            let statistics = (self.statistics)(container, found.column_index())?;
            Some(which(bounds(statistics, found, &column.ty, self.file.tail.writer_version)?))
        };
        let bounds = (0..self.rows.len()).map(|container| bound(container).unwrap_or_else(|| unknown.clone()));
        ScalarValue::iter_to_array(bounds).ok()
    }
}

impl PruningStatistics for Containers<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(&column.name, |(least, _)| least)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(&column.name, |(_, most)| most)
    }

    fn num_containers(&self) -> usize {
        self.rows.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let place = self.pruning.columns.iter().position(|known| known.name == column.name)?;
        let nulls = |(container, rows): (usize, &u64)| match &self.file.columns.found[place] {
            // A column that the file doesn't have is NULL.
            None => Some(*rows),
            Some(found) => {
                let statistics = (self.statistics)(container, found.column_index())?;
                rows.checked_sub(statistics.number_of_values?)
            }
        };
        Some(Arc::new(self.rows.iter().enumerate().map(nulls).collect::<UInt64Array>()))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        Some(Arc::new(UInt64Array::from(self.rows.clone())))
    }

    fn contained(&self, column: &Column, values: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        let (definition, found) = self.find(&column.name)?;
        if !has_usable_filters(found, &definition.ty) {
            return None;
        }
        let contained = |container| {
            let filter = decoded((self.filters)(container, found.column_index())?)?;
            let mut may = values.iter().filter(|value| !value.is_null()).map(|value| might_contain(&filter, value));
            (!may.any(|may| may)).then_some(false)
        };
        Some((0..self.rows.len()).map(contained).collect())
    }
}

/// The least and the greatest value of a container, as the table's type.
fn bounds(
    statistics: &ColumnStatistics,
    found: &DataType,
    ty: &Type,
    writer_version: u32,
) -> Option<(ScalarValue, ScalarValue)> {
    if statistics.number_of_values? == 0 {
        return None;
    }
    match (found, ty) {
        (DataType::Byte { .. } | DataType::Short { .. } | DataType::Int { .. } | DataType::Long { .. }, ty)
            if ty.is_integer() =>
        {
            let known = statistics.int_statistics.as_ref()?;
            let of = |value: i64| ScalarValue::Int64(Some(value)).cast_to(&ty.to_arrow()).ok();
            Some((of(known.minimum?)?, of(known.maximum?)?))
        }
        (DataType::Date { .. }, Type::Date) => {
            let known = statistics.date_statistics.as_ref()?;
            Some((ScalarValue::Date32(Some(known.minimum?)), ScalarValue::Date32(Some(known.maximum?))))
        }
        (DataType::Boolean { .. }, Type::Boolean) => {
            let truths = *statistics.bucket_statistics.as_ref()?.count.first()?;
            let least = truths == statistics.number_of_values?;
            Some((ScalarValue::Boolean(Some(least)), ScalarValue::Boolean(Some(truths > 0))))
        }
        (DataType::Float { .. } | DataType::Double { .. }, Type::Real | Type::Double) => {
            let known = statistics.double_statistics.as_ref()?;
            // A sum that is a number has no NaN among its summands, which no bounds hold.
            known.sum.filter(|sum| !sum.is_nan())?;
            // Arrow tells the two zeros apart, and SQL doesn't.
            let (least, most) = (known.minimum?, known.maximum?);
            let (least, most) = (if least == 0.0 { -0.0 } else { least }, if most == 0.0 { 0.0 } else { most });
            let of = |value: f64| ScalarValue::Float64(Some(value)).cast_to(&ty.to_arrow()).ok();
            (matches!(found, DataType::Float { .. }) == (*ty == Type::Real)).then_some((of(least)?, of(most)?))
        }
        (DataType::String { .. } | DataType::Varchar { .. }, Type::Varchar(length)) => {
            // Texts that are cut may be less than the least one.
            let fits = match (found, length) {
                (_, None) => true,
                (DataType::Varchar { max_length, .. }, Some(length)) => max_length <= length,
                _ => false,
            };
            let known =
                statistics.string_statistics.as_ref().filter(|_| fits && writer_version >= TEXTS_COMPARE_BYTES)?;
            let least = known.minimum.as_ref().or(known.lower_bound.as_ref())?;
            let most = known.maximum.as_ref().or(known.upper_bound.as_ref())?;
            Some((ScalarValue::Utf8(Some(least.clone())), ScalarValue::Utf8(Some(most.clone()))))
        }
        (DataType::Decimal { scale, .. }, Type::Decimal(precision, to)) if *scale == u32::from(*to) => {
            let known = statistics.decimal_statistics.as_ref()?;
            let of = |text: &str| {
                let value = unscaled(text, *scale)?;
                Some(ScalarValue::Decimal128(Some(value), *precision, *to as i8))
            };
            Some((of(known.minimum.as_ref()?)?, of(known.maximum.as_ref()?)?))
        }
        (DataType::Timestamp { .. }, Type::Timestamp(_)) => {
            let known = statistics.timestamp_statistics.as_ref()?;
            let (least, most) = (known.minimum_utc?, known.maximum_utc?);
            // They are whole milliseconds, and rows are rounded.
            let of = |value: i64| instant(value, &ty.to_arrow());
            Some((of(least.checked_sub(1)?)?, of(most.checked_add(1)?)?))
        }
        _ => None,
    }
}

fn instant(milliseconds: i64, ty: &ArrowType) -> Option<ScalarValue> {
    Some(match ty {
        ArrowType::Timestamp(TimeUnit::Millisecond, None) => {
            ScalarValue::TimestampMillisecond(Some(milliseconds), None)
        }
        ArrowType::Timestamp(TimeUnit::Microsecond, None) => {
            ScalarValue::TimestampMicrosecond(Some(milliseconds.checked_mul(1000)?), None)
        }
        ArrowType::Timestamp(TimeUnit::Nanosecond, None) => {
            ScalarValue::TimestampNanosecond(Some(milliseconds.checked_mul(1_000_000)?), None)
        }
        _ => return None,
    })
}

/// A decimal number's digits, if it has no more of them behind the point than the scale.
fn unscaled(text: &str, scale: u32) -> Option<i128> {
    let (digits, is_negative) = match text.strip_prefix('-') {
        Some(digits) => (digits, true),
        None => (text, false),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let missing = (scale as usize).checked_sub(fraction.len())?;
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value: i128 = format!("{whole}{fraction}{}", "0".repeat(missing)).parse().ok()?;
    Some(if is_negative { -value } else { value })
}

/// Whether values of the table are hashed as the file's are.
fn has_usable_filters(found: &DataType, ty: &Type) -> bool {
    match found {
        DataType::Byte { .. } | DataType::Short { .. } | DataType::Int { .. } | DataType::Long { .. } => {
            ty.is_integer()
        }
        DataType::String { .. } => *ty == Type::VARCHAR,
        DataType::Date { .. } => *ty == Type::Date,
        _ => false,
    }
}

/// A filter that makes sense; the decoder panics on others.
fn decoded(stored: &StoredFilter) -> Option<BloomFilter> {
    let is_sound = stored.bitset.is_empty() || stored.utf8bitset.is_none();
    let is_short = stored.num_hash_functions() <= 64;
    if is_sound && is_short { BloomFilter::try_from_proto(stored) } else { None }
}

fn might_contain(filter: &BloomFilter, value: &ScalarValue) -> bool {
    let number = match value {
        ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text)) | ScalarValue::LargeUtf8(Some(text)) => {
            return filter.might_contain(text.as_bytes());
        }
        ScalarValue::Int8(Some(value)) => i64::from(*value),
        ScalarValue::Int16(Some(value)) => i64::from(*value),
        ScalarValue::Int32(Some(value)) | ScalarValue::Date32(Some(value)) => i64::from(*value),
        ScalarValue::Int64(Some(value)) => *value,
        _ => return true,
    };
    filter.test_hash(hash(number))
}

/// A number's hash in ORC's filters: Thomas Wang's mix of 64 bits.
fn hash(number: i64) -> u64 {
    let mut hash = number;
    hash = (!hash).wrapping_add(hash << 21);
    hash ^= hash >> 24;
    hash = hash.wrapping_add(hash << 3).wrapping_add(hash << 8);
    hash ^= hash >> 14;
    hash = hash.wrapping_add(hash << 2).wrapping_add(hash << 4);
    hash ^= hash >> 28;
    hash.wrapping_add(hash << 31) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_their_digits() {
        assert_eq!(unscaled("12.5", 2), Some(1250));
        assert_eq!(unscaled("-0.05", 2), Some(-5));
        assert_eq!(unscaled("7", 0), Some(7));
        for text in ["1.234", "1e5", "", "--1", "1.-5"] {
            assert_eq!(unscaled(text, 2), None, "{text}");
        }
    }

    #[test]
    fn broken_filters_rule_nothing_out() {
        let both = StoredFilter { num_hash_functions: Some(3), bitset: vec![0], utf8bitset: Some(vec![0; 8]) };
        assert!(decoded(&both).is_none());
        let none = StoredFilter { bitset: Vec::new(), utf8bitset: Some(vec![0; 8]), ..both };
        let filter = decoded(&none).unwrap();
        assert!(!might_contain(&filter, &ScalarValue::Int64(Some(7))));
        assert!(might_contain(&filter, &ScalarValue::Float64(Some(7.0))));
    }
}
