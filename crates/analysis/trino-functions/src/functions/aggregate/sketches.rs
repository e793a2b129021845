//! Aggregates that make sketches or merge them, and those that only give what a sketch says: `approx_percentile`,
//! `approx_distinct`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, Int64Array, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int64Type};
use datafusion::functions_aggregate::approx_distinct::approx_distinct_udaf;

use super::super::sketch::{
    HyperLogLog, QDigest, SetDigest, Summary, TDigest, hashes, ordered_numbers, sortable, sortable_real,
};
use super::super::{AggregatePlan, Table};
use super::fold::{Fold, Make, folded};
use super::wrapped;
use crate::Typed;
use crate::error::TrinoError;
use crate::types::{Sketch, Type};

type Plan = Result<AggregatePlan, TrinoError>;

pub(super) fn register(table: &mut Table) {
    let description = "About how many different values there are.";
    table.aggregate("approx_distinct(T) -> bigint where T:comparable", description, approximate_count);
    table.aggregate("approx_distinct(T, double) -> bigint where T:comparable", description, approximate_count);
    let set = "The values as a HyperLogLog, which knows about how many different ones there were.";
    table.aggregate("approx_set(T) -> hyperloglog where T:comparable", set, |args, result| {
        Ok(folded("approx_set", |types| Box::new(Hashed::<HyperLogLog>::new(types)), args, result))
    });
    let set = "The values as a digest that knows about which different ones there were.";
    table.aggregate("make_set_digest(T) -> setdigest where T:comparable", set, |args, result| {
        Ok(folded("make_set_digest", |types| Box::new(Hashed::<SetDigest>::new(types)), args, result))
    });
    let digest = "The values as a digest that knows about how they are distributed; each counts once or by its weight.";
    for signature in ["tdigest_agg(double) -> tdigest", "tdigest_agg(double, double) -> tdigest"] {
        table.aggregate(signature, digest, |args, result| {
            Ok(folded("tdigest_agg", |_| Box::new(Made(Weighed::<TDigest>::new(&Type::Double))), args, result))
        });
    }
    for signature in [
        "qdigest_agg(bigint) -> qdigest(bigint)",
        "qdigest_agg(bigint, bigint) -> qdigest(bigint)",
        "qdigest_agg(bigint, bigint, double) -> qdigest(bigint)",
        "qdigest_agg(real) -> qdigest(real)",
        "qdigest_agg(real, bigint) -> qdigest(real)",
        "qdigest_agg(real, bigint, double) -> qdigest(real)",
        "qdigest_agg(double) -> qdigest(double)",
        "qdigest_agg(double, bigint) -> qdigest(double)",
        "qdigest_agg(double, bigint, double) -> qdigest(double)",
    ] {
        table.aggregate(signature, digest, |args, result| {
            Ok(folded("qdigest_agg", |types| Box::new(Made(Weighed::<QDigest>::new(&types[0]))), args, result))
        });
    }
    merges(table);
    percentiles(table);
}

fn merges(table: &mut Table) {
    let merge = "All sketches as one.";
    for signature in [
        "merge(hyperloglog) -> hyperloglog",
        "merge(tdigest) -> tdigest",
        "merge(qdigest(bigint)) -> qdigest(bigint)",
        "merge(qdigest(real)) -> qdigest(real)",
        "merge(qdigest(double)) -> qdigest(double)",
    ] {
        table.aggregate(signature, merge, merged);
    }
    table.aggregate("merge_set_digest(setdigest) -> setdigest", merge, merged);
}

fn merged(args: Vec<Typed>, result: &Type) -> Plan {
    let make: Make = match result {
        Type::Sketch(Sketch::HyperLogLog) => |_| Box::new(Merged::<HyperLogLog>::default()),
        Type::Sketch(Sketch::TDigest) => |_| Box::new(Merged::<TDigest>::default()),
        Type::Sketch(Sketch::SetDigest) => |_| Box::new(Merged::<SetDigest>::default()),
        _ => |_| Box::new(Merged::<QDigest>::default()),
    };
    Ok(folded("merge", make, args, result))
}

fn percentiles(table: &mut Table) {
    let one = "About the value below which this part of the values lies; values may have weights.";
    for signature in [
        "approx_percentile(bigint, double) -> bigint",
        "approx_percentile(bigint, array(double)) -> array(bigint)",
        "approx_percentile(bigint, double, double) -> bigint",
        "approx_percentile(bigint, double, array(double)) -> array(bigint)",
        "approx_percentile(bigint, double, double, double) -> bigint",
        "approx_percentile(real, double) -> real",
        "approx_percentile(real, array(double)) -> array(real)",
        "approx_percentile(real, double, double) -> real",
        "approx_percentile(real, double, array(double)) -> array(real)",
        "approx_percentile(double, double) -> double",
        "approx_percentile(double, array(double)) -> array(double)",
        "approx_percentile(double, double, double) -> double",
        "approx_percentile(double, double, array(double)) -> array(double)",
    ] {
        table.aggregate(signature, one, |args, result| {
            let make: Make = match args[0].1 {
                Type::Bigint => |types| Box::new(Percentile::<QDigest>::new(types)),
                _ => |types| Box::new(Percentile::<TDigest>::new(types)),
            };
            Ok(folded("approx_percentile", make, args, result))
        });
    }
}

/// DataFusion's own where it knows the type. The wanted standard error only says how coarse it may be.
fn approximate_count(mut args: Vec<Typed>, result: &Type) -> Plan {
    args.truncate(1);
    match args[0].1.to_arrow() {
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 | DataType::Utf8 | DataType::Binary => {
            wrapped::retyped(approx_distinct_udaf(), args, result)
        }
        _ => Ok(folded("approx_distinct", |types| Box::new(Counted(Hashed::new(types))), args, result)),
    }
}

/// One value of bytes.
fn one(bytes: Option<Vec<u8>>) -> ArrayRef {
    Arc::new(BinaryArray::from_iter([bytes]))
}

/// What takes in the hashes of values.
trait TakesHashes: Summary {
    fn take(&mut self, hash: u64);
}

impl TakesHashes for HyperLogLog {
    fn take(&mut self, hash: u64) {
        self.add(hash);
    }
}

impl TakesHashes for SetDigest {
    fn take(&mut self, hash: u64) {
        self.add(hash);
    }
}

/// A sketch of values' hashes; NULL without values.
#[derive(Debug)]
struct Hashed<S> {
    ty: Type,
    sketch: Option<S>,
}

impl<S: TakesHashes> Hashed<S> {
    fn new(types: &[Type]) -> Self {
        Self { ty: types.first().cloned().unwrap_or(Type::Unknown), sketch: None }
    }
}

impl<S: TakesHashes> Fold for Hashed<S> {
    fn update(&mut self, args: &[ArrayRef]) -> Result<(), TrinoError> {
        for hash in hashes(&args[0], &self.ty)?.into_iter().flatten() {
            self.sketch.get_or_insert_default().take(hash);
        }
        Ok(())
    }

    fn save(&self) -> Vec<u8> {
        self.sketch.as_ref().map(Summary::to_bytes).unwrap_or_default()
    }

    fn absorb(&mut self, saved: &[u8]) -> Result<(), TrinoError> {
        absorb_into(&mut self.sketch, saved)
    }

    fn finish(&mut self, _: &Type) -> Result<ArrayRef, TrinoError> {
        Ok(one(self.sketch.as_ref().map(Summary::to_bytes)))
    }

    fn size(&self) -> usize {
        self.sketch.as_ref().map_or(0, Summary::size)
    }
}

/// No bytes mean no values.
fn absorb_into<S: Summary>(sketch: &mut Option<S>, saved: &[u8]) -> Result<(), TrinoError> {
    if !saved.is_empty() {
        sketch.get_or_insert_default().merge(&S::from_bytes(saved)?);
    }
    Ok(())
}

/// How many different values a HyperLogLog has seen.
#[derive(Debug)]
struct Counted(Hashed<HyperLogLog>);

impl Fold for Counted {
    fn update(&mut self, args: &[ArrayRef]) -> Result<(), TrinoError> {
        self.0.update(args)
    }

    fn save(&self) -> Vec<u8> {
        self.0.save()
    }

    fn absorb(&mut self, saved: &[u8]) -> Result<(), TrinoError> {
        self.0.absorb(saved)
    }

    fn finish(&mut self, _: &Type) -> Result<ArrayRef, TrinoError> {
        Ok(Arc::new(Int64Array::from(vec![self.0.sketch.as_ref().map_or(0, HyperLogLog::cardinality)])))
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}

/// Sketches of one kind as one; NULL without any.
#[derive(Debug, Default)]
struct Merged<S>(Option<S>);

impl<S: Summary> Fold for Merged<S> {
    fn update(&mut self, args: &[ArrayRef]) -> Result<(), TrinoError> {
        args[0].as_binary::<i32>().iter().flatten().try_for_each(|bytes| absorb_into(&mut self.0, bytes))
    }

    fn save(&self) -> Vec<u8> {
        self.0.as_ref().map(Summary::to_bytes).unwrap_or_default()
    }

    fn absorb(&mut self, saved: &[u8]) -> Result<(), TrinoError> {
        absorb_into(&mut self.0, saved)
    }

    fn finish(&mut self, _: &Type) -> Result<ArrayRef, TrinoError> {
        Ok(one(self.0.as_ref().map(Summary::to_bytes)))
    }

    fn size(&self) -> usize {
        self.0.as_ref().map_or(0, Summary::size)
    }
}

/// A digest of numbers with weights.
trait Weighs: Summary {
    /// Adds a number in order: a bigint, or a double's or real's bits.
    fn weigh(&mut self, value: Number, weight: f64);
    /// A quantile as a number in the order of the type.
    fn at(&mut self, quantile: f64, ty: &Type) -> Option<i64>;
}

/// A value of a digest.
#[derive(Debug, Clone, Copy)]
enum Number {
    Whole(i64),
    Real(f32),
    Double(f64),
}

impl Weighs for TDigest {
    fn weigh(&mut self, value: Number, weight: f64) {
        self.add(
            match value {
                Number::Whole(value) => value as f64,
                Number::Real(value) => value.into(),
                Number::Double(value) => value,
            },
            weight,
        );
    }

    fn at(&mut self, quantile: f64, ty: &Type) -> Option<i64> {
        let value = self.quantile(quantile)?;
        Some(if ty == &Type::Real { sortable_real(value as f32) } else { sortable(value) })
    }
}

impl Weighs for QDigest {
    fn weigh(&mut self, value: Number, weight: f64) {
        self.add(
            match value {
                Number::Whole(value) => value,
                Number::Real(value) => sortable_real(value),
                Number::Double(value) => sortable(value),
            },
            weight,
        );
    }

    fn at(&mut self, quantile: f64, _: &Type) -> Option<i64> {
        self.quantile(quantile)
    }
}

/// Numbers of a type in a digest.
#[derive(Debug)]
struct Weighed<D> {
    ty: Type,
    digest: Option<D>,
}

impl<D: Weighs> Weighed<D> {
    fn new(ty: &Type) -> Self {
        Self { ty: ty.clone(), digest: None }
    }

    fn add(&mut self, values: &ArrayRef, weights: Option<&ArrayRef>, what: &str) -> Result<(), TrinoError> {
        let weights = weights.map(|weights| cast(weights, &DataType::Float64)).transpose()?;
        let weights = weights.as_ref().map(|weights| weights.as_primitive::<Float64Type>());
        for row in (0..values.len()).filter(|row| values.is_valid(*row)) {
            let weight = match weights {
                Some(weights) if weights.is_null(row) => continue,
                Some(weights) => weights.value(row),
                None => 1.0,
            };
            if weight.is_nan() || weight <= 0.0 {
                return Err(TrinoError::invalid(format!("{what} weight must be > 0")));
            }
            let value = match self.ty {
                Type::Bigint => Number::Whole(values.as_primitive::<Int64Type>().value(row)),
                Type::Real => Number::Real(values.as_primitive::<Float32Type>().value(row)),
                _ => Number::Double(values.as_primitive::<Float64Type>().value(row)),
            };
            self.digest.get_or_insert_default().weigh(value, weight);
        }
        Ok(())
    }
}

/// The digest itself is the result.
#[derive(Debug)]
struct Made<D>(Weighed<D>);

impl<D: Weighs> Fold for Made<D> {
    fn update(&mut self, args: &[ArrayRef]) -> Result<(), TrinoError> {
        if let Some(accuracy) = args.get(2).filter(|accuracy| !accuracy.is_empty() && accuracy.is_valid(0)) {
            let accuracy = accuracy.as_primitive::<Float64Type>().value(0);
            if accuracy <= 0.0 || accuracy >= 1.0 {
                return Err(TrinoError::invalid("Percentile accuracy must be strictly between 0 and 1"));
            }
        }
        self.0.add(&args[0], args.get(1), "percentile")
    }

    fn save(&self) -> Vec<u8> {
        self.0.digest.as_ref().map(Summary::to_bytes).unwrap_or_default()
    }

    fn absorb(&mut self, saved: &[u8]) -> Result<(), TrinoError> {
        absorb_into(&mut self.0.digest, saved)
    }

    fn finish(&mut self, _: &Type) -> Result<ArrayRef, TrinoError> {
        Ok(one(self.0.digest.as_ref().map(Summary::to_bytes)))
    }

    fn size(&self) -> usize {
        self.0.digest.as_ref().map_or(0, Summary::size)
    }
}

/// Percentiles of numbers: one, or an array of them.
#[derive(Debug)]
struct Percentile<D> {
    numbers: Weighed<D>,
    /// Where among the arguments the percentiles are.
    place: usize,
    percentiles: Vec<f64>,
}

impl<D: Weighs> Percentile<D> {
    fn new(types: &[Type]) -> Self {
        let place = if types.len() > 2 { 2 } else { 1 };
        Self { numbers: Weighed::new(&types[0]), place, percentiles: Vec::new() }
    }

    fn learn(&mut self, percentiles: &ArrayRef) -> Result<(), TrinoError> {
        if !self.percentiles.is_empty() || percentiles.is_empty() || percentiles.is_null(0) {
            return Ok(());
        }
        let all = match percentiles.as_list_opt::<i32>() {
            Some(lists) => lists.value(0),
            None => percentiles.slice(0, 1),
        };
        for percentile in all.as_primitive::<Float64Type>() {
            let percentile = percentile.ok_or_else(|| TrinoError::invalid("Percentile cannot be null"))?;
            if !(0.0..=1.0).contains(&percentile) {
                return Err(TrinoError::invalid("Percentile must be between 0 and 1"));
            }
            self.percentiles.push(percentile);
        }
        Ok(())
    }
}

impl<D: Weighs> Fold for Percentile<D> {
    fn update(&mut self, args: &[ArrayRef]) -> Result<(), TrinoError> {
        self.learn(&args[self.place])?;
        self.numbers.add(&args[0], (self.place > 1).then(|| &args[1]), "percentile")
    }

    fn save(&self) -> Vec<u8> {
        let mut out = super::super::sketch::Writer::default();
        out.word(self.percentiles.len() as u64);
        self.percentiles.iter().for_each(|percentile| out.double(*percentile));
        out.slice(&self.numbers.digest.as_ref().map(Summary::to_bytes).unwrap_or_default());
        out.0
    }

    fn absorb(&mut self, saved: &[u8]) -> Result<(), TrinoError> {
        let mut reader = super::super::sketch::Reader(saved);
        let mut read = || {
            let count = reader.count(8)?;
            let percentiles: Vec<_> = (0..count).map(|_| reader.double()).collect::<Option<_>>()?;
            Some((percentiles, reader.slice()?))
        };
        let (percentiles, digest) = read().ok_or_else(|| TrinoError::internal("percentiles can't be read back"))?;
        if self.percentiles.is_empty() {
            self.percentiles = percentiles;
        }
        absorb_into(&mut self.numbers.digest, digest)
    }

    fn finish(&mut self, result: &Type) -> Result<ArrayRef, TrinoError> {
        let Some(digest) = &mut self.numbers.digest else { return Ok(new_null_array(&result.to_arrow(), 1)) };
        let values = self.percentiles.iter().map(|percentile| digest.at(*percentile, &self.numbers.ty)).collect();
        match result {
            Type::Array(element) => {
                super::super::support::list(ordered_numbers(values, element), vec![self.percentiles.len()], None)
            }
            _ if self.percentiles.is_empty() => Ok(new_null_array(&result.to_arrow(), 1)),
            _ => Ok(ordered_numbers(values, result)),
        }
    }

    fn size(&self) -> usize {
        self.numbers.digest.as_ref().map_or(0, Summary::size)
    }
}
