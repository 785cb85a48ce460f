//! Rules about joins: what joins on nothing that serves, what joins more than it needs, and what
//! multiplies rows.

pub(super) mod conditions;
pub(super) mod fan_out;
pub(super) mod outer;
pub(super) mod same_table;
