//! Rules: YAML files of words, thresholds and examples, each with the detector that applies it.
//!
//! In: the text of `rules/*.yaml`. Out: [`Rule`]s, strictly read (see [`fn@load`]). What a rule means is
//! the business of its detector, or of `detect::matching` where it has conditions.

mod example;
mod files;
mod load;
pub mod matching;
mod plans;

use std::{collections::BTreeMap, str::FromStr, sync::LazyLock};

use schemars::JsonSchema;
use serde::Deserialize;

pub use example::*;
pub use files::FILES;
pub use load::{example_line, load, refused};
pub use plans::PLANS;

use crate::{
    error::Error,
    finding::{Code, Confidence, Severity},
    threads, yaml,
};

/// One file of `rules/`.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    #[schemars(with = "String", regex(pattern = r"^[A-Z]{2,8}-?[0-9]{1,4}$"))]
    pub code: Code,
    /// The pattern, readable after "allow"; also the file's name.
    pub name: String,
    pub category: Category,
    /// Whether it is on without being asked for.
    #[serde(default)]
    pub set: Set,
    /// The function of `detect` that applies it; a rule has this or `match`.
    pub detector: Option<String>,
    /// The conditions under which it finds something.
    #[serde(rename = "match")]
    pub matching: Option<matching::Match>,
    /// With `match`: a finding's sentence, with placeholders for the case's names and numbers.
    #[schemars(with = "Option<String>")]
    pub because: Option<matching::Template>,
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
    /// Pages that say so; at least one of PostgreSQL's documentation.
    pub references: Vec<String>,
    pub examples: Examples,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
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

macro_rules! worded {
    ($type:ident, $what:literal, { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $type {
            /// Each with its word in rule files, in their order.
            pub const ALL: &[($type, &str)] = &[$(($type::$variant, $word)),+];

            pub fn word(self) -> &'static str {
                match self { $($type::$variant => $word),+ }
            }
        }

        impl FromStr for $type {
            type Err = String;

            fn from_str(word: &str) -> Result<$type, String> {
                let known = $type::ALL.iter().find(|(_, known)| *known == word).map(|(value, _)| *value);
                known.ok_or_else(|| yaml::unknown($what, word, $type::ALL.iter().map(|(_, known)| *known)))
            }
        }
    };
}

worded!(Needs, "need", {
    Syntax = "syntax", Schema = "schema", Plan = "plan", Statistics = "statistics", Workload = "workload",
});
worded!(Set, "set", { Default = "default", Pedantic = "pedantic", Preview = "preview" });
worded!(Category, "category", {
    Projection = "projection", Predicate = "predicate", Join = "join", Subquery = "subquery",
    Sorting = "sorting", Write = "write", Locking = "locking", Schema = "schema", Index = "index",
    Migration = "migration", Plan = "plan", Workload = "workload", Suppression = "suppression",
});

/// Major versions of PostgreSQL, both ends included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
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
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rewrite {
    pub before: String,
    pub after: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Param {
    pub default: f64,
    /// `rows`, `bytes`, `ms`, `percent`, `times` …
    pub unit: String,
    /// Why this value.
    pub why: String,
}

/// The JSON Schema of a rule's file, indented, with a line end.
pub fn schema_text() -> String {
    let mut schema = schemars::schema_for!(Rule);
    schema.insert("title".to_owned(), "A rule of sargable".into());
    serde_json::to_string_pretty(&schema).map_or_else(|_| String::new(), |text| text + "\n")
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
    const AT_ONCE: usize = 16;
    let load = |(path, text): &(&str, &str)| load(path, text).expect("tests load every built-in rule");
    let parts = threads::in_parts(FILES, AT_ONCE, |files| files.iter().map(load).collect::<Vec<_>>());
    let mut rules = parts.concat();
    rules.sort_by_key(|rule| rule.code);
    rules
});

/// A built-in rule by its name or code.
pub fn find(name: &str) -> Result<&'static Rule, Error> {
    find_among(&BUILTIN, name)
}

/// A rule of these by its name or code.
pub fn find_among<'a>(rules: &'a [Rule], name: &str) -> Result<&'a Rule, Error> {
    let known = |rule: &&Rule| rule.name == name || rule.code.to_string().eq_ignore_ascii_case(name);
    rules.iter().find(known).ok_or_else(|| {
        let nearest = yaml::nearest(name, rules.iter().map(|rule| rule.name.as_str()));
        Error::Usage {
            what: format!("there is no rule `{name}`"),
            hint: Some(match nearest {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => "`sargable rules list` lists them".to_owned(),
            }),
        }
    })
}
