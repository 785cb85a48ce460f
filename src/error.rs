//! The errors that end a run. What merely spoils one line, one statement or one query is not an
//! error: it is counted, see [`NotJudged`].

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

/// Each message says what we were doing, and to what; `source` says why it failed; [`Error::hint`]
/// says what to do next. No message ever holds a password.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error("{path}: not a rule file: {message}")]
    Rule { path: String, message: String },
    /// `place` is `file:line:column`.
    #[error("{place}: {message}")]
    Config { place: String, message: String, hint: Option<String> },
    #[error("log_line_prefix `{prefix}` has no %m, %t or %n: events would have no time")]
    PrefixWithoutTime { prefix: String },
    #[error("{what}")]
    NothingUnderstood { what: String, hint: String },
    #[error("cannot connect to {target}: {why}")]
    Connect { target: String, why: String, hint: Option<String> },
    #[error("the server failed while {doing}: {why}")]
    Server { doing: String, why: String, hint: Option<String> },
    #[error("cannot start a private PostgreSQL: {why}")]
    Cluster { why: String, hint: Option<String> },
    #[error("{what}")]
    Usage { what: String, hint: Option<String> },
}

impl Error {
    /// What to do next, where we know.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::PrefixWithoutTime { .. } => {
                Some("pass --log-line-prefix as `SHOW log_line_prefix` prints it".to_owned())
            }
            Error::NothingUnderstood { hint, .. } => Some(hint.clone()),
            Error::Config { hint, .. }
            | Error::Connect { hint, .. }
            | Error::Server { hint, .. }
            | Error::Cluster { hint, .. }
            | Error::Usage { hint, .. } => hint.clone(),
            Error::Read { .. } | Error::Write { .. } | Error::Rule { .. } => None,
        }
    }
}

/// What could not be judged, counted by what and why: the run goes on, the footer and the JSON
/// report's `not_judged` show it. A monoid under [`NotJudged::merge`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotJudged {
    counts: BTreeMap<(String, String), u64>,
}

/// One line of `not_judged`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotJudgedLine {
    /// The rule, the query or the input.
    pub what: String,
    pub why: String,
    pub count: u64,
}

impl NotJudged {
    pub fn add(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.add_many(what, why, 1);
    }

    pub fn add_many(&mut self, what: impl Into<String>, why: impl Into<String>, count: u64) {
        if count > 0 {
            *self.counts.entry((what.into(), why.into())).or_default() += count;
        }
    }

    pub fn merge(&mut self, other: NotJudged) {
        for ((what, why), count) in other.counts {
            self.add_many(what, why, count);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Sorted by what, then why.
    pub fn lines(&self) -> Vec<NotJudgedLine> {
        self.counts
            .iter()
            .map(|((what, why), &count)| NotJudgedLine { what: what.clone(), why: why.clone(), count })
            .collect()
    }
}
