//! Queries over Parquet, from the simple to the nested.

use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch, StringArray};

use super::fixture::Fixture;
use crate::catalog::Format;

async fn fixture() -> Fixture {
    let fixture = Fixture::new();
    fixture.table("t", &[("a", "varchar"), ("b", "bigint")], &[], Format::Parquet);
    let a = StringArray::from(vec![Some("x"), Some("y"), Some("x"), None, Some("z")]);
    let b = Int64Array::from(vec![Some(1), Some(2), Some(3), Some(4), None]);
    let batch = RecordBatch::try_from_iter([("A", Arc::new(a) as _), ("b", Arc::new(b) as _)]).unwrap();
    fixture.put_parquet("t/part-0.parquet", &batch).await;
    fixture.put("t/_SUCCESS", "x").await;
    fixture
}

#[tokio::test]
async fn the_first_slice() {
    let fixture = fixture().await;
    let sql = "SELECT a, count(*) FROM t WHERE b >= 1 GROUP BY a ORDER BY 2 DESC, a LIMIT 5";
    assert_eq!(fixture.rows(sql).await.unwrap(), ["x|2", "y|1", "NULL|1"]);
}
