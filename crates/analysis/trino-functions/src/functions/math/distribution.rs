//! Distributions, intervals of confidence and the likeness of vectors.

use std::collections::HashMap;
use std::f64::consts::{PI, SQRT_2};

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Float64Type, Int64Type};

use super::super::Table;
use super::super::support::{Computed, numbers, primitives};
use crate::error::TrinoError;
use crate::kernel::Call;

pub(super) fn register(table: &mut Table) {
    let normal = "How probable a value up to this is in a normal distribution: mean, standard deviation, value.";
    table.kernel("normal_cdf(double, double, double) -> double", normal, |call| {
        three(call, |mean, deviation, value| {
            check(deviation > 0.0, "standardDeviation must be > 0")?;
            Ok(0.5 * (1.0 + erf((value - mean) / (deviation * SQRT_2))))
        })
    });
    let inverse = "The value of a normal distribution up to which it is so probable: mean, standard deviation, p.";
    table.kernel("inverse_normal_cdf(double, double, double) -> double", inverse, |call| {
        three(call, |mean, deviation, p| {
            check(p > 0.0 && p < 1.0, "p must be 0 > p > 1")?;
            check(deviation > 0.0, "sd must be > 0")?;
            Ok(mean + deviation * normal_quantile(p))
        })
    });
    let beta = "How probable a value up to this is in a beta distribution: a, b, value.";
    table.kernel("beta_cdf(double, double, double) -> double", beta, |call| {
        three(call, |a, b, value| {
            check((0.0..=1.0).contains(&value), "value must be 0 >= v >= 1")?;
            check_shape(a, b)?;
            Ok(incomplete_beta(a, b, value))
        })
    });
    let inverse = "The value of a beta distribution up to which it is so probable: a, b, p.";
    table.kernel("inverse_beta_cdf(double, double, double) -> double", inverse, |call| {
        three(call, |a, b, p| {
            check((0.0..=1.0).contains(&p), "p must be 0 >= p >= 1")?;
            check_shape(a, b)?;
            Ok(beta_quantile(a, b, p))
        })
    });
    student(table);
    intervals(table);
    table.kernel(
        "cosine_similarity(map(varchar, double), map(varchar, double)) -> double",
        "The cosine of the angle between two sparse vectors.",
        cosine_similarity,
    );
}

fn student(table: &mut Table) {
    let density = "The density of Student's t distribution: value, degrees of freedom.";
    table.kernel("t_pdf(double, double) -> double", density, |call| {
        two(call, |value, freedom| {
            check(freedom > 0.0, "df must be greater than 0")?;
            let scale = ln_gamma((freedom + 1.0) / 2.0) - ln_gamma(freedom / 2.0) - 0.5 * (freedom * PI).ln();
            Ok((scale - (freedom + 1.0) / 2.0 * (value * value / freedom).ln_1p()).exp())
        })
    });
    let up_to = "How probable a value up to this is in Student's t distribution: value, degrees of freedom.";
    table.kernel("t_cdf(double, double) -> double", up_to, |call| {
        two(call, |value, freedom| {
            check(freedom > 0.0, "df must be greater than 0")?;
            let tail = 0.5 * incomplete_beta(freedom / 2.0, 0.5, freedom / (freedom + value * value));
            Ok(if value < 0.0 { tail } else { 1.0 - tail })
        })
    });
}

fn intervals(table: &mut Table) {
    let lower = "The lower bound of Wilson's score interval: successes, trials, z-score.";
    table.kernel("wilson_interval_lower(bigint, bigint, double) -> double", lower, |call| wilson(call, -1.0));
    let upper = "The upper bound of Wilson's score interval: successes, trials, z-score.";
    table.kernel("wilson_interval_upper(bigint, bigint, double) -> double", upper, |call| wilson(call, 1.0));
}

fn check(right: bool, message: &str) -> Result<(), TrinoError> {
    if right { Ok(()) } else { Err(TrinoError::invalid(message)) }
}

fn check_shape(a: f64, b: f64) -> Result<(), TrinoError> {
    check(a > 0.0, "a, b must be > 0")?;
    check(b > 0.0, "b must be > 0")
}

fn two(call: &Call<'_>, compute: fn(f64, f64) -> Result<f64, TrinoError>) -> Computed {
    let (a, b) = (numbers::<Float64Type>(call, 0)?, numbers::<Float64Type>(call, 1)?);
    primitives::<Float64Type>(call, |row| compute(a.value(row), b.value(row)).map(Some))
}

fn three(call: &Call<'_>, compute: fn(f64, f64, f64) -> Result<f64, TrinoError>) -> Computed {
    let (a, b) = (numbers::<Float64Type>(call, 0)?, numbers::<Float64Type>(call, 1)?);
    let c = numbers::<Float64Type>(call, 2)?;
    primitives::<Float64Type>(call, |row| compute(a.value(row), b.value(row), c.value(row)).map(Some))
}

fn wilson(call: &Call<'_>, side: f64) -> Computed {
    let (successes, trials) = (numbers::<Int64Type>(call, 0)?, numbers::<Int64Type>(call, 1)?);
    let scores = numbers::<Float64Type>(call, 2)?;
    primitives::<Float64Type>(call, |row| {
        let (successes, trials, z) = (successes.value(row), trials.value(row), scores.value(row));
        check(successes >= 0, "number of successes must not be negative")?;
        check(trials > 0, "number of trials must be positive")?;
        check(successes <= trials, "number of successes must not be larger than number of trials")?;
        check(z >= 0.0, "z-score must not be negative")?;
        let (s, n) = (successes as f64, trials as f64);
        let p = s / n;
        let center = p + z * z / (2.0 * n);
        let spread = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
        Ok(Some((center + side * spread) / (1.0 + z * z / n)))
    })
}

/// NULL where a map holds NULL.
fn cosine_similarity(call: &Call<'_>) -> Computed {
    let (left, right) = (call.array(0)?, call.array(1)?);
    let (left, right) = (left.as_map(), right.as_map());
    primitives::<Float64Type>(call, |row| {
        let (left, right) = (left.value(row), right.value(row));
        let entries = |entries: &arrow::array::StructArray| -> Option<HashMap<String, f64>> {
            let values = entries.column(1).as_primitive::<Float64Type>();
            if values.null_count() > 0 {
                return None;
            }
            let keys = entries.column(0).as_string::<i32>();
            Some(keys.iter().flatten().map(str::to_owned).zip(values.values().iter().copied()).collect())
        };
        let Some((left, right)) = entries(&left).zip(entries(&right)) else { return Ok(None) };
        let norm = |vector: &HashMap<String, f64>| vector.values().map(|value| value * value).sum::<f64>().sqrt();
        // The sum of nothing is -0 in Rust.
        let product = left.iter().filter_map(|(key, value)| Some(value * right.get(key)?)).sum::<f64>() + 0.0;
        Ok(Some(product / (norm(&left) * norm(&right))))
    })
}

/// The error function: its series near zero, a continued fraction in the tails.
fn erf(x: f64) -> f64 {
    let size = x.abs();
    if size < 2.5 {
        let (mut term, mut sum, mut n) = (size, size, 0.0);
        while term.abs() > 1e-17 * sum {
            n += 1.0;
            term *= -size * size / n;
            sum += term / (2.0 * n + 1.0);
        }
        return (2.0 / PI.sqrt() * sum).copysign(x);
    }
    (1.0 - erfc_tail(size)).copysign(x)
}

/// 1 − erf for values from 2.5 on.
fn erfc_tail(x: f64) -> f64 {
    let fraction = (1..=60).rev().fold(x, |rest, n| x + f64::from(n) / 2.0 / rest);
    (-x * x).exp() / (PI.sqrt() * fraction)
}

/// The quantile of the standard normal distribution: a rough start, made exact by Newton's steps.
fn normal_quantile(p: f64) -> f64 {
    if p == 0.5 {
        return 0.0;
    }
    let tail = p.min(1.0 - p);
    let t = (-2.0 * tail.ln()).sqrt();
    let start =
        t - (2.515_517 + t * (0.802_853 + t * 0.010_328)) / (1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308)));
    let mut x = if p < 0.5 { -start } else { start };
    for _ in 0..8 {
        let below = match x < -3.0 {
            true => 0.5 * erfc_tail(-x / SQRT_2),
            false => 0.5 * (1.0 + erf(x / SQRT_2)),
        };
        let density = (-x * x / 2.0).exp() / (2.0 * PI).sqrt();
        let step = (below - p) / density;
        x -= step / (1.0 + x * step / 2.0);
    }
    x
}

/// The logarithm of the gamma function, by Lanczos's approximation.
fn ln_gamma(x: f64) -> f64 {
    const COEFFICIENTS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.5 {
        return (PI / (PI * x).sin()).ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let terms = COEFFICIENTS.iter().zip(1_u8..).map(|(coefficient, n)| coefficient / (x + f64::from(n)));
    let sum = 0.999_999_999_999_809_9 + terms.sum::<f64>();
    let t = x + 7.5;
    0.5 * (2.0 * PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

/// The regularised incomplete beta function.
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p()).exp();
    match x < (a + 1.0) / (a + b + 2.0) {
        true => front * beta_fraction(a, b, x) / a,
        false => 1.0 - front * beta_fraction(b, a, 1.0 - x) / b,
    }
}

/// The continued fraction of the incomplete beta function, by Lentz's method.
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut result = d;
    for m in 1..=500 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for numerator in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + numerator * d);
            c = away_from_zero(1.0 + numerator / c);
            change = c * d;
            result *= change;
        }
        if (change - 1.0).abs() < 1e-16 {
            break;
        }
    }
    result
}

/// Where the beta distribution reaches a probability, by halving.
fn beta_quantile(a: f64, b: f64, p: f64) -> f64 {
    if p <= 0.0 || p >= 1.0 {
        return p.clamp(0.0, 1.0);
    }
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        match incomplete_beta(a, b, middle) < p {
            true => low = middle,
            false => high = middle,
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::testing::check;

    fn near(got: f64, wanted: f64) {
        assert!((got - wanted).abs() < 1e-12 * wanted.abs().max(1.0), "{got} instead of {wanted}");
    }

    #[test]
    fn distributions_have_their_known_values() {
        near(erf(1.0), 0.842_700_792_949_714_9);
        near(erf(3.0), 0.999_977_909_503_001_4);
        near(normal_quantile(0.975), 1.959_963_984_540_054);
        near(normal_quantile(0.000_1), -3.719_016_485_455_68);
        near(ln_gamma(10.0), 362_880_f64.ln());
        near(incomplete_beta(3.0, 3.6, 0.3), 0.217_648_099_976_799_5);
        near(beta_quantile(3.0, 3.6, 0.9), 0.699_341_440_849_942_3);
    }

    #[test]
    fn arguments_are_checked() {
        check(&[
            ("normal_cdf(0e0, 1e0, 0e0)", "0.5"),
            ("normal_cdf(0e0, 0e0, 0e0)", "INVALID_FUNCTION_ARGUMENT: standardDeviation must be > 0"),
            ("round(inverse_normal_cdf(0e0, 1e0, 0.975e0), 9)", "1.959963985"),
            ("inverse_normal_cdf(0e0, 1e0, 1e0)", "INVALID_FUNCTION_ARGUMENT: p must be 0 > p > 1"),
            ("beta_cdf(1e0, 1e0, 2e0)", "INVALID_FUNCTION_ARGUMENT: value must be 0 >= v >= 1"),
            ("round(t_cdf(0e0, 5e0), 6)", "0.5"),
            ("round(t_pdf(0e0, 1e0), 6)", "0.31831"),
            ("round(wilson_interval_lower(1250, 1310, 1.96e0), 6)", "0.941488"),
            ("round(wilson_interval_upper(1250, 1310, 1.96e0), 6)", "0.964252"),
            (
                "wilson_interval_lower(3, 2, 1e0)",
                "INVALID_FUNCTION_ARGUMENT: number of successes must not be larger than number of trials",
            ),
            ("cosine_similarity(map(ARRAY['a'], ARRAY[1e0]), map(ARRAY['a'], ARRAY[2e0]))", "1.0"),
        ]);
    }
}
