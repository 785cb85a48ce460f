//! Tests against a real PostgreSQL, which they start themselves. They fail when there is none.

mod advise;
mod analyze;
mod append_only;
mod assumed;
mod attack;
mod catalog;
mod cluster;
mod connect;
mod demo;
mod existing;
mod explain;
mod explain_page;
mod explain_what_if;
mod expressions;
mod gate;
mod harness;
mod killed;
mod mistakes;
mod ordinary;
mod percentiles;
mod snapshot;
mod snapshot_files;
mod tls;
mod unused;
mod verify;
mod what_if;
