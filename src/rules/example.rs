//! The examples of a rule: statements with what is known of them, and what is said of each.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// Executed by the tests: each bad one must give exactly its `because`, each good one nothing.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Examples {
    pub bad: Vec<Example>,
    pub good: Vec<Example>,
}

/// One statement with what is known of it. All but `sql` may be left out.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
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
    /// Sessions that the log shows to be busy at the same time.
    pub busy: Option<u32>,
    /// Statements of a log, in their order; those that are not in transactions are one session's.
    #[serde(default)]
    pub log: Vec<ExampleExecutions>,
    /// A PostgreSQL server's own log, read as one.
    #[serde(default)]
    pub server_log: Vec<ExampleLines>,
    /// Numbers of the rule up to which the example is what it is, and just past which it is not: for facts that
    /// were measured, which nobody can choose.
    #[serde(default)]
    pub edge: BTreeMap<String, f64>,
    /// Required in bad examples, refused in good ones.
    pub because: Option<String>,
}

/// A few statements that a log shows again and again.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExampleExecutions {
    /// `{n}` in one is the number of the time, from 1.
    pub sql: Vec<String>,
    pub times: u32,
    /// Each time is one transaction, in a session of its own.
    #[serde(default)]
    pub transaction: bool,
    /// Of each.
    pub milliseconds: u64,
    /// Of the parse step before each; there is none where it is left out.
    pub parse_milliseconds: Option<u64>,
}

/// Entries of a server's log, again and again.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExampleLines {
    /// Without the prefix: `LOG:  …` and what belongs to it. `{pid}` stands for the number of the session, which
    /// is another one each time.
    pub lines: String,
    pub times: u32,
    /// Between two of them.
    pub milliseconds: u64,
}

/// What a server has counted in an example.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
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

#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExampleIndex {
    pub scans: u64,
    pub bytes: u64,
    pub invalid: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExampleTable {
    pub live_rows: u64,
    /// Rows since the last ANALYZE.
    pub modified: u64,
    pub inserts: u64,
    pub updates: u64,
    pub hot_updates: u64,
    pub deletes: u64,
}

/// A column's statistics in an example.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
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
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExampleRepetition {
    NPlusOne,
    Duplicate,
    WriteLoop,
}
