//! Pictures of dates: text and markers such as `[M01]`.

use super::super::integers::Picture as Integer;
use crate::jsonata::eval::Result;

#[derive(Debug)]
pub(super) enum Piece {
    Literal(String),
    Marker(Marker),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    Upper,
    Lower,
    Title,
}

#[derive(Debug)]
pub(super) struct Marker {
    pub(super) component: char,
    /// Written as a name.
    pub(super) names: Option<Names>,
    /// Written as a number.
    pub(super) integer: Option<Integer>,
    /// `t`: UTC is `Z`.
    pub(super) zulu: bool,
    /// Letters of a name at most.
    pub(super) most: Option<usize>,
    /// Digits that a year, month or day has.
    pub(super) digits: Option<usize>,
}

/// How a component is written when its marker does not say.
fn presentation(component: char) -> Option<&'static str> {
    Some(match component {
        'Y' | 'M' | 'D' | 'd' | 'W' | 'w' | 'X' | 'x' | 'H' | 'h' | 'f' => "1",
        'F' | 'P' | 'C' | 'E' => "n",
        'm' | 's' => "01",
        'Z' | 'z' => "01:01",
        _ => return None,
    })
}

pub(super) fn parse(picture: &str) -> Result<Vec<Piece>> {
    let (mut pieces, mut rest) = (Vec::new(), picture);
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("[[") {
            pieces.push(Piece::Literal("[".into()));
            rest = after;
        } else if let Some(after) = rest.strip_prefix('[') {
            let (marker, after) =
                after.split_once(']').ok_or("D3135: No matching closing bracket ']' in date/time picture string")?;
            let marker: String = marker.split_whitespace().collect();
            pieces.push(Piece::Marker(Marker::parse(&marker)?));
            rest = after;
        } else {
            let end = rest.find('[').unwrap_or(rest.len());
            pieces.push(Piece::Literal(rest[..end].replace("]]", "]")));
            rest = &rest[end..];
        }
    }
    Ok(pieces)
}

impl Marker {
    fn parse(marker: &str) -> Result<Self> {
        let component = marker.chars().next();
        let unknown = || {
            let shown = component.map(String::from).unwrap_or_default();
            format!("D3132: Unknown component specifier \"{shown}\" in date/time picture string")
        };
        let component = component.ok_or_else(unknown)?;
        let modifiers = &marker[component.len_utf8()..];
        let (modifiers, width) = match modifiers.rsplit_once(',') {
            Some((modifiers, width)) => (modifiers, Some(width)),
            None => (modifiers, None),
        };
        let count = modifiers.chars().count();
        let second = modifiers.chars().last().filter(|last| count > 1 && "atco".contains(*last));
        let first = match second {
            Some(second) => &modifiers[..modifiers.len() - second.len_utf8()],
            None if count == 0 => presentation(component).ok_or_else(unknown)?,
            None => modifiers,
        };
        let (least, most) = width.map_or((None, None), widths);
        let mut marker =
            Self { component, names: names(first), integer: None, zulu: second == Some('t'), most, digits: None };
        if marker.names.is_none() && "YMDdFWwXxHhmsf".contains(component) {
            marker.number(first, second, least)?;
        }
        if matches!(component, 'Z' | 'z') {
            marker.integer = Some(Integer::parse(first)?);
        }
        Ok(marker)
    }

    fn number(&mut self, first: &str, second: Option<char>, least: Option<usize>) -> Result<()> {
        let mut integer = match second {
            Some(second) => Integer::parse(&format!("{first};{second}"))?,
            None => Integer::parse(first)?,
        };
        if let (Some(decimal), Some(least)) = (integer.decimal_mut(), least) {
            decimal.mandatory = decimal.mandatory.max(least);
        }
        if "YMD".contains(self.component) {
            let written = integer.decimal().map_or(0, |decimal| decimal.mandatory + decimal.optional);
            self.digits = self.most.or((written >= 2).then_some(written));
            if let (Some(decimal), Some(most)) = (integer.decimal_mut(), self.most) {
                decimal.mandatory = most;
            }
        }
        self.integer = Some(integer);
        Ok(())
    }
}

fn names(modifier: &str) -> Option<Names> {
    let mut characters = modifier.chars();
    match (characters.next(), characters.next()) {
        (Some('n'), _) => Some(Names::Lower),
        (Some('N'), Some('n')) => Some(Names::Title),
        (Some('N'), _) => Some(Names::Upper),
        _ => None,
    }
}

/// The least and the most of a width modifier such as `2-4`.
fn widths(modifier: &str) -> (Option<usize>, Option<usize>) {
    // More digits than a number can have mean nothing.
    let width = |text: &str| text.parse::<usize>().ok().filter(|width| *width <= 1000);
    match modifier.split_once('-') {
        Some((least, most)) => (width(least), width(most)),
        None => (width(modifier), None),
    }
}
