//! Tests against a real PostgreSQL, which they start themselves. They fail when there is none.

mod catalog;
mod cluster;
mod connect;
mod demo;
mod harness;
