//! Tests against a real PostgreSQL, which they start themselves. They fail when there is none.

mod catalog;
mod connect;
mod explain;
mod harness;
mod what_if;
