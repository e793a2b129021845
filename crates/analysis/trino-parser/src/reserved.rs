//! Words that are no identifiers without quotes.

use crate::lexer::Dialect;

/// Trino's ("Keywords and identifiers").
const TRINO: &str = " ALTER AND AS BETWEEN BY CASE CAST CONSTRAINT CREATE CROSS CUBE CURRENT_CATALOG CURRENT_DATE \
    CURRENT_PATH CURRENT_ROLE CURRENT_SCHEMA CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER DEALLOCATE DELETE DESCRIBE \
    DISTINCT DROP ELSE END ESCAPE EXCEPT EXECUTE EXISTS EXTRACT FALSE FOR FROM FULL GROUP GROUPING HAVING IN INNER INSERT \
    INTERSECT INTO IS JOIN JSON_ARRAY JSON_EXISTS JSON_OBJECT JSON_QUERY JSON_TABLE JSON_VALUE LEFT LIKE LISTAGG \
    LOCALTIME LOCALTIMESTAMP NATURAL NORMALIZE NOT NULL ON OR ORDER OUTER PREPARE RECURSIVE RIGHT ROLLUP SELECT SKIP \
    TABLE THEN TRIM TRUE UESCAPE UNION UNNEST USING VALUES WHEN WHERE WITH ";

/// Hive's, which Athena's DDL inherits. DATE and TIMESTAMP are column names in too many tables; as Hive 1 did, they pass.
const HIVE: &str = " ALL ALTER AND ARRAY AS AUTHORIZATION BETWEEN BOTH BY CASE CAST CHAR COLUMN CONF CREATE CROSS CUBE \
    CURRENT CURRENT_DATE CURRENT_TIMESTAMP CURSOR DATABASE DELETE DESCRIBE DISTINCT DROP ELSE END EXCHANGE EXISTS EXTENDED \
    EXTERNAL FALSE FETCH FOLLOWING FOR FROM FULL FUNCTION GRANT GROUP GROUPING HAVING IF IMPORT IN INNER INSERT INTERSECT \
    INTERVAL INTO IS JOIN LATERAL LEFT LESS LIKE LOCAL MACRO MAP MORE NONE NOT NULL OF ON OR ORDER OUT OUTER OVER \
    PARTIALSCAN PARTITION PERCENT PRECEDING PRESERVE PROCEDURE RANGE READS REDUCE REVOKE RIGHT ROLLUP ROW ROWS SELECT SET \
    TABLE TABLESAMPLE THEN TO TRANSFORM TRIGGER TRUE TRUNCATE UNBOUNDED UNION UNIQUEJOIN UPDATE USER USING VALUES WHEN \
    WHERE WINDOW WITH ";

/// Words that mean something else than a name in some places, so that a name printed there needs quotes.
const SPECIAL: &str = " ALL ANY ARRAY AUTO BOTH CURRENT DOUBLE FORMATTED IGNORE INTERVAL KEY LATERAL LEADING DESCRIPTOR PARTITION \
    PERMUTE POSITION RANGE RESPECT RETURNING ROW ROWS GROUPS SOME SUBSTRING TIME TIMESTAMP TRAILING TRY_CAST UNBOUNDED VALUE ";

pub(crate) fn is_reserved(dialect: Dialect, word: &str) -> bool {
    contains(if dialect == Dialect::Trino { TRINO } else { HIVE }, word)
}

/// Whether a name of the tree prints as it is.
pub(crate) fn is_plain(dialect: Dialect, name: &str) -> bool {
    is_regular(name) && !is_reserved(dialect, name) && !contains(SPECIAL, name)
}

/// Whether a name has only the letters that names without quotes have.
pub(crate) fn is_regular(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

fn contains(words: &str, word: &str) -> bool {
    words.split_ascii_whitespace().any(|one| one.eq_ignore_ascii_case(word))
}
