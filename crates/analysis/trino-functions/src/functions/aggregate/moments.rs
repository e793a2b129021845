//! Skewness and kurtosis, from central moments that can be merged.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array};
use arrow::datatypes::Float64Type;

use super::super::Table;
use super::super::sketch::{Reader, Writer};
use super::fold::{Fold, folded};
use crate::error::TrinoError;
use crate::types::Type;

pub(super) fn register(table: &mut Table) {
    let skewness = "How far the values' distribution leans to one side.";
    table.aggregate("skewness(double) -> double", skewness, |args, result| {
        Ok(folded("skewness", |_| Box::new(Moments { measure: skewness_of, ..Moments::NONE }), args, result))
    });
    let kurtosis = "How heavy the ends of the values' distribution are, beyond a normal one's.";
    table.aggregate("kurtosis(double) -> double", kurtosis, |args, result| {
        Ok(folded("kurtosis", |_| Box::new(Moments { measure: kurtosis_of, ..Moments::NONE }), args, result))
    });
}

/// The number of values, their mean, and the sums of their distances from it to the powers 2, 3 and 4.
#[derive(Debug, Clone, Copy)]
struct Moments {
    measure: fn(&Moments) -> Option<f64>,
    n: f64,
    mean: f64,
    m2: f64,
    m3: f64,
    m4: f64,
}

fn skewness_of(moments: &Moments) -> Option<f64> {
    (moments.n >= 3.0).then(|| moments.n.sqrt() * moments.m3 / moments.m2.powf(1.5))
}

fn kurtosis_of(moments: &Moments) -> Option<f64> {
    let n = moments.n;
    (n >= 4.0).then(|| {
        let scale = (n - 1.0) / ((n - 2.0) * (n - 3.0));
        scale * (n * (n + 1.0) * moments.m4 / (moments.m2 * moments.m2) - 3.0 * (n - 1.0))
    })
}

impl Moments {
    const NONE: Self = Self { measure: skewness_of, n: 0.0, mean: 0.0, m2: 0.0, m3: 0.0, m4: 0.0 };

    fn merge(&mut self, other: &Self) {
        if other.n == 0.0 {
            return;
        }
        let (na, nb, n) = (self.n, other.n, self.n + other.n);
        let delta = other.mean - self.mean;
        let (d2, d3, d4) = (delta * delta, delta.powi(3), delta.powi(4));
        let m4 = self.m4
            + other.m4
            + d4 * na * nb * (na * na - na * nb + nb * nb) / n.powi(3)
            + 6.0 * d2 * (na * na * other.m2 + nb * nb * self.m2) / (n * n)
            + 4.0 * delta * (na * other.m3 - nb * self.m3) / n;
        let m3 =
            self.m3 + other.m3 + d3 * na * nb * (na - nb) / (n * n) + 3.0 * delta * (na * other.m2 - nb * self.m2) / n;
        let m2 = self.m2 + other.m2 + d2 * na * nb / n;
        *self = Self { n, mean: self.mean + delta * nb / n, m2, m3, m4, ..*self };
    }
}

impl Fold for Moments {
    fn update(&mut self, args: &[ArrayRef]) -> Result<(), TrinoError> {
        for mean in args[0].as_primitive::<Float64Type>().iter().flatten() {
            self.merge(&Self { n: 1.0, mean, ..Self::NONE });
        }
        Ok(())
    }

    fn save(&self) -> Vec<u8> {
        let mut out = Writer::default();
        [self.n, self.mean, self.m2, self.m3, self.m4].into_iter().for_each(|value| out.double(value));
        out.0
    }

    fn absorb(&mut self, saved: &[u8]) -> Result<(), TrinoError> {
        let mut reader = Reader(saved);
        let mut next = || reader.double().ok_or_else(|| TrinoError::internal("moments can't be read back"));
        let other = Self { n: next()?, mean: next()?, m2: next()?, m3: next()?, m4: next()?, ..*self };
        self.merge(&other);
        Ok(())
    }

    fn finish(&mut self, _: &Type) -> Result<ArrayRef, TrinoError> {
        Ok(Arc::new(Float64Array::from(vec![(self.measure)(self)])))
    }
}
