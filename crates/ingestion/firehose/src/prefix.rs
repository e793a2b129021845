//! Key prefixes with expressions: `!{timestamp:yyyy}`, `!{firehose:random-string}`, `!{firehose:error-output-type}`
//! ("Understand custom prefixes for Amazon S3 objects").

use chrono::DateTime;
use chrono_tz::Tz;
use ring::digest::{SHA256, digest};

use crate::error::FirehoseError;
use crate::java_time::Pattern;

/// Where records go when nothing else is said, and what is added to prefixes without expressions.
const DEFAULT: &str = "yyyy/MM/dd/HH/";
/// Letters of a random string.
const RANDOM_LENGTH: usize = 11;

/// A prefix as it was written, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Timestamp(Pattern),
    RandomString,
    ErrorOutputType,
}

/// What a template is evaluated with.
pub(crate) struct Moment<'a> {
    /// The oldest record's arrival in the destination's time zone.
    pub(crate) arrival: DateTime<Tz>,
    /// What random strings are made of, so that they can be made again.
    pub(crate) seed: &'a [u8],
    /// What went wrong with the records, if they go to the error prefix.
    pub(crate) error_output_type: &'static str,
}

fn invalid(constraint: impl std::fmt::Display) -> FirehoseError {
    // AWS's own spelling.
    FirehoseError::InvalidArgument(format!(
        "Ths supplied prefix(es) do not satisfy the following constraint: {constraint}"
    ))
}

/// The two prefixes of a destination, by AWS's rules on which expressions may stand where.
pub(crate) fn templates(prefix: &str, error_prefix: Option<&str>) -> Result<(Template, Template), FirehoseError> {
    let success = Template::parse(prefix)?;
    if success.0.contains(&Piece::ErrorOutputType) {
        return Err(invalid("Prefix cannot contain the expression !{firehose:error-output-type}"));
    }
    let error_prefix = error_prefix.unwrap_or_default();
    if error_prefix.is_empty() && success.has_expressions() {
        return Err(invalid("ErrorOutputPrefix cannot be null or empty when Prefix contains expressions"));
    }
    let failure = Template::parse(if error_prefix.is_empty() { prefix } else { error_prefix })?;
    if failure.has_expressions() && !failure.0.contains(&Piece::ErrorOutputType) {
        return Err(invalid("ErrorOutputPrefix must contain the expression !{firehose:error-output-type}"));
    }
    Ok((success.with_default(&[]), failure.with_default(&[Piece::ErrorOutputType, Piece::Text("/".into())])))
}

impl Template {
    fn parse(text: &str) -> Result<Self, FirehoseError> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some(start) = rest.find("!{") {
            let (before, expression) = (&rest[..start], &rest[start + 2..]);
            let end = expression
                .find('}')
                .ok_or_else(|| invalid(format_args!("the expression !{{{expression} must end with }}")))?;
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(Piece::parse(&expression[..end])?);
            rest = &expression[end + 1..];
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        let template = Self(pieces);
        template.check_segments(text)?;
        Ok(template)
    }

    fn has_expressions(&self) -> bool {
        self.0.iter().any(|piece| !matches!(piece, Piece::Text(_)))
    }

    /// Prefixes without expressions get the time added, and failures what has failed.
    fn with_default(mut self, before: &[Piece]) -> Self {
        if !self.has_expressions() {
            let pattern = Pattern::parse(DEFAULT).expect("invariant: the default pattern is one");
            self.0.extend(before.iter().cloned().chain([Piece::Timestamp(pattern)]));
        }
        self
    }

    /// Keys with empty parts can't be written yet.
    fn check_segments(&self, text: &str) -> Result<(), FirehoseError> {
        let plain = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            _ => "x".to_owned(),
        };
        let shape: String = self.0.iter().map(plain).collect();
        let folders = shape.strip_suffix('/').unwrap_or(&shape);
        if shape.is_empty() || folders.split('/').all(|part| !matches!(part, "" | "." | "..")) {
            return Ok(());
        }
        Err(FirehoseError::InvalidArgument(format!(
            "Boathouse does not implement prefixes with empty or relative parts yet: {text}"
        )))
    }

    pub(crate) fn evaluate(&self, moment: &Moment<'_>) -> String {
        let mut randoms = 0_u8;
        self.0.iter().fold(String::new(), |mut out, piece| {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Timestamp(pattern) => out.push_str(&pattern.format(&moment.arrival)),
                Piece::ErrorOutputType => out.push_str(moment.error_output_type),
                Piece::RandomString => {
                    out.push_str(&random_string(moment.seed, randoms));
                    randoms = randoms.wrapping_add(1);
                }
            }
            out
        })
    }
}

impl Piece {
    fn parse(expression: &str) -> Result<Self, FirehoseError> {
        let (namespace, value) = expression.split_once(':').unwrap_or((expression, ""));
        match (namespace, value) {
            ("timestamp", pattern) => Pattern::parse(pattern)
                .map(Self::Timestamp)
                .map_err(|error| invalid(format_args!("{pattern} is not a valid timestamp pattern: {error}"))),
            ("firehose", "random-string") => Ok(Self::RandomString),
            ("firehose", "error-output-type") => Ok(Self::ErrorOutputType),
            ("partitionKeyFromQuery" | "partitionKeyFromLambda", _) => {
                Err(FirehoseError::NotImplemented(format!("the expression !{{{expression}}} (dynamic partitioning)")))
            }
            _ => Err(invalid(format_args!("!{{{expression}}} is not a valid expression"))),
        }
    }
}

fn random_string(seed: &[u8], number: u8) -> String {
    let hash = digest(&SHA256, &[seed, &[number]].concat());
    let letter = |byte: &u8| b"0123456789abcdefghijklmnopqrstuvwxyz"[usize::from(*byte) % 36] as char;
    hash.as_ref().iter().take(RANDOM_LENGTH).map(letter).collect()
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    fn evaluated(prefix: &str, error_prefix: Option<&str>) -> Result<(String, String), String> {
        let (success, failure) = templates(prefix, error_prefix).map_err(|error| error.to_string())?;
        let moment = |error_output_type| Moment {
            arrival: Tz::UTC.with_ymd_and_hms(2018, 8, 27, 10, 30, 0).unwrap(),
            seed: b"seed",
            error_output_type,
        };
        Ok((success.evaluate(&moment("")), failure.evaluate(&moment("processing-failed"))))
    }

    #[test]
    fn prefixes_are_evaluated_as_in_the_table_of_aws() {
        for (prefix, error_prefix, success, failure) in [
            ("", None, "2018/08/27/10/", "processing-failed/2018/08/27/10/"),
            ("", Some("lost/!{firehose:error-output-type}/"), "2018/08/27/10/", "lost/processing-failed/"),
            ("in/", None, "in/2018/08/27/10/", "in/processing-failed/2018/08/27/10/"),
            ("in/", Some("lost/"), "in/2018/08/27/10/", "lost/processing-failed/2018/08/27/10/"),
            (
                "in/year=!{timestamp:yyyy}/!{timestamp:'day'=dd}/",
                Some("lost/!{firehose:error-output-type}/!{timestamp:MM}/"),
                "in/year=2018/day=27/",
                "lost/processing-failed/08/",
            ),
        ] {
            assert_eq!(evaluated(prefix, error_prefix).unwrap(), (success.into(), failure.into()), "{prefix}");
        }
    }

    #[test]
    fn random_strings_differ_in_a_key_and_are_the_same_when_made_again() {
        let make = || {
            evaluated("!{firehose:random-string}/!{firehose:random-string}/", Some("!{firehose:error-output-type}/"))
        };
        let (key, _) = make().unwrap();
        let parts: Vec<_> = key.split('/').collect();
        assert!(parts[0].len() == 11 && parts[1].len() == 11 && parts[0] != parts[1]);
        assert_eq!(make().unwrap().0, key);
    }

    #[test]
    fn prefixes_against_the_rules_are_refused() {
        for (prefix, error_prefix, message) in [
            ("!{timestamp:yyyy}/", None, "ErrorOutputPrefix cannot be null or empty"),
            ("!{firehose:error-output-type}/", Some("x/"), "Prefix cannot contain"),
            ("", Some("!{timestamp:yyyy}/"), "must contain the expression !{firehose:error-output-type}"),
            ("!{timestamp:bogus}/", Some("x/"), "Unknown pattern letter"),
            ("!{timestamp:yyyy", Some("x/"), "must end with }"),
            ("!{clock:yyyy}/", Some("x/"), "not a valid expression"),
            ("!{partitionKeyFromQuery:id}/", Some("x/"), "dynamic partitioning"),
            ("/in/", None, "empty or relative parts"),
            ("in//", None, "empty or relative parts"),
        ] {
            let error = evaluated(prefix, error_prefix).unwrap_err();
            assert!(error.contains(message), "{prefix}: {error}");
        }
    }
}
