use crate::testing::{call, error, shown, text, value};

fn at(text: &str) -> crate::Typed {
    value(text, "timestamp(3)")
}

fn zoned(text: &str) -> crate::Typed {
    value(text, "timestamp(3) with time zone")
}

#[test]
fn parts_of_dates_and_clocks() {
    let date = || value("2020-12-31", "date");
    for (name, expected) in [
        ("year", "2020"),
        ("quarter", "4"),
        ("week", "53"),
        ("yow", "2020"),
        ("dow", "4"),
        ("doy", "366"),
        ("day_of_month", "31"),
    ] {
        assert_eq!(shown(name, vec![date()]), expected, "{name}");
    }
    assert_eq!(shown("hour", vec![zoned("2020-01-01 23:30 Asia/Kolkata")]), "23");
    assert_eq!(shown("millisecond", vec![at("2020-01-01 00:00:00.125")]), "125");
    assert_eq!(shown("timezone_hour", vec![zoned("2020-01-01 00:00 -05:30")]), "-5");
    assert_eq!(shown("timezone_minute", vec![zoned("2020-01-01 00:00 -05:30")]), "-30");
    assert_eq!(crate::testing::show(crate::operators::extract("YEAR", date()).unwrap()), "2020");
    // A date is a timestamp where one is asked for; a text isn't.
    assert_eq!(shown("hour", vec![date()]), "0");
    assert!(call("hour", vec![text("12:00")]).is_err());
    assert!(crate::operators::extract("fortnight", date()).is_err());
}

#[test]
fn truncation() {
    let cut = |unit| shown("date_trunc", vec![text(unit), at("2001-08-22 03:04:05.321")]);
    assert_eq!(cut("second"), "2001-08-22 03:04:05.000");
    assert_eq!(cut("hour"), "2001-08-22 03:00:00.000");
    assert_eq!(cut("week"), "2001-08-20 00:00:00.000");
    assert_eq!(cut("quarter"), "2001-07-01 00:00:00.000");
    assert_eq!(cut("year"), "2001-01-01 00:00:00.000");
    assert_eq!(shown("date_trunc", vec![text("month"), value("2001-08-22", "date")]), "2001-08-01");
    let error = error(call("date_trunc", vec![text("hour"), value("2001-08-22", "date")]).unwrap());
    assert_eq!(error, "INVALID_FUNCTION_ARGUMENT: 'hour' is not a valid DATE field");
}

#[test]
fn adding_and_counting() {
    let add = |unit, count: &str, from| shown("date_add", vec![text(unit), value(count, "integer"), from]);
    assert_eq!(add("second", "86", at("2020-03-01 00:00:00")), "2020-03-01 00:01:26.000");
    assert_eq!(add("month", "1", value("2020-01-31", "date")), "2020-02-29");
    assert_eq!(add("quarter", "-1", at("2020-05-31 00:00:00")), "2020-02-29 00:00:00.000");
    let diff = |unit, from: &str, to: &str| shown("date_diff", vec![text(unit), at(from), at(to)]);
    assert_eq!(diff("second", "2020-03-01 00:00:00", "2020-03-02 00:00:00"), "86400");
    assert_eq!(diff("day", "2020-03-01 12:00", "2020-03-02 00:00"), "0");
    assert_eq!(diff("month", "2020-01-31 00:00", "2020-03-01 00:00"), "1");
    assert_eq!(diff("year", "2020-06-01 00:00", "2018-06-02 00:00"), "-1");
    assert_eq!(shown("last_day_of_month", vec![value("2024-02-03", "date")]), "2024-02-29");
}

#[test]
fn mysqls_patterns() {
    let format = |pattern| shown("date_format", vec![at("2022-10-20 05:10:00.123"), text(pattern)]);
    assert_eq!(format("%m-%d-%Y %H"), "10-20-2022 05");
    assert_eq!(
        format("%a %b %c %e %f %h:%i %p %j %T %W %M %y %%"),
        "Thu Oct 10 20 123000 05:10 AM 293 05:10:00 Thursday October 22 %"
    );
    let parse = |value, pattern| shown("date_parse", vec![text(value), text(pattern)]);
    assert_eq!(parse("2022/10/20/05", "%Y/%m/%d/%H"), "2022-10-20 05:00:00.000");
    assert_eq!(parse("7/4/21 3:05 PM", "%c/%e/%y %l:%i %p"), "2021-07-04 15:05:00.000");
    let failure = |value, pattern| error(call("date_parse", vec![text(value), text(pattern)]).unwrap());
    assert_eq!(failure("abc", "%Y"), "INVALID_FUNCTION_ARGUMENT: Invalid format: \"abc\"");
    assert_eq!(
        failure("2022-1x", "%Y-%m-%d"),
        "INVALID_FUNCTION_ARGUMENT: Invalid format: \"2022-1x\" is malformed at \"x\""
    );
    assert_eq!(failure("1", "%D"), "INVALID_FUNCTION_ARGUMENT: %D not supported in date format string");
}

#[test]
fn jodas_patterns() {
    let format =
        |pattern| shown("format_datetime", vec![zoned("2001-08-22 03:04:05.321 America/Los_Angeles"), text(pattern)]);
    assert_eq!(format("yyyy-MM-dd'T'HH:mm:ss.SSS Z"), "2001-08-22T03:04:05.321 -0700");
    assert_eq!(format("EEE, d MMM yy h 'o''clock' a ZZZ"), "Wed, 22 Aug 01 3 o'clock AM America/Los_Angeles");
    let parse = |value, pattern| shown("parse_datetime", vec![text(value), text(pattern)]);
    assert_eq!(parse("20200229 2359", "yyyyMMdd HHmm"), "2020-02-29 23:59:00.000 UTC");
    assert_eq!(parse("1968-01-13 12 +01:00", "yyyy-MM-dd HH ZZ"), "1968-01-13 12:00:00.000 +01:00");
    assert!(error(call("parse_datetime", vec![text("x"), text("yyyy")]).unwrap()).contains("Invalid format"));
}

#[test]
fn iso_forms() {
    assert_eq!(
        shown("from_iso8601_timestamp", vec![text("2020-05-11T11:15:05+01:00")]),
        "2020-05-11 11:15:05.000 +01:00"
    );
    assert_eq!(shown("from_iso8601_timestamp", vec![text("2020-05-11")]), "2020-05-11 00:00:00.000 UTC");
    assert_eq!(shown("from_iso8601_date", vec![text("2020-W10")]), "2020-03-02");
    assert_eq!(shown("from_iso8601_date", vec![text("2020-123")]), "2020-05-02");
    assert_eq!(shown("to_iso8601", vec![zoned("2020-05-11 11:15 Europe/Berlin")]), "2020-05-11T11:15:00.000+02:00");
    assert_eq!(shown("to_iso8601", vec![at("2020-05-11 11:15")]), "2020-05-11T11:15:00.000");
    assert!(error(call("from_iso8601_date", vec![text("2020-13")]).unwrap()).contains("Invalid format"));
}

#[test]
fn epochs_and_zones() {
    assert_eq!(shown("from_unixtime", vec![value("1.5", "double")]), "1970-01-01 00:00:01.500 UTC");
    let in_zone = vec![value("0", "integer"), text("Asia/Tokyo")];
    assert_eq!(shown("from_unixtime", in_zone), "1970-01-01 09:00:00.000 Asia/Tokyo");
    assert_eq!(shown("to_unixtime", vec![zoned("1970-01-01 01:00 +01:00")]), "0.0");
    let with_zone = vec![at("2021-11-01 09:08:07.321"), text("America/Los_Angeles")];
    assert_eq!(shown("with_timezone", with_zone), "2021-11-01 09:08:07.321 America/Los_Angeles");
    assert_eq!(shown("human_readable_seconds", vec![value("3762", "integer")]), "1 hour, 2 minutes, 42 seconds");
    assert_eq!(call("now", vec![]).unwrap().1, crate::types::Type::TimestampTz(3));
    assert_eq!(shown("date", vec![text("2020-01-02")]), "2020-01-02");
}
