//! boathouse.
fn main() {}
