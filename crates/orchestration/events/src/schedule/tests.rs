use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;

use super::Expression;
use super::cron::Cron;

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// The next times of an expression in a zone.
fn times(expression: &str, zone: Tz, after: &str, count: usize) -> Vec<String> {
    let expression = Expression::parse(expression).unwrap();
    let anchor = utc(after);
    let mut time = utc(after);
    std::iter::from_fn(|| {
        time = expression.next(time, zone, anchor)?;
        Some(time.format("%Y-%m-%dT%H:%MZ").to_string())
    })
    .take(count)
    .collect()
}

fn dates(fields: &str, after: &str, count: usize) -> Vec<String> {
    let cron = Cron::parse(fields).unwrap();
    let mut time: NaiveDateTime = after.parse().unwrap();
    std::iter::from_fn(|| {
        time = cron.next(time)?;
        Some(time.format("%Y-%m-%d %H:%M").to_string())
    })
    .take(count)
    .collect()
}

const NEW_YORK: Tz = Tz::America__New_York;

#[test]
fn fields_mean_what_aws_says() {
    let after = "2026-01-31T23:59:30";
    for (fields, expected) in [
        ("0 10 * * ? *", ["2026-02-01 10:00", "2026-02-02 10:00"]),
        ("15 12 * * ? *", ["2026-02-01 12:15", "2026-02-02 12:15"]),
        ("0 18 ? * MON-FRI *", ["2026-02-02 18:00", "2026-02-03 18:00"]),
        ("0/15 * * * ? *", ["2026-02-01 00:00", "2026-02-01 00:15"]),
        ("0/10 * ? * 2-6 *", ["2026-02-02 00:00", "2026-02-02 00:10"]),
        ("0 8 1 * ? *", ["2026-02-01 08:00", "2026-03-01 08:00"]),
        ("0 0 L * ? *", ["2026-02-28 00:00", "2026-03-31 00:00"]),
        ("0 0 L-2 * ? *", ["2026-02-26 00:00", "2026-03-29 00:00"]),
        ("0 0 15W * ? *", ["2026-02-16 00:00", "2026-03-16 00:00"]),
        ("0 0 1W * ? *", ["2026-02-02 00:00", "2026-03-02 00:00"]),
        ("0 0 31W * ? *", ["2026-03-31 00:00", "2026-05-29 00:00"]),
        ("0 0 LW * ? *", ["2026-02-27 00:00", "2026-03-31 00:00"]),
        ("0 0 ? * 6L *", ["2026-02-27 00:00", "2026-03-27 00:00"]),
        ("0 0 ? * FRI#2 *", ["2026-02-13 00:00", "2026-03-13 00:00"]),
        ("0 0 ? * 1#5 *", ["2026-03-29 00:00", "2026-05-31 00:00"]),
        ("0 0 ? * L *", ["2026-02-07 00:00", "2026-02-14 00:00"]),
        ("5,35 14 * * ? *", ["2026-02-01 14:05", "2026-02-01 14:35"]),
        ("0 0 29 FEB ? *", ["2028-02-29 00:00", "2032-02-29 00:00"]),
        ("0 0 1 jan,JUL ? 2027-2030/2", ["2027-01-01 00:00", "2027-07-01 00:00"]),
        ("0 22-2/2 * * ? *", ["2026-02-01 00:00", "2026-02-01 02:00"]),
    ] {
        assert_eq!(dates(fields, after, 2), expected, "{fields}");
    }
    assert!(dates("0 0 1 1 ? 2020", after, 1).is_empty());
    assert!(dates("0 0 31 2 ? *", after, 1).is_empty());
}

#[test]
fn rates_count_from_where_they_begin() {
    assert_eq!(
        times("rate(5 minutes)", Tz::UTC, "2026-03-01T00:01:30Z", 2),
        ["2026-03-01T00:06Z", "2026-03-01T00:11Z"]
    );
    let (rate, anchor) = (Expression::parse("rate(1 day)").unwrap(), utc("2026-03-01T00:00:00Z"));
    assert_eq!(rate.next(utc("2026-02-01T00:00:00Z"), Tz::UTC, anchor), Some(anchor));
    // A day is 24 hours, whatever the clocks do.
    let spring = ["2026-03-08T12:00Z", "2026-03-09T12:00Z"];
    assert_eq!(times("rate(1 day)", NEW_YORK, "2026-03-07T12:00:00Z", 2), spring);
}

#[test]
fn one_time_schedules_happen_once() {
    assert_eq!(times("at(2026-07-01T09:00:00)", NEW_YORK, "2026-03-01T00:00:00Z", 3), ["2026-07-01T13:00Z"]);
    assert!(times("at(2026-07-01T09:00:00)", NEW_YORK, "2026-07-01T13:00:00Z", 1).is_empty());
}

#[test]
fn times_that_daylight_saving_skips_are_skipped() {
    // In New York the clocks go from 2:00 to 3:00 on 8 March 2026.
    let daily = times("cron(30 2 * * ? *)", NEW_YORK, "2026-03-06T12:00:00Z", 3);
    assert_eq!(daily, ["2026-03-07T07:30Z", "2026-03-09T06:30Z", "2026-03-10T06:30Z"]);
    let hourly = times("cron(0 * * * ? *)", NEW_YORK, "2026-03-08T05:30:00Z", 3);
    assert_eq!(hourly, ["2026-03-08T06:00Z", "2026-03-08T07:00Z", "2026-03-08T08:00Z"]);
}

#[test]
fn times_that_daylight_saving_repeats_count_once() {
    // In New York the clocks go from 2:00 back to 1:00 on 1 November 2026.
    let daily = times("cron(30 1 * * ? *)", NEW_YORK, "2026-10-31T12:00:00Z", 2);
    assert_eq!(daily, ["2026-11-01T05:30Z", "2026-11-02T06:30Z"]);
    let half_hourly = times("cron(0/30 * * * ? *)", NEW_YORK, "2026-11-01T04:45:00Z", 4);
    assert_eq!(half_hourly, ["2026-11-01T05:00Z", "2026-11-01T05:30Z", "2026-11-01T07:00Z", "2026-11-01T07:30Z"]);
}

#[test]
fn of_missed_times_the_last_one_is_left() {
    let daily = Expression::parse("cron(0 3 * * ? *)").unwrap();
    let (after, until) = (utc("2026-03-01T03:00:00Z"), utc("2026-06-10T12:00:00Z"));
    assert_eq!(daily.last_between(after, until, Tz::UTC, after), Some(utc("2026-06-10T03:00:00Z")));
    assert_eq!(daily.last_between(until, until + TimeDelta::hours(1), Tz::UTC, after), None);
    let minutely = Expression::parse("rate(1 minute)").unwrap();
    assert_eq!(minutely.last_between(after, until, Tz::UTC, after), Some(until));
}

#[test]
fn what_is_no_expression_is_refused() {
    for wrong in [
        "",
        "cron",
        "cron()",
        "cron(* * * * * *)",
        "cron(0 0 ? * ? *)",
        "cron(0 0 * * ?)",
        "cron(60 0 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 0 0 * ? *)",
        "cron(0 0 32 * ? *)",
        "cron(0 0 ? * 8 *)",
        "cron(0 0 ? * FOO *)",
        "cron(0 0 ? * 2#6 *)",
        "cron(0 0 1 13 ? *)",
        "cron(0 0 1 1 ? 1969)",
        "cron(0/0 0 1 1 ? *)",
        "cron(+1 0 1 1 ? *)",
        "cron(1- 0 1 1 ? *)",
        "cron(, 0 1 1 ? *)",
        "cron(0 0 L-31 * ? *)",
        "cron(0 0 ? ? MON *)",
        "rate(0 minutes)",
        "rate(1 minutes)",
        "rate(2 minute)",
        "rate(5 weeks)",
        "rate(-1 days)",
        "rate(5)",
        "rate(99999999999999999 days)",
        "at(2026-13-01T00:00:00)",
        "at(2026-01-01)",
        "at(2026-01-01T00:00:00Z)",
        "every(5 minutes)",
    ] {
        assert!(Expression::parse(wrong).is_err(), "{wrong}");
    }
}

proptest! {
    #[test]
    fn nothing_makes_the_parser_panic(text in "(cron|rate|at)?\\(?[0-9A-Z*?/,#LW -]{0,24}\\)?") {
        if let Ok(expression) = Expression::parse(&text) {
            expression.next(utc("2026-01-01T00:00:00Z"), NEW_YORK, utc("2026-01-01T00:00:00Z"));
        }
    }

    #[test]
    fn the_next_time_is_the_first_that_matches(minute in 0_u32..60, step in 1_u32..30, hour in 0_u32..24,
                                               weekday in 1_u32..8, start in 0_i64..100_000) {
        let cron = Cron::parse(&format!("{minute}/{step} {hour},{} ? * {weekday} *", (hour + 7) % 24)).unwrap();
        let matches = |time: NaiveDateTime| time.minute() >= minute && (time.minute() - minute).is_multiple_of(step)
            && (time.hour() == hour || time.hour() == (hour + 7) % 24)
            && time.weekday().number_from_sunday() == weekday;
        let after = utc("2026-01-01T00:00:00Z").naive_utc() + TimeDelta::minutes(start);
        let next = cron.next(after).unwrap();
        let slow = (1..).map(|n| after + TimeDelta::minutes(n)).find(|time| matches(*time)).unwrap();
        prop_assert_eq!(next, slow);
    }

    #[test]
    fn times_in_a_zone_only_go_forward(hours in 0_i64..9000, fields in prop_oneof![
        Just("0/20 * * * ? *"), Just("30 1-3 * * ? *"), Just("0 2 ? * SUN *"), Just("59 1 L * ? *")]) {
        let expression = Expression::parse(&format!("cron({fields})")).unwrap();
        let after = utc("2026-01-01T00:00:00Z") + TimeDelta::hours(hours);
        let next = expression.next(after, NEW_YORK, after).unwrap();
        prop_assert!(next > after);
        prop_assert_eq!(expression.next(next - TimeDelta::seconds(1), NEW_YORK, after), Some(next));
    }
}
