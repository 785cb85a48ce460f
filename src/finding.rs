//! What a detector reports. Plain data: rendering lives in `report`.

use std::{fmt, ops::Range};

use serde::{Deserialize, Serialize};

/// How much it hurts. Ordered, so that `--fail-on warning` is a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Note,
    Warning,
    Error,
}

/// The evidence ladder: how a finding is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Read off the SQL text (and the catalog) alone.
    Shape,
    /// The planner's estimate agrees.
    Planned,
    /// Seen in the log, or in EXPLAIN ANALYZE.
    Measured,
}

/// A rule's code, such as `SG003`. Never reused, so that a suppression written today still means
/// the same in five years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Code(u16);

impl TryFrom<String> for Code {
    type Error = String;

    fn try_from(code: String) -> Result<Code, String> {
        match code.strip_prefix("SG").map(str::parse) {
            Some(Ok(number)) if code.len() == 5 => Ok(Code(number)),
            _ => Err(format!("`{code}` is not SG and three digits")),
        }
    }
}

impl From<Code> for String {
    fn from(code: Code) -> String {
        code.to_string()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SG{:03}", self.0)
    }
}

/// A place in a file that a person can click on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Location {
    pub file: String,
    /// From 1.
    pub line: u64,
    /// From 1, in characters.
    pub column: u64,
}

/// A part of a file, from its first character to just before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Region {
    /// From 1, as the other three; columns in characters.
    pub line: u64,
    pub column: u64,
    pub end_line: u64,
    /// Just behind the last character.
    pub end_column: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule's name, such as `select-star`.
    pub rule: String,
    pub code: Code,
    pub severity: Severity,
    pub confidence: Confidence,
    /// The fingerprint of the query concerned, in hex; `None` for a finding about the whole workload.
    pub query: Option<String>,
    /// Where the statement begins.
    pub at: Option<Location>,
    /// The part of the statement that the finding is about, in bytes of the text that was parsed; `None`
    /// where the rule is about the whole of it.
    #[serde(skip)]
    pub span: Option<Range<usize>>,
    /// The same in the file of `at`, once the finding was placed there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// The node of the query's plan that it is about: its place in the tree, from 1, in the order in which EXPLAIN
    /// prints the nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<usize>,
    /// One sentence with the names and the numbers of this very case.
    pub because: String,
    /// What to do: SQL that can be run, or a sentence.
    pub instead: String,
    /// Time that the workload spent on what the finding is about, in milliseconds; 0 where nothing was measured.
    pub cost_ms: f64,
    /// What a program may want to know besides; each rule documents its keys.
    pub detail: serde_json::Map<String, serde_json::Value>,
}

impl Finding {
    /// The same about one node of the plan.
    #[must_use]
    pub fn at_node(self, number: usize) -> Finding {
        Finding { node: Some(number), ..self }
    }
}
