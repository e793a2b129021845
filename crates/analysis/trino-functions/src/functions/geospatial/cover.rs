//! Which Bing tiles cover a circle or a geometry.

use geo::{Contains, Geometry, Intersects, Rect};

use super::kind::{envelope, leaves};
use super::sphere::{EARTH_RADIUS_KM, kilometres};
use super::tile::{MAX_LATITUDE, MAX_LONGITUDE, Tile};
use crate::error::TrinoError;

/// The most tiles that a rectangle or circle may take.
const MOST_TILES: u64 = 1_000_000;
/// The most that tiles times points may be.
const MOST_COMPLEX: u64 = 25_000_000;
/// The zoom level from which on large tiles are tried first.
const COARSE_ZOOM: u32 = 10;
/// The longest radius, in kilometres.
const MOST_KILOMETRES: f64 = 1_000.0;
const TOO_COMPLEX: &str = "The zoom level is too high or the geometry is too complex to compute a set of covering Bing \
                           tiles. Please use a lower zoom level or convert the geometry to its bounding box using the \
                           ST_Envelope function.";

/// A tile and those beside it, column by column.
pub(super) fn neighbours(tile: Tile) -> Vec<Tile> {
    let end = 1_u32 << tile.zoom;
    let beside = |middle: u32| (middle.saturating_sub(1)..=middle + 1).filter(move |index| *index < end);
    beside(tile.x).flat_map(|x| beside(tile.y).map(move |y| Tile { x, y, ..tile })).collect()
}

/// The tiles that a circle touches: first the middle row and the middle column, then the corners.
pub(super) fn around(latitude: f64, longitude: f64, zoom: u32, radius: f64) -> Result<Vec<Tile>, TrinoError> {
    if radius.is_nan() || radius < 0.0 {
        return Err(TrinoError::invalid("Radius must be >= 0"));
    }
    if radius > MOST_KILOMETRES {
        return Err(TrinoError::invalid("Radius must be <= 1,000 km"));
    }
    let circle = Circle::new(latitude, longitude, zoom, radius);
    let count = u64::from(circle.columns()) * u64::from(circle.bottom - circle.top + 1);
    if count > MOST_TILES {
        return Err(TrinoError::invalid(format!(
            "The number of tiles covering input rectangle exceeds the limit of 1M. Number of tiles: {count}. \
             Radius: {radius:.1} km. Zoom level: {zoom}."
        )));
    }
    Ok(circle.tiles())
}

/// A circle on the map.
struct Circle {
    latitude: f64,
    longitude: f64,
    radius: f64,
    middle: Tile,
    top: u32,
    bottom: u32,
    left: u32,
    right: u32,
}

impl Circle {
    fn new(latitude: f64, longitude: f64, zoom: u32, radius: f64) -> Self {
        let north = moved_latitude(latitude, radius, 0.0);
        let south = moved_latitude(latitude, radius, 180.0);
        let west = moved_longitude(latitude, longitude, radius, 270.0);
        let east = moved_longitude(latitude, longitude, radius, 90.0);
        Self {
            latitude,
            longitude,
            radius,
            middle: Tile::at(latitude, longitude, zoom),
            top: Tile::at(north, longitude, zoom).y,
            bottom: Tile::at(south, longitude, zoom).y,
            left: Tile::at(latitude, west, zoom).x,
            right: Tile::at(latitude, east, zoom).x,
        }
    }

    /// How many tiles the map is wide.
    fn width(&self) -> u32 {
        1 << self.middle.zoom
    }

    /// How many columns the circle touches; it may go over the map's edge.
    fn columns(&self) -> u32 {
        (self.right + self.width() - self.left) % self.width() + 1
    }

    fn tile(&self, x: u32, y: u32) -> Tile {
        Tile { x, y, ..self.middle }
    }

    fn holds(&self, corner: Tile) -> bool {
        let place = corner.corner();
        kilometres(self.latitude, self.longitude, place.y, place.x) <= self.radius
    }

    fn tiles(&self) -> Vec<Tile> {
        let Tile { x: middle_x, y: middle_y, .. } = self.middle;
        let mut found = Vec::new();
        for column in 0..self.columns() {
            found.push(self.tile((self.left + column) % self.width(), middle_y));
        }
        found.extend((self.top..=self.bottom).filter(|y| *y != middle_y).map(|y| self.tile(middle_x, y)));
        let mut x = self.right;
        while x != middle_x {
            self.corner_columns(x, 0, &mut found);
            x = if x == 0 { self.width() - 1 } else { x - 1 };
        }
        let mut x = self.left;
        while x != middle_x {
            self.corner_columns(x, 1, &mut found);
            x = (x + 1) % self.width();
        }
        found
    }

    /// A column's tiles above and below the middle row. From the first one on whose corner nearest to the middle is in
    /// the circle, all are.
    fn corner_columns(&self, x: u32, near_side: u32, found: &mut Vec<Tile>) {
        let nearest = x + near_side;
        let above = (self.top..self.middle.y).skip_while(|y| !self.holds(self.tile(nearest, y + 1)));
        found.extend(above.map(|y| self.tile(x, y)));
        let below = (self.middle.y + 1..=self.bottom).rev().skip_while(|y| !self.holds(self.tile(nearest, *y)));
        found.extend(below.map(|y| self.tile(x, y)));
    }
}

fn moved_latitude(latitude: f64, radius: f64, bearing: f64) -> f64 {
    let (latitude, bearing, ratio) = (latitude.to_radians(), bearing.to_radians(), radius / EARTH_RADIUS_KM);
    let moved = (latitude.sin() * ratio.cos() + latitude.cos() * ratio.sin() * bearing.cos()).asin();
    moved.to_degrees().clamp(-MAX_LATITUDE, MAX_LATITUDE)
}

/// Over the edge of the map it goes on at the other edge.
fn moved_longitude(latitude: f64, longitude: f64, radius: f64, bearing: f64) -> f64 {
    let (latitude, bearing, ratio) = (latitude.to_radians(), bearing.to_radians(), radius / EARTH_RADIUS_KM);
    let across = bearing.sin() * ratio.sin() * latitude.cos();
    let moved = longitude.to_radians() + across.atan2(ratio.cos() - latitude.sin() * latitude.sin());
    match moved.to_degrees() {
        moved if moved > MAX_LONGITUDE => -MAX_LONGITUDE + (moved - MAX_LONGITUDE),
        moved if moved < -MAX_LONGITUDE => MAX_LONGITUDE + (moved + MAX_LONGITUDE),
        moved => moved,
    }
}

/// The tiles of a zoom level that a geometry touches.
pub(super) fn covering(geometry: &Geometry, zoom: u32) -> Result<Vec<Tile>, TrinoError> {
    let Some(envelope) = envelope(geometry) else { return Ok(Vec::new()) };
    check_span(&envelope)?;
    let first = Tile::at(envelope.max().y, envelope.min().x, zoom);
    let last = lower_right(&envelope, zoom);
    let plain = is_point_or_rectangle(geometry, &envelope);
    let count = (u64::from(last.x) + 1 - u64::from(first.x)) * (u64::from(last.y) + 1 - u64::from(first.y));
    check_count(geometry, &envelope, plain, count, zoom)?;
    let mut found = Vec::new();
    if plain || zoom <= COARSE_ZOOM {
        for tile in between(first, last) {
            if plain || touches(geometry, tile) {
                found.push(tile);
            }
        }
        return Ok(found);
    }
    let coarse =
        |tile: Tile| Tile { x: tile.x >> (zoom - COARSE_ZOOM), y: tile.y >> (zoom - COARSE_ZOOM), zoom: COARSE_ZOOM };
    for tile in between(coarse(first), coarse(last)) {
        quarter(geometry, tile, zoom, &mut found);
    }
    Ok(found)
}

/// Column by column.
fn between(first: Tile, last: Tile) -> impl Iterator<Item = Tile> {
    (first.x..=last.x).flat_map(move |x| (first.y..=last.y).map(move |y| Tile { x, y, ..first }))
}

/// A tile that the rectangle only touches with its lower or right side is none of its tiles.
fn lower_right(envelope: &Rect, zoom: u32) -> Tile {
    let mut tile = Tile::at(envelope.min().y, envelope.max().x, zoom);
    let corner = tile.corner();
    tile.x = tile.x.saturating_sub(u32::from(corner.x == envelope.max().x));
    tile.y = tile.y.saturating_sub(u32::from(corner.y == envelope.min().y));
    tile
}

/// Appends the tiles below this one that the geometry touches.
fn quarter(geometry: &Geometry, tile: Tile, zoom: u32, found: &mut Vec<Tile>) {
    if tile.zoom == zoom {
        if touches(geometry, tile) {
            found.push(tile);
        }
        return;
    }
    let rectangle = tile.rectangle();
    if leaves(geometry).into_iter().any(|leaf| leaf.contains(&rectangle.to_polygon())) {
        let finer = zoom - tile.zoom;
        let first = Tile { x: tile.x << finer, y: tile.y << finer, zoom };
        let side = (1 << finer) - 1;
        return found.extend(between(first, Tile { x: first.x + side, y: first.y + side, zoom }));
    }
    if !touches(geometry, tile) {
        return;
    }
    let first = Tile { x: tile.x * 2, y: tile.y * 2, zoom: tile.zoom + 1 };
    for finer in between(first, first.diagonal()) {
        quarter(geometry, finer, zoom, found);
    }
}

fn touches(geometry: &Geometry, tile: Tile) -> bool {
    let rectangle = tile.rectangle();
    leaves(geometry).into_iter().any(|leaf| leaf.intersects(&rectangle))
}

fn is_point_or_rectangle(geometry: &Geometry, envelope: &Rect) -> bool {
    match geometry {
        Geometry::Point(_) => true,
        Geometry::Polygon(polygon) if polygon.interiors().is_empty() && polygon.exterior().0.len() == 5 => {
            let (low, high) = (envelope.min(), envelope.max());
            let mut ring = polygon.exterior().0.iter();
            ring.all(|point| (point.x == low.x || point.x == high.x) && (point.y == low.y || point.y == high.y))
        }
        _ => false,
    }
}

fn check_span(envelope: &Rect) -> Result<(), TrinoError> {
    let (low, high) = (envelope.min(), envelope.max());
    let latitudes = -MAX_LATITUDE..=MAX_LATITUDE;
    if !latitudes.contains(&low.y) || !latitudes.contains(&high.y) {
        let message = "Latitude span for the geometry must be in [-85.05, 85.05] range";
        return Err(TrinoError::invalid(message));
    }
    let longitudes = -MAX_LONGITUDE..=MAX_LONGITUDE;
    if !longitudes.contains(&low.x) || !longitudes.contains(&high.x) {
        let message = "Longitude span for the geometry must be in [-180.00, 180.00] range";
        return Err(TrinoError::invalid(message));
    }
    Ok(())
}

fn check_count(geometry: &Geometry, envelope: &Rect, plain: bool, count: u64, zoom: u32) -> Result<(), TrinoError> {
    if plain {
        if count <= MOST_TILES {
            return Ok(());
        }
        let (low, high) = (envelope.min(), envelope.max());
        return Err(TrinoError::invalid(format!(
            "The number of tiles covering input rectangle exceeds the limit of 1M. Number of tiles: {count}. \
             Rectangle: xMin={:.2}, yMin={:.2}, xMax={:.2}, yMax={:.2}. Zoom level: {zoom}.",
            low.x, low.y, high.x, high.y
        )));
    }
    if count > i32::MAX as u64 {
        let message = "The zoom level is too high to compute a set of covering Bing tiles.";
        return Err(TrinoError::invalid(message));
    }
    let points = super::access::point_count(geometry) as u64;
    match count.checked_mul(points) {
        Some(complexity) if complexity <= MOST_COMPLEX => Ok(()),
        _ => Err(TrinoError::invalid(TOO_COMPLEX)),
    }
}
