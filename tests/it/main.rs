//! Tests that need no server and no network.

mod advise;
mod applog_django;
mod applog_formats;
mod applog_node;
mod applog_sqlalchemy;
mod cli;
mod compressed;
mod digest;
mod docs;
mod envelopes;
mod events;
mod follow;
mod house;
mod incidents;
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
mod statistics;
mod workload;
