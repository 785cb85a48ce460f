//! Tests that need no server and no network.

mod advise;
mod cli;
mod docs;
mod events;
mod house;
mod log_limits;
mod logs;
mod n_plus_one_labelled;
mod plans;
mod report;
mod rules;
mod sources;
mod sql_normalize;
mod sql_shape;
mod sql_split;
mod workload;
