//! How two geometries lie to each other ("Dimensionally Extended 9-Intersection Model").

use geo::coordinate_position::{CoordPos, CoordinatePosition};
use geo::relate::IntersectionMatrix;
use geo::{Geometry, Rect, Relate};

use super::super::Table;
use super::super::support::{Computed, text, truths};
use super::kind::{envelope, filled, is_empty};
use super::values::geometries;
use crate::error::TrinoError;
use crate::kernel::{Call, Kernel};

pub(super) fn register(table: &mut Table) {
    let relations: [(_, _, Kernel); 8] = [
        ("st_contains(geometry, geometry) -> boolean", "Whether the second lies in the first.", |call| {
            related(call, contains)
        }),
        ("st_crosses(geometry, geometry) -> boolean", "Whether they cross each other.", |call| {
            related(call, |left, right| meets(left, right, IntersectionMatrix::is_crosses))
        }),
        ("st_disjoint(geometry, geometry) -> boolean", "Whether they have no point in common.", |call| {
            related(call, |left, right| !intersects(left, right))
        }),
        ("st_equals(geometry, geometry) -> boolean", "Whether they are the same points.", |call| related(call, equals)),
        ("st_intersects(geometry, geometry) -> boolean", "Whether they have a point in common.", |call| {
            related(call, intersects)
        }),
        ("st_overlaps(geometry, geometry) -> boolean", "Whether they share a part of their own kind.", |call| {
            related(call, |left, right| meets(left, right, IntersectionMatrix::is_overlaps))
        }),
        ("st_touches(geometry, geometry) -> boolean", "Whether only their borders meet.", |call| {
            related(call, |left, right| meets(left, right, IntersectionMatrix::is_touches))
        }),
        ("st_within(geometry, geometry) -> boolean", "Whether the first lies in the second.", |call| {
            related(call, |left, right| contains(right, left))
        }),
    ];
    for (signature, description, kernel) in relations {
        table.kernel(signature, description, kernel);
    }
    let matrix = "Whether inside, border and outside of both meet as a matrix of nine letters says.";
    table.kernel("st_relate(geometry, geometry, varchar) -> boolean", matrix, |call| {
        let (left, right, matrices) = (geometries(call, 0)?, geometries(call, 1)?, text(call, 2)?);
        truths(call, |row| {
            let (left, right) = (left.at(row)?, right.at(row)?);
            let matrix = filled(&left).relate(&*filled(&right));
            let said = matrix.matches(matrices.value(row));
            said.map(Some).map_err(|_| TrinoError::invalid(format!("Invalid relation: {}", matrices.value(row))))
        })
    });
}

fn related(call: &Call<'_>, relation: impl Fn(&Geometry, &Geometry) -> bool) -> Computed {
    let (left, right) = (geometries(call, 0)?, geometries(call, 1)?);
    truths(call, |row| Ok(Some(relation(&*left.at(row)?, &*right.at(row)?))))
}

/// Whether the rectangles around both meet, without which nothing else does.
fn near(left: &Geometry, right: &Geometry) -> bool {
    let meet = |left: Rect, right: Rect| {
        left.min().x <= right.max().x
            && right.min().x <= left.max().x
            && left.min().y <= right.max().y
            && right.min().y <= left.max().y
    };
    envelope(left).zip(envelope(right)).is_some_and(|(left, right)| meet(left, right))
}

fn meets(left: &Geometry, right: &Geometry, relation: fn(&IntersectionMatrix) -> bool) -> bool {
    near(left, right) && relation(&filled(left).relate(&*filled(right)))
}

fn contains(left: &Geometry, right: &Geometry) -> bool {
    match (left, right) {
        // What joins ask for most often needs no matrix.
        (_, Geometry::Point(_)) if is_empty(right) => false,
        (Geometry::Polygon(polygon), Geometry::Point(point)) => {
            polygon.coordinate_position(&point.0) == CoordPos::Inside
        }
        (Geometry::MultiPolygon(polygons), Geometry::Point(point)) => {
            polygons.coordinate_position(&point.0) == CoordPos::Inside
        }
        _ => meets(left, right, IntersectionMatrix::is_contains),
    }
}

/// Whether they have a point in common.
pub(super) fn intersects(left: &Geometry, right: &Geometry) -> bool {
    near(left, right) && geo::Intersects::intersects(&*filled(left), &*filled(right))
}

fn equals(left: &Geometry, right: &Geometry) -> bool {
    match (is_empty(left), is_empty(right)) {
        (false, false) => near(left, right) && filled(left).relate(&*filled(right)).is_equal_topo(),
        _ => false,
    }
}
