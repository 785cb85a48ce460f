//! A migration: the DDL of one file that changes what other files made.

use super::Catalog;
use crate::{finding::Location, sql::ddl::Ddl};

/// The DDL of one file, in its order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Migration {
    pub file: String,
    pub steps: Vec<Step>,
    /// The tables that it changes as they were before it, as far as earlier files made them.
    pub before: Catalog,
}

/// One DDL statement of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub ddl: Ddl,
    pub at: Location,
    /// The number of the BEGIN … COMMIT around it.
    pub transaction: Option<u32>,
}
