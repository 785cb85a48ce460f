//! Tests that need no server and no network.

mod house;
mod report;
mod rules;
mod sql_normalize;
mod sql_shape;
mod sql_split;
mod workload;
