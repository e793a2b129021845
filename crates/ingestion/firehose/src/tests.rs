//! Tests with stores of their own.
