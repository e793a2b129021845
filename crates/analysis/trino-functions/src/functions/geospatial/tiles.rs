//! Functions of Bing tiles.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, StructArray};
use arrow::datatypes::{DataType, Float64Type, Int8Type, Int32Type, Int64Type};

use super::super::Table;
use super::super::support::{Arg, Computed, nulls, numbers, primitives, text, write_texts};
use super::cover::{around, covering, neighbours};
use super::tile::{Tile, check_place, checked_zoom};
use super::values::{geometries, number_arrays, shapes};
use crate::error::TrinoError;
use crate::kernel::Call;

pub(super) fn register(table: &mut Table) {
    let tile = "The tile with these coordinates at this zoom level.";
    table.kernel("bing_tile(integer, integer, integer) -> bingtile", tile, by_coordinates);
    table.kernel("bing_tile(varchar) -> bingtile", "The tile with this quad key.", |call| {
        let keys = text(call, 0)?;
        primitives::<Int64Type>(call, |row| Ok(Some(Tile::of_quad_key(keys.value(row))?.encode())))
    });
    let at = "The tile at a zoom level that holds this latitude and longitude.";
    table.kernel("bing_tile_at(double, double, integer) -> bingtile", at, |call| {
        let places = Places::of(call)?;
        primitives::<Int64Type>(call, |row| {
            let (latitude, longitude, zoom) = places.at(row)?;
            Ok(Some(Tile::at(latitude, longitude, zoom).encode()))
        })
    });
    let around_it = "The tile that holds this latitude and longitude, and those beside it.";
    table.kernel("bing_tiles_around(double, double, integer) -> array(bingtile)", around_it, |call| {
        let places = Places::of(call)?;
        number_arrays(call, |row| {
            let (latitude, longitude, zoom) = places.at(row)?;
            Ok(Some(encoded(neighbours(Tile::at(latitude, longitude, zoom)))))
        })
    });
    let within = "The tiles that cover a circle of so many kilometres around this latitude and longitude.";
    table.kernel("bing_tiles_around(double, double, integer, double) -> array(bingtile)", within, |call| {
        let (places, radii) = (Places::of(call)?, numbers::<Float64Type>(call, 3)?);
        number_arrays(call, |row| {
            let (latitude, longitude, zoom) = places.at(row)?;
            Ok(Some(encoded(around(latitude, longitude, zoom, radii.value(row))?)))
        })
    });
    table.kernel(
        "bing_tile_coordinates(bingtile) -> row(x integer, y integer)",
        "The tile's coordinates.",
        coordinates,
    );
    table.kernel("bing_tile_polygon(bingtile) -> geometry", "What the tile covers.", |call| {
        let tiles = numbers::<Int64Type>(call, 0)?;
        shapes(call, |row| Ok(Some(super::rectangle(Tile::decode(tiles.value(row)).rectangle()))))
    });
    table.kernel("bing_tile_quadkey(bingtile) -> varchar", "The tile's quad key.", |call| {
        let tiles = numbers::<Int64Type>(call, 0)?;
        write_texts(call, |row, out| {
            out.push_str(&Tile::decode(tiles.value(row)).quad_key());
            Ok(Some(()))
        })
    });
    table.kernel("bing_tile_zoom_level(bingtile) -> tinyint", "The tile's zoom level.", |call| {
        let tiles = numbers::<Int64Type>(call, 0)?;
        primitives::<Int8Type>(call, |row| Ok(Some(Tile::decode(tiles.value(row)).zoom as i8)))
    });
    let cover = "The tiles of a zoom level that cover the geometry.";
    table.kernel("geometry_to_bing_tiles(geometry, integer) -> array(bingtile)", cover, |call| {
        let (shapes, zooms) = (geometries(call, 0)?, numbers::<Int32Type>(call, 1)?);
        number_arrays(call, |row| {
            let zoom = checked_zoom(zooms.value(row))?;
            Ok(Some(encoded(covering(&*shapes.at(row)?, zoom)?)))
        })
    });
}

/// Appends a tile as text.
pub(super) fn write(out: &mut String, value: i64) {
    let Tile { x, y, zoom } = Tile::decode(value);
    out.push_str(&format!("BingTile{{x={x}, y={y}, zoom_level={zoom}}}"));
}

fn encoded(tiles: Vec<Tile>) -> Vec<i64> {
    tiles.into_iter().map(Tile::encode).collect()
}

/// The arguments latitude, longitude and zoom level.
struct Places {
    latitudes: Arg<Float64Array>,
    longitudes: Arg<Float64Array>,
    zooms: Arg<Int32Array>,
}

impl Places {
    fn of(call: &Call<'_>) -> Result<Self, TrinoError> {
        Ok(Self { latitudes: numbers(call, 0)?, longitudes: numbers(call, 1)?, zooms: numbers(call, 2)? })
    }

    fn at(&self, row: usize) -> Result<(f64, f64, u32), TrinoError> {
        let (latitude, longitude) = (self.latitudes.value(row), self.longitudes.value(row));
        check_place(latitude, longitude)?;
        Ok((latitude, longitude, checked_zoom(self.zooms.value(row))?))
    }
}

fn by_coordinates(call: &Call<'_>) -> Computed {
    let (all_x, all_y) = (numbers::<Int32Type>(call, 0)?, numbers::<Int32Type>(call, 1)?);
    let zooms = numbers::<Int32Type>(call, 2)?;
    primitives::<Int64Type>(call, |row| {
        let zoom = checked_zoom(zooms.value(row))?;
        let end = 1_u32 << zoom;
        let checked = |coordinate: i32| match u32::try_from(coordinate) {
            Ok(coordinate) if coordinate < end => Ok(coordinate),
            _ => Err(TrinoError::invalid(format!(
                "XY coordinates for a Bing tile at zoom level {zoom} must be within [0, {end}) range"
            ))),
        };
        Ok(Some(Tile { x: checked(all_x.value(row))?, y: checked(all_y.value(row))?, zoom }.encode()))
    })
}

fn coordinates(call: &Call<'_>) -> Computed {
    let (tiles, nulls) = (numbers::<Int64Type>(call, 0)?, nulls(call)?);
    let all = |of: fn(Tile) -> u32| -> ArrayRef {
        let value = |row| of(Tile::decode(tiles.value(row))) as i32;
        Arc::new((0..call.rows).map(value).collect::<Int32Array>())
    };
    let DataType::Struct(fields) = call.result.to_arrow() else {
        return Err(TrinoError::internal("coordinates are a row"));
    };
    Ok(Arc::new(StructArray::try_new(fields, vec![all(|tile| tile.x), all(|tile| tile.y)], nulls)?))
}
