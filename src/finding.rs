//! What a detector reports. Plain data: rendering lives in `report`.

use std::{fmt, ops::Range};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much it hurts. Ordered, so that `--fail-on warning` is a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Note,
    Warning,
    Error,
}

impl Severity {
    pub const ALL: [Severity; 3] = [Severity::Note, Severity::Warning, Severity::Error];

    pub fn word(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// The evidence ladder: how a finding is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Read off the SQL text (and the catalog) alone.
    Shape,
    /// The planner's estimate agrees.
    Planned,
    /// Seen in the log, or in EXPLAIN ANALYZE.
    Measured,
}

impl Confidence {
    pub fn word(self) -> &'static str {
        match self {
            Confidence::Shape => "shape",
            Confidence::Planned => "planned",
            Confidence::Measured => "measured",
        }
    }
}

/// A rule's code, such as `SG003`. Never reused, so that a suppression written today still means
/// the same in five years.
///
/// `SG` and three digits are the built-in rules'; a user's have 2 to 8 capital letters of their own, an
/// optional hyphen, and up to four digits: `SHOP-12`. Ordered as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Code {
    /// ASCII, zeros behind it.
    text: [u8; Code::LONGEST],
}

impl Code {
    const LONGEST: usize = 13;

    pub fn as_str(&self) -> &str {
        let end = self.text.iter().position(|&byte| byte == 0).unwrap_or(Code::LONGEST);
        std::str::from_utf8(&self.text[..end]).unwrap_or_default()
    }

    /// Whether it is of the series that only built-in rules have.
    pub fn is_built_in(&self) -> bool {
        self.as_str()
            .strip_prefix("SG")
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_uppercase()))
    }
}

impl TryFrom<String> for Code {
    type Error = String;

    fn try_from(code: String) -> Result<Code, String> {
        let letters = code.bytes().take_while(u8::is_ascii_uppercase).count();
        let rest = &code[letters..];
        let digits = rest.strip_prefix('-').unwrap_or(rest);
        let numbered = (1..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        if code.starts_with("SG") && letters == 2 && !(numbered && rest == digits && digits.len() == 3) {
            return Err(format!("`{code}` is not SG and three digits"));
        }
        if !numbered || !(2..=8).contains(&letters) {
            return Err(format!(
                "`{code}` is not 2 to 8 capital letters and up to four digits, such as `SHOP-12`"
            ));
        }
        let mut text = [0; Code::LONGEST];
        text[..code.len()].copy_from_slice(code.as_bytes());
        Ok(Code { text })
    }
}

impl From<Code> for String {
    fn from(code: Code) -> String {
        code.to_string()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({self})")
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

/// A part of the file of a finding, and what shall stand there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// In bytes of the file's text, behind a byte order mark.
    #[serde(skip)]
    pub at: Range<usize>,
    /// The same as people count.
    pub region: Region,
    /// What stands there: who finds something else there has another file.
    #[serde(skip)]
    pub was: String,
    /// May be empty.
    pub text: String,
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
    /// What the file calls the statement, as sqlc's `-- name: GetUser :one` does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_name: Option<String>,
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
    /// What takes the finding away and changes nothing else, once it was placed in a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<Edit>,
    /// Time that the workload spent on what the finding is about, in milliseconds; 0 where nothing was measured.
    pub cost_ms: f64,
    /// What a program may want to know besides; each rule documents its keys.
    pub detail: serde_json::Map<String, serde_json::Value>,
}

impl Finding {
    /// The same about a part of the statement, in bytes of the text that was parsed; an empty one is not known.
    #[must_use]
    pub fn on(self, part: &Range<usize>) -> Finding {
        let span = if part.is_empty() { self.span } else { Some(part.clone()) };
        Finding { span, ..self }
    }

    /// The same about one node of the plan.
    #[must_use]
    pub fn at_node(self, number: usize) -> Finding {
        Finding { node: Some(number), ..self }
    }

    /// The same with something in [`Finding::detail`].
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<serde_json::Value>) -> Finding {
        self.detail.insert(key.to_owned(), value.into());
        self
    }

    /// A text of [`Finding::detail`].
    pub fn detail_text(&self, key: &str) -> Option<&str> {
        self.detail.get(key)?.as_str()
    }

    /// Whether [`Finding::detail`] says yes.
    pub fn detail_is(&self, key: &str) -> bool {
        self.detail.get(key).and_then(serde_json::Value::as_bool).unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn codes() {
        for code in ["SG001", "SHOP-12", "AB1", "ABCDEFGH-1234", "SGX-1"] {
            let read = Code::try_from(code.to_owned()).expect(code);
            assert_eq!((read.as_str(), read.is_built_in()), (code, code == "SG001"));
        }
        for code in
            ["", "SG1", "SG-01", "SG0001", "A1", "ABCDEFGHI1", "AB12345", "AB-", "ab1", "AB_1", "ÄB1", "AB١"]
        {
            assert!(Code::try_from(code.to_owned()).is_err(), "{code}");
        }
    }
}
