//! What a query can ask about the engine and about whom it runs for.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::lit;

use super::Table;
use crate::types::Type;

pub(crate) fn register(table: &mut Table) {
    table.expression("version() -> varchar", "The engine's version.", |_, _| Ok(lit(env!("CARGO_PKG_VERSION"))));
    let groups = "The groups of whom the query runs for: none, since roles and users of IAM bring none along.";
    table.expression("current_groups() -> array(varchar)", groups, |_, _| {
        Ok(lit(ScalarValue::List(ScalarValue::new_list_nullable(&[], &Type::VARCHAR.to_arrow()))))
    });
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{check, type_of};

    #[test]
    fn the_session_is_known() {
        check(&[("current_groups()", "[]")]);
        assert_eq!(type_of("version()"), "varchar");
    }
}
