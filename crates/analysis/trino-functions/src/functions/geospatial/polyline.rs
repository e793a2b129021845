//! Encoded polylines ("Encoded Polyline Algorithm Format"): each coordinate's difference from the one before, in hundred
//! thousandths of a degree, five bits to a letter.

use geo::{Coord, Geometry, LineString};

use super::super::Table;
use super::super::support::{text, write_texts};
use super::create::drawn;
use super::kind::{Kind, only};
use super::values::{geometries, shapes};
use crate::error::TrinoError;

/// How many steps a degree has.
const STEPS: f64 = 1e5;
/// The first letter.
const ZERO: u8 = 63;
/// Says that more letters follow.
const MORE: u8 = 0x20;

pub(super) fn register(table: &mut Table) {
    let read = "The line that an encoded polyline describes.";
    table.kernel("from_encoded_polyline(varchar) -> geometry", read, |call| {
        let lines = text(call, 0)?;
        shapes(call, |row| Ok(Some(decode(lines.value(row))?.into())))
    });
    let write = "The line, or the points, as an encoded polyline.";
    table.kernel("to_encoded_polyline(geometry) -> varchar", write, |call| {
        let shapes = geometries(call, 0)?;
        write_texts(call, |row, out| {
            out.push_str(&encode(&*shapes.at(row)?)?);
            Ok(Some(()))
        })
    });
}

fn encode(geometry: &Geometry) -> Result<String, TrinoError> {
    only("encode_polyline", geometry, &[Kind::MultiPoint, Kind::LineString])?;
    let coordinates: Vec<Coord> = match geometry {
        Geometry::LineString(line) => line.0.clone(),
        Geometry::MultiPoint(points) => points.0.iter().map(|point| point.0).collect(),
        _ => Vec::new(),
    };
    let mut out = String::new();
    let (mut last_latitude, mut last_longitude) = (0, 0);
    for coordinate in coordinates {
        // Halves go up, as Java rounds.
        let (latitude, longitude) =
            ((coordinate.y * STEPS + 0.5).floor() as i64, (coordinate.x * STEPS + 0.5).floor() as i64);
        number(latitude - last_latitude, &mut out);
        number(longitude - last_longitude, &mut out);
        (last_latitude, last_longitude) = (latitude, longitude);
    }
    Ok(out)
}

fn number(value: i64, out: &mut String) {
    let mut rest = if value < 0 { !(value << 1) } else { value << 1 } as u64;
    while rest >= u64::from(MORE) {
        out.push(char::from((MORE | (rest & 0x1f) as u8) + ZERO));
        rest >>= 5;
    }
    out.push(char::from(rest as u8 + ZERO));
}

fn decode(text: &str) -> Result<LineString, TrinoError> {
    let mut letters = text.bytes();
    let (mut latitude, mut longitude) = (0_i32, 0_i32);
    let mut coordinates = Vec::new();
    while letters.len() > 0 {
        latitude = latitude.wrapping_add(difference(&mut letters, text)?);
        longitude = longitude.wrapping_add(difference(&mut letters, text)?);
        coordinates.push(Coord { x: f64::from(longitude) * 1e-5, y: f64::from(latitude) * 1e-5 });
    }
    Ok(drawn(coordinates))
}

fn difference(letters: &mut impl Iterator<Item = u8>, text: &str) -> Result<i32, TrinoError> {
    let (mut value, mut shift) = (0_u32, 0_u32);
    loop {
        let letter = letters.next().and_then(|letter| letter.checked_sub(ZERO)).filter(|_| shift < 32);
        let letter = letter.ok_or_else(|| TrinoError::invalid(format!("Invalid encoded polyline: {text}")))?;
        value |= u32::from(letter & 0x1f) << shift;
        shift += 5;
        if letter < MORE {
            break;
        }
    }
    let half = (value >> 1) as i32;
    Ok(if value & 1 == 1 { !half } else { half })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let line = decode("_p~iF~ps|U_ulLnnqC_mqNvxq`@").unwrap();
        assert_eq!(encode(&line.clone().into()).unwrap(), "_p~iF~ps|U_ulLnnqC_mqNvxq`@");
        assert_eq!(line.0.len(), 3);
        assert!(decode("_p~iF").is_err());
    }
}
