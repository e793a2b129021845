//! Bing tiles ("Bing Maps Tile System"): the squares that the map of the earth is cut into, four times as many at each
//! zoom level.

use geo::{Coord, Rect};

use crate::error::TrinoError;

/// The finest zoom level.
pub(super) const MAX_ZOOM: u32 = 23;
/// The latitude at which the map ends.
pub(super) const MAX_LATITUDE: f64 = 85.051_128_78;
/// The longitude at which the map ends.
pub(super) const MAX_LONGITUDE: f64 = 180.0;
/// The pixels along a tile's side.
const PIXELS: u32 = 256;
/// Where the zoom level stands in a tile's number.
const ZOOM_BITS: u32 = 5;
const ZOOM_MASK: u64 = (1 << ZOOM_BITS) - 1;
const ZOOM_SHIFT: u32 = 31 - ZOOM_BITS;
const X_SHIFT: u32 = 32;
const Y_MASK: u64 = (1 << MAX_ZOOM) - 1;

/// A tile: how many tiles stand left of it and above it at its zoom level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tile {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) zoom: u32,
}

impl Tile {
    /// The tile as the number that values are.
    pub(super) fn encode(self) -> i64 {
        ((u64::from(self.x) << X_SHIFT) | (u64::from(self.zoom) << ZOOM_SHIFT) | u64::from(self.y)) as i64
    }

    /// The tile that a value is.
    pub(super) fn decode(value: i64) -> Self {
        let value = value as u64;
        Self {
            x: (value >> X_SHIFT) as u32,
            y: (value & Y_MASK) as u32,
            zoom: ((value >> ZOOM_SHIFT) & ZOOM_MASK) as u32,
        }
    }

    /// The tile at a zoom level that holds a place on the map.
    pub(super) fn at(latitude: f64, longitude: f64, zoom: u32) -> Self {
        let sine = (latitude * std::f64::consts::PI / 180.0).sin();
        let down = 0.5 - ((1.0 + sine) / (1.0 - sine)).ln() / (4.0 * std::f64::consts::PI);
        Self { x: index((longitude + 180.0) / 360.0, zoom), y: index(down, zoom), zoom }
    }

    /// The tile of a quad key: a digit for each zoom level, which says in which quarter it is.
    pub(super) fn of_quad_key(key: &str) -> Result<Self, TrinoError> {
        if key.is_empty() {
            return Err(TrinoError::invalid("QuadKey must not be empty string"));
        }
        let zoom = key.len() as u32;
        if zoom > MAX_ZOOM {
            return Err(TrinoError::invalid(format!("QuadKey must be {MAX_ZOOM} characters or less")));
        }
        let mut tile = Self { x: 0, y: 0, zoom };
        for digit in key.chars() {
            let quarter = digit
                .to_digit(4)
                .ok_or_else(|| TrinoError::invalid(format!("Invalid QuadKey digit sequence: {key}")))?;
            tile.x = (tile.x << 1) | (quarter & 1);
            tile.y = (tile.y << 1) | (quarter >> 1);
        }
        Ok(tile)
    }

    /// The tile's quad key.
    pub(super) fn quad_key(self) -> String {
        let digit = |level: u32| b'0' + (((self.x >> level) & 1) | (((self.y >> level) & 1) << 1)) as u8;
        (0..self.zoom).rev().map(|level| char::from(digit(level))).collect()
    }

    /// The place of the tile's upper left corner: x is the longitude and y the latitude.
    pub(super) fn corner(self) -> Coord {
        let size = map_size(self.zoom);
        let part = |index: u32| (f64::from(index) * f64::from(PIXELS)).clamp(0.0, size) / size;
        let y = 0.5 - part(self.y);
        let latitude = 90.0 - 360.0 * (-y * 2.0 * std::f64::consts::PI).exp().atan() / std::f64::consts::PI;
        Coord { x: 360.0 * (part(self.x) - 0.5), y: latitude }
    }

    /// The tile to the right and below.
    pub(super) fn diagonal(self) -> Self {
        Self { x: self.x + 1, y: self.y + 1, ..self }
    }

    /// What the tile covers.
    pub(super) fn rectangle(self) -> Rect {
        Rect::new(self.corner(), self.diagonal().corner())
    }
}

/// The pixels along the map's side.
fn map_size(zoom: u32) -> f64 {
    f64::from(PIXELS << zoom)
}

/// Which tile holds a part of the map's side.
fn index(part: f64, zoom: u32) -> u32 {
    let size = map_size(zoom);
    (part * size).clamp(0.0, size - 1.0) as u32 / PIXELS
}

/// A zoom level that there is.
pub(super) fn checked_zoom(zoom: i32) -> Result<u32, TrinoError> {
    match u32::try_from(zoom) {
        Ok(zoom @ 1..=MAX_ZOOM) => Ok(zoom),
        Ok(1..) => Err(TrinoError::invalid(format!("Zoom level must be <= {MAX_ZOOM}"))),
        _ => Err(TrinoError::invalid("Zoom level must be > 0")),
    }
}

/// Refuses places that the map doesn't show.
pub(super) fn check_place(latitude: f64, longitude: f64) -> Result<(), TrinoError> {
    if !(-MAX_LATITUDE..=MAX_LATITUDE).contains(&latitude) {
        return Err(TrinoError::invalid(format!("Latitude must be between -{MAX_LATITUDE} and {MAX_LATITUDE}")));
    }
    if !(-MAX_LONGITUDE..=MAX_LONGITUDE).contains(&longitude) {
        return Err(TrinoError::invalid("Longitude must be between -180.0 and 180.0"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keys_and_tiles_are_the_same() {
        let tile = Tile { x: 21845, y: 13506, zoom: 15 };
        assert_eq!(Tile::decode(tile.encode()), tile);
        assert_eq!(Tile::of_quad_key(&tile.quad_key()).unwrap(), tile);
        let finest = Tile { x: (1 << 23) - 1, y: (1 << 23) - 1, zoom: 23 };
        assert_eq!(Tile::decode(finest.encode()), finest);
    }

    #[test]
    fn a_tile_holds_its_middle() {
        let tile = Tile { x: 5, y: 9, zoom: 6 };
        let middle = tile.rectangle().center();
        assert_eq!(Tile::at(middle.y, middle.x, 6), tile);
    }
}
