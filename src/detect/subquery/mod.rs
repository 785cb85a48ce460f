//! Rules about subqueries, CTEs, set operations and windows.

pub(super) mod correlated;
pub(super) mod cte;
pub(super) mod fence;
pub(super) mod repeated;
pub(super) mod union;
pub(super) mod useless;
pub(super) mod window;
