//! Tests that need no server and no network.

mod docs;
mod house;
mod report;
mod sql_normalize;
mod workload;
