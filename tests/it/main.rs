//! Tests that need no server and no network.

mod house;
mod plans;
mod sql_normalize;
mod sql_shape;
mod sql_split;
