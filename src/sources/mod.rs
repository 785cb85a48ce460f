//! TBD

pub mod ddl;
