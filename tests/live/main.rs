//! Tests against a real PostgreSQL, which they start themselves. They fail when there is none.

mod advise;
mod analyze;
mod catalog;
mod cluster;
mod connect;
mod demo;
mod explain;
mod harness;
mod what_if;
