//! The command line: one file a subcommand, each wires the spine once.

pub mod demo;
