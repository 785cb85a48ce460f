//! Tests against a real PostgreSQL, which they start themselves. They fail when there is none.

mod cluster;
mod demo;
