//! Tests that need no server and no network.

mod advise;
mod house;
