//! Tests that need no server and no network.

mod advise;
mod events;
mod house;
mod logs;
mod report;
mod rules;
mod sql_normalize;
mod workload;
