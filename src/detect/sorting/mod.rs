//! Rules about DISTINCT, aggregates and ORDER BY.

pub(super) mod distinct;
pub(super) mod order;
pub(super) mod two_tables;
