use proptest::prelude::*;

use super::super::testing::{check, eval, type_of};
use super::{hadoop, kind, text, wkb};

#[test]
fn types_are_trinos() {
    assert_eq!(type_of("st_point(1, 2)"), "Geometry");
    assert_eq!(type_of("to_spherical_geography(st_point(1, 2))"), "SphericalGeography");
    assert_eq!(type_of("bing_tiles_around(1, 2, 3)"), "array(BingTile)");
    assert_eq!(type_of("geometry_nearest_points(st_point(1, 2), st_point(1, 2))"), "row(Geometry, Geometry)");
    assert!(eval("st_x('POINT (1 2)')").starts_with("FUNCTION_NOT_FOUND: Unexpected parameters"));
    assert!(eval("st_point(1, 2) = st_point(1, 2)").starts_with("TYPE_MISMATCH: Cannot apply operator"));
}

#[test]
fn values_are_shown_as_text() {
    check(&[
        ("st_point(1, 2.5e0)", "POINT (1 2.5)"),
        ("ARRAY[st_point(1, 2)]", "[POINT (1 2)]"),
        ("st_point(NULL, 2)", "NULL"),
        ("bing_tile(3, 5, 6)", "BingTile{x=3, y=5, zoom_level=6}"),
    ]);
}

/// What the release that the goldens are recorded with doesn't have.
#[test]
fn nearest_points_and_geojson() {
    check(&[
        (
            "geometry_nearest_points(st_geometryfromtext('LINESTRING (0 0, 4 0)'), st_point(1, 3))",
            "{field0=POINT (1 0), field1=POINT (1 3)}",
        ),
        (
            "geometry_nearest_points(st_geometryfromtext('POLYGON ((0 0, 4 0, 4 4))'), st_point(3, 1))",
            "{field0=POINT (3 1), field1=POINT (3 1)}",
        ),
        (
            "geometry_nearest_points(st_geometryfromtext('MULTILINESTRING ((1 1, 5 1), (2 4, 4 4))'), \
             st_geometryfromtext('LINESTRING (10 20, 20 50)'))",
            "{field0=POINT (4 4), field1=POINT (10 20)}",
        ),
        (
            "geometry_nearest_points(st_geometryfromtext('POLYGON ((0 0, 0 4, 4 4, 4 0))'), \
             st_geometryfromtext('POLYGON ((2 2, 2 6, 6 6, 6 2))'))",
            "{field0=POINT (2 2), field1=POINT (2 2)}",
        ),
        (
            "geometry_nearest_points(st_geometryfromtext('POLYGON ((0 0, 0 9, 9 9, 9 0), (3 3, 3 6, 6 6, 6 3))'), \
             st_point(4, 4.5e0))",
            "{field0=POINT (3 4.5), field1=POINT (4 4.5)}",
        ),
        ("geometry_nearest_points(st_point(1, 3), st_geometryfromtext('POINT EMPTY'))", "NULL"),
        ("from_geojson_geometry('{\"type\":\"Point\",\"coordinates\":[1,2.5]}')", "POINT (1 2.5)"),
        (
            "to_geojson_geometry(to_spherical_geography(st_point(1, 2.5e0)))",
            "{\"type\":\"Point\",\"coordinates\":[1,2.5],\"crs\":{\"type\":\"name\",\"properties\":{\"name\":\"EPSG:0\"}}}",
        ),
    ]);
}

/// Trino's own have been right only since a later release.
#[test]
fn lines_have_their_middle_by_length() {
    check(&[
        ("st_centroid(st_geometryfromtext('LINESTRING (0 0, 3 0, 3 3)'))", "POINT (2.25 0.75)"),
        ("st_centroid(st_geometryfromtext('MULTILINESTRING ((1 1, 5 1), (2 4, 4 4))'))", "POINT (3 2)"),
    ]);
}

#[test]
fn empty_points_and_infinite_ones_do_no_harm() {
    check(&[
        ("st_contains(st_geometryfromtext('GEOMETRYCOLLECTION (POINT EMPTY, POINT (1 1))'), st_point(1, 1))", "true"),
        ("st_relate(st_point(1, 1), st_geometryfromtext('POINT EMPTY'), '*********')", "true"),
        ("st_touches(st_point(infinity(), 1), st_point(infinity(), 1))", "false"),
        (
            "st_union(st_point(infinity(), 1), st_point(1, 1))",
            "INVALID_FUNCTION_ARGUMENT: Coordinates have to be finite numbers",
        ),
        ("st_buffer(st_point(nan(), 1), 1e0)", "NULL"),
        ("st_relate(st_point(1, 1), st_point(1, 1), 'T')", "INVALID_FUNCTION_ARGUMENT: Invalid relation: T"),
    ]);
}

#[test]
fn decimals_stay_what_they_are_in_set_operations() {
    check(&[(
        "st_intersection(st_geometryfromtext('POLYGON ((0.1 0.1, 0.7 0.1, 0.7 0.7, 0.1 0.7))'), \
         st_geometryfromtext('POLYGON ((0.3 0.3, 0.9 0.3, 0.9 0.9, 0.3 0.9))'))",
        "POLYGON ((0.3 0.3, 0.7 0.3, 0.7 0.7, 0.3 0.7, 0.3 0.3))",
    )]);
}

proptest! {
    #[test]
    fn no_bytes_and_no_text_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80), words in "[A-Z(), 0-9.e-]{0,60}") {
        let _ = wkb::from_bytes(&bytes);
        let _ = hadoop::from_bytes(&bytes);
        let _ = text::from_text(&words);
    }

    #[test]
    fn geometries_come_back_from_bytes_and_text(
        points in proptest::collection::vec((-1e6..1e6_f64, -1e6..1e6_f64), 3..20),
        of in 0..4_usize,
    ) {
        let listed: Vec<_> = points.iter().map(|(x, y)| format!("{x} {y}")).collect();
        let listed = listed.join(", ");
        let written = match of {
            0 => format!("LINESTRING ({listed})"),
            1 => format!("MULTIPOINT ({listed})"),
            2 => format!("POLYGON (({listed}))"),
            _ => format!("GEOMETRYCOLLECTION (LINESTRING ({listed}), MULTIPOLYGON ((({listed}))))"),
        };
        let geometry = text::from_text(&written).unwrap();
        prop_assert_eq!(wkb::from_bytes(&wkb::to_bytes(&geometry)).unwrap(), geometry.clone());
        let mut shown = String::new();
        text::write(&mut shown, &geometry);
        prop_assert_eq!(text::from_text(&shown).unwrap(), geometry.clone());
        prop_assert!(kind::finite(&geometry).is_ok());
    }
}
