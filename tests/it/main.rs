//! Tests that need no server and no network.

mod house;
mod workload;
