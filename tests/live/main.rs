//! Tests against a real PostgreSQL, which they start themselves. They fail when there is none.

mod connect;
mod harness;
