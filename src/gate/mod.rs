//! The plan gate: the plans that a repository's queries have, in a file that is reviewed like code, and what became
//! worse since.
//!
//! ```text
//! Plan ─▶ outline (EXPLAIN's text, no literal) ─▶ Lock (`sargable.plans`) ─┐
//! Plan ─▶ outline ───────────────────────────────────────────────────────┴▶ judge ─▶ Verdict
//! ```
//!
//! A plan is kept as EXPLAIN would print it, with `?` for every constant: a person reads it in a diff, and we read it
//! again as any other plan. Deliberately absent: times. They are no property of a plan.

mod basis;
mod judge;
mod outline;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use basis::{TableBasis, basis, full_name};
pub use judge::{Checked, Limits, Regression, State, Verdict, judge};
pub use outline::outline;

use crate::{error::Error, yaml};

/// The version of the file's form; a file with a greater one is refused.
pub const FORMAT: u32 = 1;

/// What the file begins with, for whoever opens it.
const HEAD: &str =
    "# The plan of each query. Written by `sargable plans lock`, held by `sargable plans check`.\n";

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// [`FORMAT`].
    pub plans: u32,
    pub server: ServerBasis,
    /// The tables that the queries name, as `schema.table`.
    #[serde(default)]
    pub tables: BTreeMap<String, TableBasis>,
    /// By fingerprint.
    #[serde(default)]
    pub queries: Vec<Locked>,
}

/// What the plans depend on besides the tables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerBasis {
    /// `server_version_num`, of production.
    pub version: u32,
    /// The major version that made the plans; another one than production's where that was not to be had.
    pub planned_by: u32,
    /// Those that the planner reads, in `pg_settings`' own units.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
}

/// One query with its plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// The fingerprint.
    pub query: String,
    /// The files that it stands in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// Normalised: no constants.
    pub sql: String,
    /// As they are called in [`Lock::tables`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<String>,
    /// Why somebody took a plan that was worse than the one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<String>,
    /// As EXPLAIN prints it.
    pub plan: String,
}

impl Lock {
    /// Reads the file. `path` is named in errors.
    ///
    /// # Errors
    /// [`Error::Config`] or [`Error::Usage`] for a text that is no such file.
    pub fn parse(path: &str, text: &str) -> Result<Lock, Error> {
        let hint = || Some(format!("write a new one with `sargable plans lock --file {path}`"));
        let lock: Lock = yaml::read(text).map_err(|refused| {
            let place = refused.place.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default();
            Error::Config { place: format!("{path}{place}"), message: refused.message, hint: hint() }
        })?;
        if lock.plans > FORMAT {
            return Err(Error::Usage {
                what: format!("{path} has form {}, and this version reads up to {FORMAT}", lock.plans),
                hint: hint(),
            });
        }
        Ok(lock)
    }

    /// The text of the file.
    pub fn render(&self) -> String {
        format!("{HEAD}{}", yaml::write(self))
    }

    /// The entry of a query.
    pub fn query(&self, id: &str) -> Option<&Locked> {
        self.queries.iter().find(|locked| locked.query == id)
    }
}
