//! Rules: YAML files of words, thresholds and examples, each with the detector that applies it.
//!
//! In: the text of `rules/*.yaml`. Out: [`Rule`]s, strictly read (see [`fn@load`]). What a rule means is
//! the business of its detector.

mod files;
mod load;

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

pub use files::FILES;
pub use load::load;

use crate::{
    error::Error,
    finding::{Code, Confidence, Severity},
    yaml,
};

/// One file of `rules/`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub code: Code,
    /// The pattern, readable after "allow"; also the file's name.
    pub name: String,
    pub category: Category,
    /// Whether it is on without being asked for.
    #[serde(default)]
    pub set: Set,
    /// The function of `detect` that applies it.
    pub detector: String,
    pub severity: Severity,
    /// How sure its findings are at best.
    #[serde(default)]
    pub confidence: Option<Confidence>,
    /// Major versions that it is about; all where there is none.
    #[serde(default)]
    pub postgres: Versions,
    /// What it cannot do without.
    pub needs: Vec<Needs>,
    /// Thresholds by name.
    #[serde(default)]
    pub params: BTreeMap<String, Param>,
    pub title: String,
    pub why: String,
    pub instead: String,
    /// The same as SQL, where one case can stand for all.
    #[serde(default)]
    pub rewrite: Option<Rewrite>,
    pub references: Vec<String>,
    pub examples: Examples,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Needs {
    /// The statement, parsed.
    Syntax,
    /// The tables that it names: from DDL files, a snapshot or a connection.
    Schema,
    Plan,
    /// Sizes and distributions, which only a server or its snapshot has.
    Statistics,
    /// Executions.
    Workload,
}

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    /// What a query returns, and how much of it.
    Projection,
    Predicate,
    Join,
    /// Subqueries, CTEs, set operations and windows.
    Subquery,
    /// Sorting, grouping, DISTINCT and paging.
    Sorting,
    /// INSERT, UPDATE, DELETE and MERGE.
    Write,
    /// Row locks, transactions and session state.
    Locking,
    /// Tables, columns and constraints.
    Schema,
    Index,
    /// DDL that blocks others while it runs.
    Migration,
    Plan,
    /// What only a log of executions shows.
    Workload,
    /// Comments that allow a rule.
    Suppression,
}

/// The rules that are applied together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Set {
    /// Right nearly always: on unless it is turned off.
    #[default]
    Default,
    /// Right, but many live well with it.
    Pedantic,
    /// Not yet tried on enough real workloads.
    Preview,
}

/// Major versions of PostgreSQL, both ends included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Versions {
    pub from: Option<u32>,
    pub until: Option<u32>,
}

impl Versions {
    /// Whether a server of this `server_version_num` is meant; 0 is one that nobody knows.
    pub fn include(self, version: u32) -> bool {
        let major = version / 10_000;
        version == 0
            || self.from.is_none_or(|from| from <= major) && self.until.is_none_or(|until| major <= until)
    }
}

/// One case as it should not and as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rewrite {
    pub before: String,
    pub after: String,
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
    /// DDL that makes the catalog; of a migration, what earlier files made.
    pub schema: Option<String>,
    /// The file of a migration, for rules about those.
    pub migration: Option<String>,
    /// What a server has counted.
    pub server: Option<ExampleServer>,
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
    /// What the log shows of units of work.
    pub work: Option<ExampleWork>,
    /// Sessions that the log shows to be busy at the same time.
    pub busy: Option<u32>,
    /// Statements of a log, in order and one after another, one session's.
    #[serde(default)]
    pub log: Vec<ExampleExecutions>,
    /// A PostgreSQL server's own log, read as one.
    #[serde(default)]
    pub server_log: Vec<ExampleLines>,
    /// Required in bad examples, refused in good ones.
    pub because: Option<String>,
}

/// What a server has counted in an example.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExampleServer {
    /// Since its counters were reset.
    pub days: f64,
    pub replicas: bool,
    /// `server_version_num`.
    pub version: u32,
    pub indexes: BTreeMap<String, ExampleIndex>,
    pub tables: BTreeMap<String, ExampleTable>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExampleIndex {
    pub scans: u64,
    pub bytes: u64,
    pub invalid: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExampleTable {
    pub live_rows: u64,
    pub modified: u64,
    pub inserts: u64,
    pub updates: u64,
    pub hot_updates: u64,
    pub deletes: u64,
}

/// A few statements that a log shows again and again.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExampleExecutions {
    pub sql: Vec<String>,
    pub times: u32,
    /// Of each.
    pub milliseconds: u64,
    /// Of the parse step before each; there is none where it is left out.
    pub parse_milliseconds: Option<u64>,
}

/// Entries of a server's log, again and again.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExampleLines {
    /// Without the prefix: `LOG:  …` and what belongs to it. `{pid}` stands for the number of the session, which
    /// is another one each time.
    pub lines: String,
    pub times: u32,
    /// Between two of them.
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
    /// -1 to 1.
    pub correlation: Option<f64>,
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

/// Units of work in an example: each is a transaction that runs the same statements in their order.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExampleWork {
    pub units: u64,
    /// `{n}` in one stands for the number of the unit.
    pub statements: Vec<String>,
    /// Of each statement.
    pub milliseconds: u64,
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

/// The built-in rules, in the order of their codes.
pub static BUILTIN: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let load = |(path, text): &(&str, &str)| load(path, text).expect("tests load every built-in rule");
    let mut rules: Vec<Rule> = FILES.iter().map(load).collect();
    rules.sort_by_key(|rule| rule.code);
    rules
});

/// A built-in rule by its name or code.
pub fn find(name: &str) -> Result<&'static Rule, Error> {
    let known = |rule: &&Rule| rule.name == name || rule.code.to_string().eq_ignore_ascii_case(name);
    BUILTIN.iter().find(known).ok_or_else(|| {
        let nearest = yaml::nearest(name, BUILTIN.iter().map(|rule| rule.name.as_str()));
        Error::Usage {
            what: format!("there is no rule `{name}`"),
            hint: Some(match nearest {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => "`sargable rules list` lists them".to_owned(),
            }),
        }
    })
}
