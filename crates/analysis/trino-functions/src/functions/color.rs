//! Colours, and text in colours by the control sequences of terminals with 256 colours.

use arrow::array::AsArray;
use arrow::datatypes::{Float64Type, Int32Type, Int64Type};

use super::Table;
use super::support::{Computed, bigints, numbers, primitives, text, texts, truth, write_texts};
use crate::cast::cast_array;
use crate::error::TrinoError;
use crate::kernel::Call;
use crate::types::Type;

/// The colours of the terminal itself, by their number there.
const SYSTEM: [&str; 8] = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
const RED: i32 = 0xFF_0000;
const GREEN: i32 = 0x00_FF00;

pub(crate) fn register(table: &mut Table) {
    table.kernel("color(varchar) -> color", "The colour of a name or of #RGB.", named);
    let scaled = "The colour between two by how far a value is from low to high.";
    table.kernel("color(double, double, double, color, color) -> color", scaled, |call| {
        let (low, high) = (numbers::<Float64Type>(call, 1)?, numbers::<Float64Type>(call, 2)?);
        between(call, [3, 4], move |value, row| (value - low.value(row)) / (high.value(row) - low.value(row)))
    });
    table.kernel("color(double, color, color) -> color", scaled, |call| between(call, [1, 2], |value, _| value));
    table.kernel("rgb(bigint, bigint, bigint) -> color", "The colour of red, green and blue from 0 to 255.", rgb);
    let render = "The value in a colour.";
    for signature in
        ["render(varchar, color) -> varchar", "render(bigint, color) -> varchar", "render(double, color) -> varchar"]
    {
        table.kernel(signature, render, |call| {
            let values = cast_array(&call.array(0)?, &call.types[0], &Type::VARCHAR)?;
            let (values, colors) = (values.as_string::<i32>(), numbers::<Int32Type>(call, 1)?);
            write_texts(call, |row, out| {
                out.push_str(&in_color(values.value(row), colors.value(row)));
                Ok(Some(()))
            })
        });
    }
    table.kernel("render(boolean) -> varchar(16)", "A green mark for true, a red one for false.", |call| {
        let values = truth(call, 0)?;
        texts(call, |row| {
            Ok(Some(if values.value(row) { "\u{1b}[38;5;2m✓\u{1b}[0m" } else { "\u{1b}[38;5;1m✗\u{1b}[0m" }))
        })
    });
    let bar = "A bar of characters, so wide for 1, in colours from low to high.";
    table.kernel("bar(double, bigint) -> varchar", bar, write_bar);
    table.kernel("bar(double, bigint, color, color) -> varchar", bar, write_bar);
}

/// A colour as it is shown: the name of one of the system's, or its red, green and blue.
pub(crate) fn write_color(out: &mut String, color: i32) {
    let name = usize::try_from(-i64::from(color) - 1).ok().and_then(|index| SYSTEM.get(index));
    match name {
        Some(name) => out.push_str(name),
        None => out.push_str(&format!("#{color:06x}")),
    }
}

fn named(call: &Call<'_>) -> Computed {
    let names = text(call, 0)?;
    primitives::<Int32Type>(call, |row| {
        let name = names.value(row);
        if let Some(index) = SYSTEM.iter().position(|known| known.eq_ignore_ascii_case(name)) {
            return Ok(Some(-(index as i32) - 1));
        }
        let digits = name.strip_prefix('#').filter(|digits| digits.len() == 3);
        let value = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let value = value.ok_or_else(|| TrinoError::invalid(format!("Invalid color: '{name}'")))?;
        let part = |shift: u32| ((value >> shift & 0xF) * 0x11) as i32;
        Ok(Some(part(8) << 16 | part(4) << 8 | part(0)))
    })
}

fn rgb(call: &Call<'_>) -> Computed {
    let (red, green, blue) = (bigints(call, 0)?, bigints(call, 1)?, bigints(call, 2)?);
    primitives::<Int32Type>(call, |row| {
        let part = |name: &str, value: i64| match value {
            0..=255 => Ok(value as i32),
            _ => Err(TrinoError::invalid(format!("{name} must be between 0 and 255"))),
        };
        let (red, green) = (part("red", red.value(row))?, part("green", green.value(row))?);
        Ok(Some(red << 16 | green << 8 | part("blue", blue.value(row))?))
    })
}

fn between(call: &Call<'_>, ends: [usize; 2], fraction: impl Fn(f64, usize) -> f64) -> Computed {
    let values = numbers::<Float64Type>(call, 0)?;
    let (low, high) = (numbers::<Int32Type>(call, ends[0])?, numbers::<Int32Type>(call, ends[1])?);
    primitives::<Int32Type>(call, |row| {
        let fraction = fraction(values.value(row), row).clamp(0.0, 1.0);
        mixed(fraction as f32, low.value(row), high.value(row)).map(Some)
    })
}

/// The colour so far on the way from one to another, each part for itself: on the circle of hues, in fullness and in
/// brightness.
fn mixed(fraction: f32, low: i32, high: i32) -> Result<i32, TrinoError> {
    let valid = |name: &str, color: i32| match color {
        0.. => Ok(Hue::of(color)),
        _ => Err(TrinoError::invalid(format!("{name} not a valid RGB color"))),
    };
    let (low, high) = (valid("lowColor", low)?, valid("highColor", high)?);
    let between = |low: f32, high: f32| fraction * (high - low) + low;
    let mixed = Hue {
        hue: between(low.hue, high.hue),
        fullness: between(low.fullness, high.fullness),
        brightness: between(low.brightness, high.brightness),
    };
    Ok(mixed.color())
}

/// A colour by its hue, all three from 0 to 1.
struct Hue {
    hue: f32,
    fullness: f32,
    brightness: f32,
}

impl Hue {
    fn of(color: i32) -> Self {
        let part = |shift: i32| (color >> shift & 0xFF) as f32;
        let (red, green, blue) = (part(16), part(8), part(0));
        let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
        let brightness = most / 255.0;
        if most == least {
            return Self { hue: 0.0, fullness: 0.0, brightness };
        }
        let rest = |part: f32| (most - part) / (most - least);
        let sixths = match most {
            _ if most == red => rest(blue) - rest(green),
            _ if most == green => 2.0 + rest(red) - rest(blue),
            _ => 4.0 + rest(green) - rest(red),
        };
        let hue = sixths / 6.0;
        Self { hue: if hue < 0.0 { hue + 1.0 } else { hue }, fullness: (most - least) / most, brightness }
    }

    fn color(&self) -> i32 {
        let part = |share: f32| (share * 255.0 + 0.5) as i32;
        let sixths = (self.hue - self.hue.floor()) * 6.0;
        let (full, rest) = (self.brightness, sixths - sixths.floor());
        let none = full * (1.0 - self.fullness);
        let falling = full * (1.0 - self.fullness * rest);
        let rising = full * (1.0 - self.fullness * (1.0 - rest));
        let (red, green, blue) = match sixths as i32 {
            _ if self.fullness == 0.0 => (full, full, full),
            0 => (full, rising, none),
            1 => (falling, full, none),
            2 => (none, full, rising),
            3 => (none, falling, full),
            4 => (rising, none, full),
            _ => (full, none, falling),
        };
        part(red) << 16 | part(green) << 8 | part(blue)
    }
}

/// What makes a terminal change to a colour.
fn escape(color: i32) -> String {
    let part = |shift: i32| (color >> shift & 0xFF) * 6 / 256;
    let code = if color < 0 { -(color + 1) } else { 16 + part(16) * 36 + part(8) * 6 + part(0) };
    format!("\u{1b}[38;5;{code}m")
}

/// What makes a terminal change back.
const RESET: &str = "\u{1b}[0m";

fn in_color(text: &str, color: i32) -> String {
    format!("{}{text}{RESET}", escape(color))
}

fn write_bar(call: &Call<'_>) -> Computed {
    let (values, widths) = (numbers::<Float64Type>(call, 0)?, numbers::<Int64Type>(call, 1)?);
    let colored = call.len() > 2;
    let ends = match colored {
        true => Some((numbers::<Int32Type>(call, 2)?, numbers::<Int32Type>(call, 3)?)),
        false => None,
    };
    write_texts(call, |row, out| {
        let width = widths.value(row).clamp(0, 1000);
        let filled = ((values.value(row) * width as f64) as i64).min(width);
        let (low, high) = match &ends {
            Some((low, high)) => (low.value(row), high.value(row)),
            None => (RED, GREEN),
        };
        let mut bar = String::new();
        for at in 0..filled {
            let color = mixed((at as f64 / (width - 1) as f64) as f32, low, high)?;
            bar.push_str(&escape(color));
            bar.push('█');
        }
        bar.push_str(RESET);
        bar.extend(std::iter::repeat_n(' ', (width - filled.max(0)) as usize));
        out.push_str(&bar);
        Ok(Some(()))
    })
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::check;

    #[test]
    fn colors_become_control_sequences() {
        check(&[
            ("render('x', color('red'))", "\u{1b}[38;5;1mx\u{1b}[0m"),
            ("render('x', rgb(255, 0, 0))", "\u{1b}[38;5;196mx\u{1b}[0m"),
            ("render(7, color('#0f0'))", "\u{1b}[38;5;46m7\u{1b}[0m"),
            ("render(7, color(0.5e0, 0e0, 1e0, rgb(0, 0, 0), rgb(255, 255, 255)))", "\u{1b}[38;5;145m7\u{1b}[0m"),
            ("bar(0.5e0, 4)", "\u{1b}[38;5;196m█\u{1b}[38;5;214m█\u{1b}[0m  "),
            ("bar(0.5e0, 2)", "\u{1b}[38;5;196m█\u{1b}[0m "),
            ("color('pink')", "INVALID_FUNCTION_ARGUMENT: Invalid color: 'pink'"),
            ("rgb(256, 0, 0)", "INVALID_FUNCTION_ARGUMENT: red must be between 0 and 255"),
        ]);
    }
}
