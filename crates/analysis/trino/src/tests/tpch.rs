//! TPC-H's queries over a tiny lake.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Decimal128Array, Int32Array, Int64Array, RecordBatch, StringArray};

use super::fixture::Fixture;
use crate::catalog::Format;

/// A table: its name, its columns, and how many rows it has.
type Shape = (&'static str, &'static [(&'static str, &'static str)], i64);

const SHAPES: [Shape; 8] = [
    ("region", &[("r_regionkey", "bigint"), ("r_name", "varchar"), ("r_comment", "varchar")], 5),
    (
        "nation",
        &[("n_nationkey", "bigint"), ("n_name", "varchar"), ("n_regionkey", "bigint"), ("n_comment", "varchar")],
        25,
    ),
    (
        "supplier",
        &[
            ("s_suppkey", "bigint"),
            ("s_name", "varchar"),
            ("s_address", "varchar"),
            ("s_nationkey", "bigint"),
            ("s_phone", "varchar"),
            ("s_acctbal", "decimal(15,2)"),
            ("s_comment", "varchar"),
        ],
        40,
    ),
    (
        "customer",
        &[
            ("c_custkey", "bigint"),
            ("c_name", "varchar"),
            ("c_address", "varchar"),
            ("c_nationkey", "bigint"),
            ("c_phone", "varchar"),
            ("c_acctbal", "decimal(15,2)"),
            ("c_mktsegment", "varchar"),
            ("c_comment", "varchar"),
        ],
        120,
    ),
    (
        "part",
        &[
            ("p_partkey", "bigint"),
            ("p_name", "varchar"),
            ("p_mfgr", "varchar"),
            ("p_brand", "varchar"),
            ("p_type", "varchar"),
            ("p_size", "integer"),
            ("p_container", "varchar"),
            ("p_retailprice", "decimal(15,2)"),
            ("p_comment", "varchar"),
        ],
        100,
    ),
    (
        "partsupp",
        &[
            ("ps_partkey", "bigint"),
            ("ps_suppkey", "bigint"),
            ("ps_availqty", "integer"),
            ("ps_supplycost", "decimal(15,2)"),
            ("ps_comment", "varchar"),
        ],
        400,
    ),
    (
        "orders",
        &[
            ("o_orderkey", "bigint"),
            ("o_custkey", "bigint"),
            ("o_orderstatus", "varchar"),
            ("o_totalprice", "decimal(15,2)"),
            ("o_orderdate", "date"),
            ("o_orderpriority", "varchar"),
            ("o_clerk", "varchar"),
            ("o_shippriority", "integer"),
            ("o_comment", "varchar"),
        ],
        1500,
    ),
    (
        "lineitem",
        &[
            ("l_orderkey", "bigint"),
            ("l_partkey", "bigint"),
            ("l_suppkey", "bigint"),
            ("l_linenumber", "integer"),
            ("l_quantity", "decimal(15,2)"),
            ("l_extendedprice", "decimal(15,2)"),
            ("l_discount", "decimal(15,2)"),
            ("l_tax", "decimal(15,2)"),
            ("l_returnflag", "varchar"),
            ("l_linestatus", "varchar"),
            ("l_shipdate", "date"),
            ("l_commitdate", "date"),
            ("l_receiptdate", "date"),
            ("l_shipinstruct", "varchar"),
            ("l_shipmode", "varchar"),
            ("l_comment", "varchar"),
        ],
        6000,
    ),
];

/// A number that looks random and isn't.
fn noise(row: i64, column: usize) -> i64 {
    let mixed = (row as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add((column as u64 + 1) << 32);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) as i64 >> 33
}

fn pick(words: &[&str], noise: i64) -> String {
    words[noise.rem_euclid(words.len() as i64) as usize].to_owned()
}

fn text(name: &str, row: i64, noise: i64) -> String {
    let brand = |noise: i64| format!("Brand#{}{}", noise.rem_euclid(5) + 1, (noise / 5).rem_euclid(5) + 1);
    match name {
        "r_name" => pick(&["AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST"], row),
        "n_name" => pick(
            &["ALGERIA", "BRAZIL", "CHINA", "FRANCE", "IRAN", "KENYA", "CANADA", "INDIA", "GERMANY", "SAUDI ARABIA"],
            row,
        ),
        "c_mktsegment" => pick(&["BUILDING", "AUTOMOBILE", "MACHINERY"], noise),
        "c_phone" | "s_phone" => format!("{}-555", noise.rem_euclid(25) + 10),
        "p_name" => pick(&["green forest", "forest blue", "red tan"], noise),
        "p_brand" => brand(noise),
        "p_type" => pick(&["ECONOMY ANODIZED STEEL", "PROMO BRASS", "MEDIUM POLISHED TIN", "LARGE BRASS"], noise),
        "p_container" => pick(&["SM CASE", "MED BAG", "LG BOX", "MED BOX", "JUMBO PKG"], noise),
        "o_orderstatus" => pick(&["F", "O", "P"], noise),
        "o_orderpriority" => pick(&["1-URGENT", "2-HIGH", "5-LOW"], noise),
        "o_comment" => pick(&["special requests", "nothing", "more"], noise),
        "s_comment" => pick(&["Customer Complaints", "fine"], noise),
        "l_returnflag" => pick(&["A", "N", "R"], noise),
        "l_linestatus" => pick(&["O", "F"], noise),
        "l_shipinstruct" => pick(&["DELIVER IN PERSON", "NONE"], noise),
        "l_shipmode" => pick(&["AIR", "AIR REG", "MAIL", "SHIP", "TRUCK"], noise),
        other => format!("{other}#{row}"),
    }
}

fn number(name: &str, row: i64, noise: i64) -> i64 {
    match name {
        "r_regionkey" | "n_nationkey" => row,
        "s_suppkey" | "c_custkey" | "p_partkey" | "o_orderkey" => row + 1,
        "n_regionkey" => row % 5,
        "ps_partkey" => row / 4 + 1,
        "ps_suppkey" => (row / 4 + row % 4 * 10) % 40 + 1,
        "l_orderkey" => row / 4 + 1,
        "l_partkey" => noise.rem_euclid(100) + 1,
        "l_suppkey" => (noise.rem_euclid(100) + row % 4 * 10) % 40 + 1,
        "s_nationkey" | "c_nationkey" => noise.rem_euclid(25),
        "o_custkey" => noise.rem_euclid(90) + 1,
        "l_linenumber" => row % 4 + 1,
        "l_quantity" => (noise.rem_euclid(50) + 1) * 100,
        "l_discount" | "l_tax" => noise.rem_euclid(11),
        // Days from 1992 to 1998.
        "o_orderdate" | "l_shipdate" | "l_commitdate" | "l_receiptdate" => 8035 + noise.rem_euclid(2500),
        "p_size" => noise.rem_euclid(50) + 1,
        _ => noise.rem_euclid(1_000_000),
    }
}

fn column(index: usize, name: &str, ty: &str, rows: i64) -> ArrayRef {
    // Line items find their part and supplier together among the part's suppliers.
    let seed = if name == "l_suppkey" { 1 } else { index };
    let numbers = (0..rows).map(|row| number(name, row, noise(row, seed)));
    match ty {
        "varchar" => Arc::new((0..rows).map(|row| Some(text(name, row, noise(row, index)))).collect::<StringArray>()),
        "bigint" => Arc::new(Int64Array::from_iter_values(numbers)),
        "integer" => Arc::new(Int32Array::from_iter_values(numbers.map(|number| number as i32))),
        "date" => Arc::new(Date32Array::from_iter_values(numbers.map(|number| number as i32))),
        _ => {
            let values = Decimal128Array::from_iter_values(numbers.map(i128::from));
            Arc::new(values.with_precision_and_scale(15, 2).unwrap())
        }
    }
}

async fn lake() -> Fixture {
    let fixture = Fixture::new();
    for (table, columns, rows) in SHAPES {
        fixture.table(table, columns, &[], Format::Parquet);
        let arrays = columns.iter().enumerate().map(|(index, (name, ty))| (*name, column(index, name, ty, rows)));
        fixture.put_parquet(&format!("{table}/data"), &RecordBatch::try_from_iter(arrays).unwrap()).await;
    }
    fixture
}

macro_rules! queries {
    ($($number:literal)*) => {
        [$(($number, include_str!(concat!("../../../trino-parser/tests/tpch/q", $number, ".sql")))),*]
    };
}

#[tokio::test]
async fn all_queries_run() {
    let fixture = lake().await;
    let queries = queries!("01" "02" "03" "04" "05" "06" "07" "08" "09" "10" "11" "12" "13" "14" "15" "16" "17" "18" "19" "20" "21" "22");
    let mut failed = Vec::new();
    let mut counts = Vec::new();
    for (number, sql) in queries {
        match fixture.rows(sql).await {
            Ok(rows) => counts.push((number, rows.len())),
            Err(error) => failed.push(format!("q{number}: {error}")),
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    let empty: Vec<_> = counts.iter().filter(|(_, rows)| *rows == 0).map(|(number, _)| *number).collect();
    // The big orders of q18 don't occur in so small a lake, nor do some joins of rare values.
    assert!(empty.len() <= 6, "no rows in {empty:?}");
}

#[tokio::test]
async fn sums_agree_with_a_count_by_hand() {
    let fixture = lake().await;
    let rows =
        fixture.rows("SELECT sum(l_quantity), count(*) FROM lineitem WHERE l_discount BETWEEN 0.05 AND 0.07").await;
    let chosen = (0..6000_i64).filter(|row| (5..=7).contains(&number("l_discount", *row, noise(*row, 6))));
    let (sum, count) =
        chosen.fold((0, 0), |(sum, count), row| (sum + number("l_quantity", row, noise(row, 4)), count + 1));
    assert_eq!(rows.unwrap(), [format!("{}.{:02}|{count}", sum / 100, sum % 100)]);
}
