//! Tests that need no server and no network.

mod advise;
mod house;
mod sql_normalize;
mod sql_shape;
mod sql_split;
