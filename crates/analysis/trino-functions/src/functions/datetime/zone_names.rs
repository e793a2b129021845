//! What people call the time in a zone: `CET`, `Central European Standard Time`.

use chrono::{NaiveDateTime, TimeZone};
use chrono_tz::OffsetName;

use crate::error::{ErrorCode, TrinoError};
use crate::time::Zone;

/// The name of a zone's time at an instant, short or long.
///
/// # Errors
/// NOT_SUPPORTED for a zone whose name is not known.
pub(super) fn name(zone: Zone, utc: NaiveDateTime, long: bool) -> Result<String, TrinoError> {
    let Zone::Named(tz) = zone else { return Ok(zone.name().into_owned()) };
    let offset = tz.offset_from_utc_datetime(&utc);
    let short = offset.abbreviation().filter(|short| short.starts_with(|letter: char| letter.is_alphabetic()));
    let known = short.and_then(|short| if long { long_name(short, tz.name()) } else { Some(short.to_owned()) });
    known.ok_or_else(|| {
        let message = format!("The name of the time in {} is not known", tz.name());
        TrinoError::new(ErrorCode::NotSupported, message)
    })
}

/// The long name of an abbreviation; some mean different times in different parts of the world.
fn long_name(short: &str, zone: &str) -> Option<String> {
    let american = zone.starts_with("America/") || zone.starts_with("US/") || zone.starts_with("Canada/");
    let whole = match (short, zone) {
        ("UTC", _) => "Coordinated Universal Time",
        ("GMT", _) => "Greenwich Mean Time",
        ("BST", _) => "British Summer Time",
        ("IST", "Europe/Dublin" | "Eire") => "Irish Standard Time",
        ("IST", "Asia/Jerusalem" | "Asia/Tel_Aviv" | "Israel") => "Israel Standard Time",
        ("IDT", _) => "Israel Daylight Time",
        ("IST", _) => "India Standard Time",
        ("JST", _) => "Japan Standard Time",
        ("KST", _) => "Korean Standard Time",
        ("MSK", _) => "Moscow Standard Time",
        ("HKT", _) => "Hong Kong Standard Time",
        ("PKT", _) => "Pakistan Standard Time",
        ("WIB", _) => "Western Indonesia Time",
        ("WITA", _) => "Central Indonesia Time",
        ("WIT", _) => "Eastern Indonesia Time",
        ("SAST", _) => "South Africa Standard Time",
        ("EAT", _) => "East Africa Time",
        ("CAT", _) => "Central Africa Time",
        ("WAT", _) => "West Africa Standard Time",
        ("HST", _) => "Hawaii-Aleutian Standard Time",
        ("CST", "Asia/Shanghai" | "Asia/Taipei" | "Asia/Macau" | "PRC" | "ROC") => return china(zone),
        _ => return seasonal(short, american),
    };
    Some(whole.to_owned())
}

fn china(zone: &str) -> Option<String> {
    let place = if matches!(zone, "Asia/Taipei" | "ROC") { "Taipei" } else { "China" };
    Some(format!("{place} Standard Time"))
}

/// Names that say whether it is summer. Europe calls that so, the others daylight time.
fn seasonal(short: &str, american: bool) -> Option<String> {
    let (region, season) = match short {
        "CET" => ("Central European", "Standard"),
        "CEST" => ("Central European", "Summer"),
        "EET" => ("Eastern European", "Standard"),
        "EEST" => ("Eastern European", "Summer"),
        "WET" => ("Western European", "Standard"),
        "WEST" => ("Western European", "Summer"),
        "NST" => ("Newfoundland", "Standard"),
        "NDT" => ("Newfoundland", "Daylight"),
        "AKST" => ("Alaska", "Standard"),
        "AKDT" => ("Alaska", "Daylight"),
        "AEST" => ("Australian Eastern", "Standard"),
        "AEDT" => ("Australian Eastern", "Daylight"),
        "ACST" => ("Australian Central", "Standard"),
        "ACDT" => ("Australian Central", "Daylight"),
        "AWST" => ("Australian Western", "Standard"),
        "NZST" => ("New Zealand", "Standard"),
        "NZDT" => ("New Zealand", "Daylight"),
        _ if american => match short {
            "EST" => ("Eastern", "Standard"),
            "EDT" => ("Eastern", "Daylight"),
            "CST" => ("Central", "Standard"),
            "CDT" => ("Central", "Daylight"),
            "MST" => ("Mountain", "Standard"),
            "MDT" => ("Mountain", "Daylight"),
            "PST" => ("Pacific", "Standard"),
            "PDT" => ("Pacific", "Daylight"),
            "AST" => ("Atlantic", "Standard"),
            "ADT" => ("Atlantic", "Daylight"),
            _ => return None,
        },
        _ => return None,
    };
    Some(format!("{region} {season} Time"))
}
