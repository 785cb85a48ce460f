//! Rules: YAML files of words, thresholds and examples, each with the detector that applies it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::finding::{Code, Severity};

/// One file of `rules/`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub code: Code,
    /// The pattern, readable after "allow"; also the file's name.
    pub name: String,
    /// The function of `detect` that applies it.
    pub detector: String,
    pub severity: Severity,
    /// What it cannot do without.
    pub needs: Vec<Needs>,
    /// Thresholds by name.
    #[serde(default)]
    pub params: BTreeMap<String, Param>,
    pub title: String,
    pub why: String,
    pub instead: String,
    pub references: Vec<String>,
    pub examples: Examples,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Needs {
    Statement,
    Catalog,
    Plan,
    Workload,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Param {
    pub default: f64,
    /// `rows`, `bytes`, `ms`, `percent`, `times` …
    pub unit: String,
    /// Why this value.
    pub why: String,
}

/// Executed by the tests: each bad one must give exactly its `because`, each good one nothing.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Examples {
    pub bad: Vec<Example>,
    pub good: Vec<Example>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// One statement, or for a workload rule the log of a session (see `fixtures/README.md`).
    pub sql: String,
    /// DDL that makes the catalog.
    pub schema: Option<String>,
    /// Rows per table, for the catalog's statistics.
    #[serde(default)]
    pub rows: BTreeMap<String, f64>,
    /// File in `fixtures/plans`, without `.json`.
    pub plan: Option<String>,
    /// Required in bad examples, refused in good ones.
    pub because: Option<String>,
}

impl Rule {
    /// A threshold, by the name that the rule's file gives it.
    ///
    /// # Panics
    /// When the rule has no such parameter: a detector and its rule are one piece.
    pub fn param(&self, name: &str) -> f64 {
        self.params
            .get(name)
            .map_or_else(|| panic!("rule {} has no parameter {name}", self.name), |p| p.default)
    }
}
