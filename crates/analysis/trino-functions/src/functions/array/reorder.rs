//! The same elements, or some of them, in another order.

use std::cmp::Ordering;
use std::collections::HashSet;

use arrow::array::Array;
use rand::seq::SliceRandom;

use super::super::Table;
use super::super::elements::{Pool, choose, keys};
use super::super::support::Computed;
use super::search::element_type;
use crate::error::TrinoError;
use crate::kernel::Call;
use crate::operators::nested::{Pair, is_nested};

pub(super) fn register(table: &mut Table) {
    table.kernel("reverse(array(E)) -> array(E)", "The elements in reverse order.", reverse);
    table.kernel("shuffle(array(E)) -> array(E)", "The elements in random order.", shuffle).volatile();
    table.kernel("array_sort(array(E)) -> array(E) where E:orderable", "The elements in order, NULLs last.", sort);
    table.kernel("array_distinct(array(E)) -> array(E) where E:comparable", "Each element once.", distinct);
    table.kernel(
        "array_union(array(E), array(E)) -> array(E) where E:comparable",
        "The elements of both arrays, each once.",
        union,
    );
    table.kernel(
        "array_intersect(array(E), array(E)) -> array(E) where E:comparable",
        "The elements that both arrays have, each once.",
        |call| filter(call, true),
    );
    table.kernel(
        "array_except(array(E), array(E)) -> array(E) where E:comparable",
        "The elements of the first array that the second one doesn't have, each once.",
        |call| filter(call, false),
    );
}

fn reverse(call: &Call<'_>) -> Computed {
    let pool = Pool::new(call, 0..1)?;
    choose(call, &pool, |row, chosen| {
        chosen.extend(pool.range(0, row).rev().map(|index| Some(index as u32)));
        Ok(())
    })
}

fn shuffle(call: &Call<'_>) -> Computed {
    let (pool, mut generator) = (Pool::new(call, 0..1)?, rand::rng());
    choose(call, &pool, |row, chosen| {
        let before = chosen.len();
        chosen.extend(pool.range(0, row).map(|index| Some(index as u32)));
        chosen[before..].shuffle(&mut generator);
        Ok(())
    })
}

fn sort(call: &Call<'_>) -> Computed {
    let pool = Pool::new(call, 0..1)?;
    let ty = element_type(call)?;
    let elements = keys(&pool.values, ty)?;
    let pair = if is_nested(ty) { Some(Pair::new(&pool.values, &pool.values, ty)?) } else { None };
    let mut order = Vec::new();
    choose(call, &pool, |row, chosen| {
        order.clear();
        order.extend(pool.range(0, row));
        match &pair {
            Some(pair) => sort_nested(&mut order, pair, &pool)?,
            None => order.sort_by_key(|index| (pool.values.is_null(*index), elements.row(*index))),
        }
        chosen.extend(order.iter().map(|index| Some(*index as u32)));
        Ok(())
    })
}

/// Elements that hold others may have no order among each other.
fn sort_nested(order: &mut [usize], pair: &Pair, pool: &Pool) -> Result<(), TrinoError> {
    let mut refused = None;
    order.sort_by(|left, right| match pair.order(*left, *right) {
        Ok(Some(order)) => order,
        Ok(None) => pool.values.is_null(*left).cmp(&pool.values.is_null(*right)),
        Err(error) => {
            refused.get_or_insert(error);
            Ordering::Equal
        }
    });
    refused.map_or(Ok(()), Err)
}

fn distinct(call: &Call<'_>) -> Computed {
    let pool = Pool::new(call, 0..1)?;
    let elements = keys(&pool.values, element_type(call)?)?;
    choose(call, &pool, |row, chosen| {
        let mut seen = HashSet::new();
        chosen.extend(
            pool.range(0, row).filter(|index| seen.insert(elements.row(*index))).map(|index| Some(index as u32)),
        );
        Ok(())
    })
}

fn union(call: &Call<'_>) -> Computed {
    let pool = Pool::new(call, 0..2)?;
    let elements = keys(&pool.values, element_type(call)?)?;
    choose(call, &pool, |row, chosen| {
        let mut seen = HashSet::new();
        let all = pool.range(0, row).chain(pool.range(1, row));
        chosen.extend(all.filter(|index| seen.insert(elements.row(*index))).map(|index| Some(index as u32)));
        Ok(())
    })
}

fn filter(call: &Call<'_>, common: bool) -> Computed {
    let pool = Pool::new(call, 0..2)?;
    let elements = keys(&pool.values, element_type(call)?)?;
    choose(call, &pool, |row, chosen| {
        let second: HashSet<_> = pool.range(1, row).map(|index| elements.row(index)).collect();
        let mut seen = HashSet::new();
        for index in pool.range(0, row) {
            let key = elements.row(index);
            if second.contains(&key) == common && seen.insert(key) {
                chosen.push(Some(index as u32));
            }
        }
        Ok(())
    })
}
