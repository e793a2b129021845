//! Expressions to values.

use std::collections::{BTreeMap, BTreeSet};

use super::{Expression, Function, Line, Value};
use crate::error::{MetricsError, invalid_query};
use crate::read::Range;

/// Points that FILL may make of a series.
const MAX_FILLED: i64 = 1_000_000;

/// Computes the expressions of a request.
pub(crate) struct Computer<'a> {
    /// The metrics of the request, by id.
    pub(crate) metrics: &'a BTreeMap<String, Line>,
    /// The expressions of the request, by id.
    pub(crate) expressions: &'a BTreeMap<String, Expression>,
    /// The range of the request; its period does not matter.
    pub(crate) range: Range,
}

impl Computer<'_> {
    /// The lines that a query's expression comes to; `id` names the query.
    ///
    /// # Errors
    /// [`MetricsError::Validation`] for ids that are unknown or go in circles, and arguments of the wrong kind.
    pub(crate) fn lines(&self, id: &str) -> Result<Vec<Line>, MetricsError> {
        match self.of(id, &mut BTreeSet::new())? {
            Value::Line(line) => Ok(vec![line]),
            Value::Lines(lines) => Ok(lines),
            Value::Number(_) => {
                let message = format!("The expression of {id} comes to a number, but must come to a time series");
                Err(invalid_query(message))
            }
        }
    }

    fn of(&self, id: &str, above: &mut BTreeSet<String>) -> Result<Value, MetricsError> {
        if let Some(line) = self.metrics.get(id) {
            return Ok(Value::Line(line.clone()));
        }
        let unknown = || invalid_query(format!("Unknown id {id} in an expression"));
        let expression = self.expressions.get(id).ok_or_else(unknown)?;
        if !above.insert(id.to_owned()) {
            return Err(invalid_query(format!("The expression of {id} depends on itself")));
        }
        let value = self.value(expression, above)?;
        above.remove(id);
        Ok(value)
    }

    fn value(&self, expression: &Expression, above: &mut BTreeSet<String>) -> Result<Value, MetricsError> {
        match expression {
            Expression::Number(number) => Ok(Value::Number(*number)),
            Expression::Id(id) => self.of(id, above),
            Expression::Word(word) => Err(invalid_query(format!("{word} is not a value"))),
            Expression::List(items) => {
                let mut lines = Vec::new();
                for item in items {
                    lines.extend(self.value(item, above)?.into_lines("a list")?);
                }
                Ok(Value::Lines(lines))
            }
            Expression::Negative(inner) => self.value(inner, above)?.map(|number| -number),
            Expression::Operation(operator, left, right) => {
                let (left, right) = (self.value(left, above)?, self.value(right, above)?);
                combine(*operator, left, right)
            }
            Expression::Call(Function::Metrics, arguments) => self.all(arguments),
            Expression::Call(Function::Fill, arguments) => self.fill(arguments, above),
            Expression::Call(function, arguments) => {
                let [argument] = arguments.as_slice() else {
                    return Err(invalid_query(format!("{function:?} takes one argument")));
                };
                call(*function, self.value(argument, above)?)
            }
        }
    }

    fn all(&self, arguments: &[Expression]) -> Result<Value, MetricsError> {
        let part = match arguments {
            [] => "",
            [Expression::Word(part)] => part,
            _ => return Err(invalid_query("METRICS takes nothing or a text in quotes")),
        };
        let chosen = self.metrics.iter().filter(|(id, _)| id.contains(part));
        Ok(Value::Lines(chosen.map(|(_, line)| line.clone()).collect()))
    }

    fn fill(&self, arguments: &[Expression], above: &mut BTreeSet<String>) -> Result<Value, MetricsError> {
        let [filled, with] = arguments else { return Err(invalid_query("FILL takes two arguments")) };
        let with = match with {
            Expression::Word(word) if word == "REPEAT" => Filling::Repeat,
            Expression::Word(word) if word == "LINEAR" => Filling::Linear,
            other => match self.value(other, above)? {
                Value::Number(number) => Filling::Number(number),
                _ => return Err(MetricsError::NotImplemented("FILL with another series".into())),
            },
        };
        self.value(filled, above)?.map_lines("FILL", |line| {
            if (self.range.to - self.range.from) / line.period > MAX_FILLED {
                return Err(invalid_query("FILL makes too many points: take a shorter range or a longer period"));
            }
            let points = filled_points(&line, self.range, with);
            Ok(Line { points, ..line })
        })
    }
}

/// What FILL puts where nothing is.
#[derive(Debug, Clone, Copy)]
enum Filling {
    Number(f64),
    Repeat,
    Linear,
}

fn filled_points(line: &Line, range: Range, with: Filling) -> BTreeMap<i64, f64> {
    let mut points = line.points.clone();
    for time in (range.from..range.to).step_by(line.period as usize) {
        let before = || line.points.range(..time).next_back();
        let value = match with {
            _ if line.points.contains_key(&time) => continue,
            Filling::Number(number) => Some(number),
            Filling::Repeat => before().map(|(_, value)| *value),
            Filling::Linear => before()
                .zip(line.points.range(time..).next())
                .map(|((t0, v0), (t1, v1))| v0 + (v1 - v0) * (time - t0) as f64 / (t1 - t0) as f64),
        };
        points.extend(value.map(|value| (time, value)));
    }
    points
}

impl Value {
    fn into_lines(self, what: &str) -> Result<Vec<Line>, MetricsError> {
        match self {
            Self::Line(line) => Ok(vec![line]),
            Self::Lines(lines) => Ok(lines),
            Self::Number(_) => Err(invalid_query(format!("{what} takes time series, not numbers"))),
        }
    }

    /// The value with another one in the place of each number.
    fn map(self, change: impl Fn(f64) -> f64) -> Result<Self, MetricsError> {
        match self {
            Self::Number(number) => Ok(Self::Number(change(number))),
            lines => lines.map_lines("arithmetic", |line| Ok(line.map(|_, value| change(value)))),
        }
    }

    fn map_lines(self, what: &str, change: impl Fn(Line) -> Result<Line, MetricsError>) -> Result<Self, MetricsError> {
        match self {
            Self::Number(_) => Err(invalid_query(format!("{what} takes time series, not numbers"))),
            Self::Line(line) => change(line).map(Self::Line),
            Self::Lines(lines) => lines.into_iter().map(change).collect::<Result<_, _>>().map(Self::Lines),
        }
    }
}

impl Line {
    /// The line with other values; those that are no numbers are left out.
    fn map(self, change: impl Fn(i64, f64) -> f64) -> Self {
        let changed = self.points.into_iter().map(|(time, value)| (time, change(time, value)));
        Self { points: changed.filter(|(_, value)| value.is_finite()).collect(), ..self }
    }

    /// What becomes of each point after the first, given the one before.
    fn steps(self, step: impl Fn((i64, f64), (i64, f64)) -> f64) -> Self {
        let pairs = self.points.iter().zip(self.points.iter().skip(1));
        let points = pairs.map(|((t0, v0), (t1, v1))| (*t1, step((*t0, *v0), (*t1, *v1)))).collect();
        Self { points, ..self }
    }
}

fn operate(operator: char, left: f64, right: f64) -> f64 {
    match operator {
        '+' => left + right,
        '-' => left - right,
        '*' => left * right,
        '/' => left / right,
        _ => left.powf(right),
    }
}

fn combine(operator: char, left: Value, right: Value) -> Result<Value, MetricsError> {
    match (left, right) {
        (left, Value::Number(number)) => left.map(|value| operate(operator, value, number)),
        (Value::Number(number), right) => right.map(|value| operate(operator, number, value)),
        (Value::Line(left), right) => {
            right.map_lines("arithmetic", |right| Ok(joined(operator, &left, &right, &right)))
        }
        (left, Value::Line(right)) => left.map_lines("arithmetic", |left| Ok(joined(operator, &left, &right, &left))),
        _ => Err(MetricsError::NotImplemented("arithmetic of two arrays of time series".into())),
    }
}

/// The line of both values wherever there are both, called as `named`.
fn joined(operator: char, left: &Line, right: &Line, named: &Line) -> Line {
    let both = left
        .points
        .iter()
        .filter_map(|(time, value)| Some((*time, operate(operator, *value, *right.points.get(time)?))));
    let points = both.filter(|(_, value)| value.is_finite()).collect();
    Line { label: named.label.clone(), period: left.period.max(right.period), points }
}

fn call(function: Function, argument: Value) -> Result<Value, MetricsError> {
    let name = format!("{function:?}").to_uppercase();
    match (function, argument) {
        (Function::Abs, value) => value.map(f64::abs),
        (Function::Ceil, value) => value.map(f64::ceil),
        (Function::Floor, value) => value.map(f64::floor),
        (Function::Diff, value) => value.map_lines(&name, |line| Ok(line.steps(|(_, v0), (_, v1)| v1 - v0))),
        (Function::Rate, value) => {
            value.map_lines(&name, |line| Ok(line.steps(|(t0, v0), (t1, v1)| (v1 - v0) / (t1 - t0) as f64)))
        }
        (Function::Period, Value::Line(line)) => Ok(Value::Number(line.period as f64)),
        (_, Value::Line(line)) => {
            let values: Vec<f64> = line.points.into_values().collect();
            Ok(Value::Number(together(function, &values)))
        }
        (Function::Period, _) | (_, Value::Number(_)) => Err(invalid_query(format!("{name} takes time series"))),
        (_, Value::Lines(lines)) => {
            let times: BTreeSet<i64> = lines.iter().flat_map(|line| line.points.keys().copied()).collect();
            let at = |time: &i64| lines.iter().filter_map(|line| line.points.get(time).copied()).collect::<Vec<_>>();
            let points = times.iter().map(|time| (*time, together(function, &at(time)))).collect();
            let period = lines.iter().map(|line| line.period).max().unwrap_or(60);
            Ok(Value::Line(Line { label: String::new(), period, points }))
        }
    }
}

/// One number of several; not a number of none.
fn together(function: Function, values: &[f64]) -> f64 {
    match function {
        Function::Sum => values.iter().sum(),
        Function::Avg => values.iter().sum::<f64>() / values.len() as f64,
        Function::Min => values.iter().copied().fold(f64::NAN, f64::min),
        _ => values.iter().copied().fold(f64::NAN, f64::max),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::parse;

    fn line(points: &[(i64, f64)]) -> Line {
        Line { label: "m".into(), period: 60, points: points.iter().copied().collect() }
    }

    fn computed(text: &str) -> Result<Vec<Vec<(i64, f64)>>, MetricsError> {
        let metrics = BTreeMap::from([
            ("a".to_owned(), line(&[(0, 1.0), (60, 2.0), (180, 8.0)])),
            ("b".to_owned(), line(&[(0, 10.0), (60, 0.0), (120, 5.0)])),
        ]);
        let expressions = BTreeMap::from([
            ("e".to_owned(), parse(text)?),
            ("c".to_owned(), parse("c + 1")?),
            ("d".to_owned(), parse("a * 2")?),
        ]);
        let range = Range { from: 0, to: 240, period: 60 };
        let computer = Computer { metrics: &metrics, expressions: &expressions, range };
        Ok(computer.lines("e")?.into_iter().map(|line| line.points.into_iter().collect()).collect())
    }

    #[test]
    fn series_are_computed_point_by_point() {
        for (text, expected) in [
            ("a + b", vec![(0, 11.0), (60, 2.0)]),
            ("a / b", vec![(0, 0.1)]),
            ("100 * a - 1", vec![(0, 99.0), (60, 199.0), (180, 799.0)]),
            ("-a ^ 2", vec![(0, -1.0), (60, -4.0), (180, -64.0)]),
            ("d", vec![(0, 2.0), (60, 4.0), (180, 16.0)]),
            ("a / SUM(a)", vec![(0, 1.0 / 11.0), (60, 2.0 / 11.0), (180, 8.0 / 11.0)]),
            ("SUM([a, b])", vec![(0, 11.0), (60, 2.0), (120, 5.0), (180, 8.0)]),
            ("MAX(METRICS())", vec![(0, 10.0), (60, 2.0), (120, 5.0), (180, 8.0)]),
            ("AVG(METRICS('b'))", vec![(0, 10.0), (60, 0.0), (120, 5.0)]),
            ("FILL(a, 0)", vec![(0, 1.0), (60, 2.0), (120, 0.0), (180, 8.0)]),
            ("FILL(b, REPEAT)", vec![(0, 10.0), (60, 0.0), (120, 5.0), (180, 5.0)]),
            ("FILL(a, LINEAR)", vec![(0, 1.0), (60, 2.0), (120, 5.0), (180, 8.0)]),
            ("DIFF(a)", vec![(60, 1.0), (180, 6.0)]),
            ("RATE(a) * PERIOD(a)", vec![(60, 1.0), (180, 3.0)]),
            ("CEIL(a / 3)", vec![(0, 1.0), (60, 1.0), (180, 3.0)]),
        ] {
            assert_eq!(computed(text).unwrap(), [expected], "{text}");
        }
        assert_eq!(computed("[a, b] - 1").unwrap().len(), 2);
    }

    #[test]
    fn what_can_not_be_computed_is_refused() {
        for text in ["c", "zz", "1 + 2", "SUM(a)", "FILL(a)", "SUM(a, b)", "REPEAT", "PERIOD(1)", "[1]", "METRICS(a)"] {
            assert!(matches!(computed(text), Err(MetricsError::Validation(_))), "{text}");
        }
        for text in ["[a] + [b]", "FILL(a, b)"] {
            assert!(matches!(computed(text), Err(MetricsError::NotImplemented(_))), "{text}");
        }
    }
}
