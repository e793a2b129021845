//! Functions of maps.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StructArray, UInt32Array};
use arrow::compute::{concat, take};
use arrow::datatypes::{DataType, Int64Type};

use super::Table;
use super::elements::{Pool, check_keys, keys};
use super::support::{Computed, list, map, nulls, primitives};
use crate::error::TrinoError;
use crate::kernel::Call;
use crate::operators::map_positions;
use crate::types::Type;

pub(crate) fn register(table: &mut Table) {
    table.kernel("map() -> map(unknown, unknown)", "An empty map.", empty);
    table.kernel(
        "map(array(K), array(V)) -> map(K, V) where K:comparable",
        "The map from an array of keys and one of values.",
        map_of,
    );
    table.kernel(
        "map_from_entries(array(row(K, V))) -> map(K, V) where K:comparable",
        "The map from rows of key and value.",
        map_from_entries,
    );
    table.kernel(
        "multimap_from_entries(array(row(K, V))) -> map(K, array(V)) where K:comparable",
        "The map from rows of key and value, with all values of a key.",
        multimap_from_entries,
    );
    table.kernel(
        "array_histogram(array(K)) -> map(K, bigint) where K:comparable",
        "How often each element occurs that isn't NULL.",
        array_histogram,
    );
    table.kernel("map_entries(map(K, V)) -> array(row(K, V))", "The map's entries as rows.", map_entries);
    table.kernel("map_keys(map(K, V)) -> array(K)", "The map's keys.", |call| column(call, 0));
    table.kernel("map_values(map(K, V)) -> array(V)", "The map's values.", |call| column(call, 1));
    table.kernel(
        "map_concat(map(K, V), map(K, V)...) -> map(K, V)",
        "The entries of all maps; the last one wins where several have a key.",
        map_concat,
    );
    table.kernel("cardinality(map(K, V)) -> bigint", "The number of entries.", |call| {
        let array = call.array(0)?;
        let offsets = array.as_map().offsets().clone();
        primitives::<Int64Type>(call, |row| Ok(Some((offsets[row + 1] - offsets[row]).into())))
    });
    table.kernel("element_at(map(K, V), K) -> V", "The value of a key; NULL if there is none.", |call| {
        let (array, wanted) = (call.array(0)?, call.array(1)?);
        Ok(take(array.as_map().values(), &map_positions(array.as_map(), &wanted)?, None)?)
    });
}

fn empty(call: &Call<'_>) -> Computed {
    let none = || arrow::array::new_empty_array(&DataType::Null);
    map(none(), none(), vec![0; call.rows], None)
}

fn types_of<'a>(call: &Call<'a>) -> Result<(&'a Type, &'a Type), TrinoError> {
    match call.result {
        Type::Map(key, value) => Ok((key, value)),
        other => Err(TrinoError::internal(format!("a map came as {other}"))),
    }
}

fn map_of(call: &Call<'_>) -> Computed {
    let (first, second) = (Pool::new(call, 0..1)?, Pool::new(call, 1..2)?);
    let nulls = nulls(call)?;
    let (mut chosen, mut values, mut lengths) = (Vec::new(), Vec::new(), Vec::with_capacity(call.rows));
    for row in 0..call.rows {
        let (left, right) = (first.range(0, row), second.range(0, row));
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            lengths.push(0);
            continue;
        }
        if left.len() != right.len() {
            return Err(TrinoError::invalid("Key and value arrays must be the same length"));
        }
        lengths.push(left.len());
        chosen.extend(left.map(|index| index as u32));
        values.extend(right.map(|index| index as u32));
    }
    let chosen = take(&first.values, &UInt32Array::from(chosen), None)?;
    check_keys(&chosen, types_of(call)?.0, &lengths, "Duplicate map keys")?;
    map(chosen, take(&second.values, &UInt32Array::from(values), None)?, lengths, nulls)
}

/// The rows of an array argument, row after row; none may be NULL.
fn entries(call: &Call<'_>) -> Result<(ArrayRef, ArrayRef, Vec<usize>), TrinoError> {
    let pool = Pool::new(call, 0..1)?;
    let flat = pool.flat(0);
    let rows = take(&pool.values, &flat.elements, None)?;
    if rows.logical_null_count() > 0 {
        return Err(TrinoError::invalid("map entry cannot be null"));
    }
    let rows = rows.as_struct();
    Ok((Arc::clone(rows.column(0)), Arc::clone(rows.column(1)), flat.lengths))
}

fn map_from_entries(call: &Call<'_>) -> Computed {
    let (entry_keys, values, lengths) = entries(call)?;
    check_keys(&entry_keys, types_of(call)?.0, &lengths, "Duplicate map keys")?;
    map(entry_keys, values, lengths, nulls(call)?)
}

fn multimap_from_entries(call: &Call<'_>) -> Computed {
    let (entry_keys, values, lengths) = entries(call)?;
    if entry_keys.logical_null_count() > 0 {
        return Err(TrinoError::invalid("map key cannot be null"));
    }
    let order = keys(&entry_keys, types_of(call)?.0)?;
    let (mut chosen, mut grouped, mut counts) = (Vec::new(), Vec::new(), Vec::new());
    let (mut sizes, mut next) = (Vec::with_capacity(call.rows), 0);
    for length in lengths {
        let before = chosen.len();
        let mut groups: HashMap<_, usize> = HashMap::new();
        let mut members: Vec<Vec<u32>> = Vec::new();
        for index in next..next + length {
            let group = *groups.entry(order.row(index)).or_insert_with(|| {
                chosen.push(index as u32);
                members.push(Vec::new());
                members.len() - 1
            });
            members[group].push(index as u32);
        }
        counts.extend(members.iter().map(Vec::len));
        grouped.extend(members.into_iter().flatten());
        sizes.push(chosen.len() - before);
        next += length;
    }
    let arrays = list(take(&values, &UInt32Array::from(grouped), None)?, counts, None)?;
    map(take(&entry_keys, &UInt32Array::from(chosen), None)?, arrays, sizes, nulls(call)?)
}

fn array_histogram(call: &Call<'_>) -> Computed {
    let (pool, nulls) = (Pool::new(call, 0..1)?, nulls(call)?);
    let order = keys(&pool.values, types_of(call)?.0)?;
    let (mut chosen, mut counts, mut lengths) = (Vec::new(), Vec::<i64>::new(), Vec::with_capacity(call.rows));
    for row in 0..call.rows {
        let before = chosen.len();
        let mut places = HashMap::new();
        for index in pool.range(0, row).filter(|index| pool.values.is_valid(*index)) {
            let place = *places.entry(order.row(index)).or_insert(chosen.len());
            if place == chosen.len() {
                chosen.push(index as u32);
                counts.push(0);
            }
            counts[place] += 1;
        }
        lengths.push(chosen.len() - before);
    }
    let chosen = take(&pool.values, &UInt32Array::from(chosen), None)?;
    map(chosen, Arc::new(Int64Array::from(counts)), lengths, nulls)
}

/// The entries of all rows that are not NULL, and how many each row has.
fn flat(call: &Call<'_>, index: usize) -> Result<(UInt32Array, Vec<usize>, ArrayRef), TrinoError> {
    let array = call.array(index)?;
    let maps = array.as_map();
    let (mut entries, mut lengths) = (Vec::new(), Vec::with_capacity(call.rows));
    for row in 0..maps.len() {
        let before = entries.len();
        if maps.is_valid(row) {
            entries.extend(maps.value_offsets()[row] as u32..maps.value_offsets()[row + 1] as u32);
        }
        lengths.push(entries.len() - before);
    }
    Ok((UInt32Array::from(entries), lengths, array))
}

fn column(call: &Call<'_>, column: usize) -> Computed {
    let (entries, lengths, array) = flat(call, 0)?;
    list(take(array.as_map().entries().column(column), &entries, None)?, lengths, nulls(call)?)
}

fn map_entries(call: &Call<'_>) -> Computed {
    let (entries, lengths, array) = flat(call, 0)?;
    let maps = array.as_map();
    let columns = vec![take(maps.keys(), &entries, None)?, take(maps.values(), &entries, None)?];
    let DataType::List(field) = call.result.to_arrow() else {
        return Err(TrinoError::internal("map_entries gives an array"));
    };
    let DataType::Struct(fields) = field.data_type() else {
        return Err(TrinoError::internal("map_entries gives rows"));
    };
    list(Arc::new(StructArray::try_new(fields.clone(), columns, None)?), lengths, nulls(call)?)
}

/// A key takes its last value; the keys of later maps come first.
fn map_concat(call: &Call<'_>) -> Computed {
    let arrays = (0..call.len()).map(|index| call.array(index)).collect::<Result<Vec<_>, _>>()?;
    let maps: Vec<_> = arrays.iter().map(|array| array.as_map()).collect();
    let all_keys = concat(&maps.iter().map(|map| map.keys().as_ref()).collect::<Vec<_>>())?;
    let all_values = concat(&maps.iter().map(|map| map.values().as_ref()).collect::<Vec<_>>())?;
    let (order, nulls) = (keys(&all_keys, types_of(call)?.0)?, nulls(call)?);
    let (mut chosen, mut lengths) = (Vec::new(), Vec::with_capacity(call.rows));
    for row in 0..call.rows {
        let before = chosen.len();
        let valid = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
        let mut taken = HashSet::new();
        let mut base = all_keys.len();
        for map in maps.iter().rev() {
            base -= map.keys().len();
            let range = map.value_offsets()[row] as usize..map.value_offsets()[row + 1] as usize;
            let indices = range.filter(|_| valid).map(|index| base + index);
            chosen.extend(indices.filter(|index| taken.insert(order.row(*index))).map(|index| index as u32));
        }
        lengths.push(chosen.len() - before);
    }
    let chosen = UInt32Array::from(chosen);
    map(take(&all_keys, &chosen, None)?, take(&all_values, &chosen, None)?, lengths, nulls)
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, type_of};

    #[test]
    fn making() {
        check(&[
            ("map()", "{}"),
            ("map(ARRAY[1, 2], ARRAY['a', NULL])", "{1=a, 2=null}"),
            ("map(NULL, ARRAY[1])", "NULL"),
            ("map(ARRAY[1], ARRAY[1, 2])", "INVALID_FUNCTION_ARGUMENT: Key and value arrays must be the same length"),
            ("map(ARRAY[1, 1], ARRAY[1, 2])", "INVALID_FUNCTION_ARGUMENT: Duplicate map keys (1) are not allowed"),
            ("map(ARRAY[1, NULL], ARRAY[1, 2])", "INVALID_FUNCTION_ARGUMENT: map key cannot be null"),
            ("map_from_entries(ARRAY[ROW(1, 'x'), ROW(2, 'y')])", "{1=x, 2=y}"),
            (
                "map_from_entries(ARRAY[ROW(1, 'x'), ROW(1, 'y')])",
                "INVALID_FUNCTION_ARGUMENT: Duplicate map keys (1) are not allowed",
            ),
            ("array_histogram(ARRAY['a', 'b', NULL, 'a'])", "{a=2, b=1}"),
            ("multimap_from_entries(ARRAY[ROW(1, 'x'), ROW(2, 'y'), ROW(1, 'z')])", "{1=[x, z], 2=[y]}"),
        ]);
        assert_eq!(type_of("map(ARRAY[1], ARRAY[true])"), "map(integer, boolean)");
    }

    #[test]
    fn reading() {
        let map = "map(ARRAY['a', 'b'], ARRAY[1, NULL])";
        for (call, expected) in [
            ("map_keys(?)", "[a, b]"),
            ("map_values(?)", "[1, null]"),
            ("map_entries(?)", "[{field0=a, field1=1}, {field0=b, field1=null}]"),
            ("cardinality(?)", "2"),
            ("element_at(?, 'a')", "1"),
            ("element_at(?, 'b')", "NULL"),
            ("element_at(?, 'x')", "NULL"),
            ("map_concat(?, map(ARRAY['c', 'a'], ARRAY[3, 4]))", "{c=3, a=4, b=null}"),
            ("map_keys(CAST(NULL AS map(varchar, bigint)))", "NULL"),
        ] {
            check(&[(&call.replace('?', map), expected)]);
        }
    }
}
