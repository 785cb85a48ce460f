//! TBD

pub mod raw;
