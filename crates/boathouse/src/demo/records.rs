//! The departures as a stream would carry them: JSON, in the order of time, with what goes wrong in real streams.

use std::io::{self, Read};

use flate2::read::GzDecoder;
use serde_json::{Map, Value};

const FLIGHTS: &[u8] = include_bytes!("../../../../examples/nyc-flights/data/flights.csv.gz");
/// Every so many departures one record comes twice, as producers that retry make it.
const REPEATED: usize = 250;
/// Every so many departures a broken record comes between.
const BROKEN: usize = 1500;

/// What goes into the stream.
pub(super) struct Records {
    /// The records in their order.
    pub(super) lines: Vec<String>,
    /// How many of them are departures, each counted once.
    pub(super) departures: usize,
}

impl Records {
    /// All records of January 2013.
    pub(super) fn read() -> io::Result<Self> {
        let mut text = String::new();
        GzDecoder::new(FLIGHTS).read_to_string(&mut text)?;
        let mut rows = text.lines();
        let names: Vec<&str> = rows.next().unwrap_or_default().split(',').collect();
        let (mut lines, mut departures) = (Vec::new(), 0);
        for row in rows {
            departures += 1;
            let record = record(&names, row);
            if departures % REPEATED == 0 {
                lines.push(record.to_string());
            }
            if departures % BROKEN == 0 {
                lines.push(broken(&record, departures / BROKEN));
            }
            lines.push(record.to_string());
        }
        Ok(Self { lines, departures })
    }
}

/// Numbers as numbers; what is missing stays the `NA` that the source has.
fn record(names: &[&str], row: &str) -> Value {
    let members = names.iter().zip(row.split(',')).map(|(name, text)| {
        let value = text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from);
        ((*name).to_owned(), value)
    });
    Value::Object(members.collect::<Map<_, _>>())
}

/// A record that can't be accepted, each time for another reason.
fn broken(record: &Value, turn: usize) -> String {
    let mut damaged = record.clone();
    match turn % 4 {
        0 => {
            let text = record.to_string();
            return text[..text.len() / 2].to_owned();
        }
        1 => damaged["dep_delay"] = "soon".into(),
        2 => damaged["carrier"] = "NA".into(),
        _ => damaged["distance"] = (-1).into(),
    }
    damaged.to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_departure_is_there_and_some_come_twice_or_broken() {
        let records = Records::read().unwrap();
        let broken = records.departures / BROKEN;
        assert_eq!(records.departures, 27_004);
        assert_eq!(records.lines.len(), records.departures + records.departures / REPEATED + broken);
        assert_eq!(records.lines.iter().collect::<HashSet<_>>().len(), records.departures + broken);
        let unreadable = records.lines.iter().filter(|line| serde_json::from_str::<Value>(line).is_err()).count();
        assert_eq!(unreadable, broken / 4);
    }
}
