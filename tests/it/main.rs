//! Tests that need no server and no network.

mod advise;
mod house;
mod report;
mod sql_normalize;
mod workload;
