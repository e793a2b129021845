use super::Table;

pub(crate) fn register(_: &mut Table) {}
