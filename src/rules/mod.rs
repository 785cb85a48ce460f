//! Rules: YAML files of words, thresholds and examples, each with the detector that applies it.
//!
//! In: the text of `rules/*.yaml`. Out: [`Rule`]s, strictly read (see [`fn@load`]). What a rule means is
//! the business of its detector.

mod load;

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

pub use load::load;

use crate::{
    error::Error,
    finding::{Code, Severity},
};

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

/// One statement with what is known of it. All but `sql` may be left out.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// One statement; for a rule about the whole workload, the statement that is repeated (it may be
    /// empty where the rule is about no statement).
    #[serde(default)]
    pub sql: String,
    /// DDL that makes the catalog.
    pub schema: Option<String>,
    /// Rows per table, for the catalog's statistics.
    #[serde(default)]
    pub rows: BTreeMap<String, f64>,
    /// What `pg_stats` says, by `table.column`.
    #[serde(default)]
    pub statistics: BTreeMap<String, ExampleStatistics>,
    /// Server settings of the catalog.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// File in `fixtures/plans`, without `.json`.
    pub plan: Option<String>,
    /// Bind values of the slowest execution in the log.
    pub binds: Option<Vec<String>>,
    /// What the log shows of repetition.
    pub repeats: Option<ExampleRepeats>,
    /// Sessions that the log shows to be busy at the same time.
    pub busy: Option<u32>,
    /// Statements of a log, in order and one after another, one session's.
    #[serde(default)]
    pub log: Vec<ExampleExecutions>,
    /// Required in bad examples, refused in good ones.
    pub because: Option<String>,
}

/// A few statements that a log shows again and again.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExampleExecutions {
    pub sql: Vec<String>,
    pub times: u32,
    /// Of each.
    pub milliseconds: u64,
}

/// A column's statistics in an example.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExampleStatistics {
    /// Distinct values, absolute.
    pub distinct: f64,
    /// Bytes.
    pub width: u32,
    /// 0 to 1.
    pub nulls: f64,
    /// Most common values and their frequency.
    pub common: Vec<(String, f64)>,
}

/// A repetition in an example: the same number of repeats in every unit.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExampleRepeats {
    pub kind: ExampleRepetition,
    /// Repeats in each unit of work.
    pub times: u64,
    pub units: u64,
    /// Distinct values in each unit.
    pub values: u64,
    /// Of all repeats together.
    pub milliseconds: u64,
    /// The statement that ran before.
    pub parent: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExampleRepetition {
    NPlusOne,
    Duplicate,
    WriteLoop,
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

/// Path and text of every built-in rule, in the order of their codes.
pub const FILES: &[(&str, &str)] = &[
    ("rules/seq-scan.yaml", include_str!("../../rules/seq-scan.yaml")),
    ("rules/missing-index.yaml", include_str!("../../rules/missing-index.yaml")),
    ("rules/index-order.yaml", include_str!("../../rules/index-order.yaml")),
    ("rules/select-star.yaml", include_str!("../../rules/select-star.yaml")),
    ("rules/unbounded-select.yaml", include_str!("../../rules/unbounded-select.yaml")),
    ("rules/n-plus-one.yaml", include_str!("../../rules/n-plus-one.yaml")),
    ("rules/pool-size.yaml", include_str!("../../rules/pool-size.yaml")),
    ("rules/duplicate-query.yaml", include_str!("../../rules/duplicate-query.yaml")),
    ("rules/write-loop.yaml", include_str!("../../rules/write-loop.yaml")),
    ("rules/cache-candidate.yaml", include_str!("../../rules/cache-candidate.yaml")),
    ("rules/transaction-chatter.yaml", include_str!("../../rules/transaction-chatter.yaml")),
    ("rules/connection-chatter.yaml", include_str!("../../rules/connection-chatter.yaml")),
];

/// The built-in rules, in the order of [`FILES`].
pub static BUILTIN: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    FILES.iter().map(|(path, text)| load(path, text).expect("tests load every built-in rule")).collect()
});

/// A built-in rule by its name or code.
pub fn find(name: &str) -> Result<&'static Rule, Error> {
    let known = |rule: &&Rule| rule.name == name || rule.code.to_string().eq_ignore_ascii_case(name);
    BUILTIN.iter().find(known).ok_or_else(|| {
        let nearest = load::nearest(name, BUILTIN.iter().map(|rule| rule.name.as_str()));
        Error::Usage {
            what: format!("there is no rule `{name}`"),
            hint: Some(match nearest {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => "`sargable rules list` lists them".to_owned(),
            }),
        }
    })
}
