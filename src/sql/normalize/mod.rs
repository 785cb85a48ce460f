//! Normalised text and fingerprint of a statement, by one pass over its bytes.
//!
//! Two statements share a fingerprint when they differ only in constants, in the length of a constant
//! IN list, ARRAY or VALUES, in white space, comments, keyword case, or quoting that changes nothing.
//! A constant and a parameter are one and the same here (`id = 5`, `id = $1`), so that a query is one
//! whether it was sent by the simple or by the extended protocol. Identifier case, column order and
//! aliases matter, as in `pg_stat_statements`, and so do ORDER BY and GROUP BY positions (`ORDER BY 2`)
//! and the lengths of types (`::numeric(12,2)`). It errs by splitting: `CAST(x AS t)` and `x::t` are two.

mod lists;
mod scan;

use std::{fmt, ops::Range};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use self::scan::Scan;
use super::{
    hash::hash,
    lex::Lexer,
    memo::{Memo, Recalled},
    recent::Recent,
};

/// 64-bit hash of the normalised text; printed as 16 hex digits. The same in every run and version
/// of the digest format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fingerprint(pub u64);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// What a statement begins with, which is what a log can count by. `With` is any statement that
/// begins with WITH, whatever follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StatementKind {
    /// SELECT, and its kin that only read: VALUES, TABLE.
    Select,
    Insert,
    Update,
    Delete,
    With,
    /// BEGIN, START TRANSACTION.
    Begin,
    /// COMMIT, END, PREPARE TRANSACTION.
    Commit,
    /// ROLLBACK, ABORT; not ROLLBACK TO SAVEPOINT.
    Rollback,
    /// Everything else: SET, FETCH, EXECUTE, COPY, DDL, SAVEPOINT … and empty statements.
    Utility,
}

/// What one pass over a statement found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scanned {
    pub fingerprint: Fingerprint,
    pub kind: StatementKind,
    /// Hash of the constants in order, lists included at full length; 0 when there are none. Two
    /// executions with equal fingerprint, values and bind values asked the same question.
    pub values: u64,
    /// How many constants the text holds (a list of 10 counts 10).
    pub constants: u32,
    /// It has parameters (`$1`), whose values stand elsewhere.
    pub parameters: bool,
    /// Where the comment stands that carries tags (sqlcommenter or marginalia), without its `/*` and `*/`.
    pub tags: Option<Range<usize>>,
    /// How many non-empty statements the text holds: a simple query may send several at once.
    pub statements: u32,
}

/// Reusable scratch space, and what was learnt from the statements before: that makes the next ones
/// faster, and changes nothing that is found. No allocation for a statement like one before.
#[derive(Debug, Default)]
pub struct Normalizer {
    text: Vec<u8>,
    /// Where the constants stand that were read last.
    places: Vec<Range<usize>>,
    recent: Recent,
    memo: Memo,
    /// Normalised texts that were asked for: each chunk of a log asks for them anew.
    texts: FxHashMap<Fingerprint, Box<str>>,
}

impl Normalizer {
    /// Texts that are kept, and the bytes of the longest: two megabytes at most.
    const MOST_KEPT: usize = 1024;
    const LONGEST_KEPT: usize = 2048;

    /// Scans one statement (or one simple query of several). Total: any bytes, also invalid UTF-8.
    pub fn scan(&mut self, sql: &[u8]) -> Scanned {
        if let Some(scanned) = self.recent.recall(sql) {
            return scanned;
        }
        match self.memo.recall(sql) {
            Recalled::Known(scanned) => {
                // With constants it hardly comes back as it is.
                if scanned.constants == 0 {
                    self.recent.keep(sql, &scanned);
                }
                scanned
            }
            Recalled::New(key) => {
                let scanned = self.read(sql);
                self.memo.learn(key, sql, &scanned, &self.places);
                scanned
            }
            Recalled::Never => {
                let scanned = self.read(sql);
                self.recent.keep(sql, &scanned);
                scanned
            }
        }
    }

    /// The normalised text of a statement: constants and parameters as `?`, an IN list or ARRAY as
    /// `(?, ...)`, one row of VALUES, one space between tokens, keywords in upper case.
    pub fn text(&mut self, sql: &[u8]) -> String {
        self.read(sql);
        String::from_utf8_lossy(&self.text).into_owned()
    }

    /// The same for a statement that was scanned and has this fingerprint.
    pub(crate) fn text_of(&mut self, query: Fingerprint, sql: &[u8]) -> String {
        if let Some(text) = self.texts.get(&query) {
            return text.to_string();
        }
        let text = self.text(sql);
        if text.len() <= Normalizer::LONGEST_KEPT {
            if self.texts.len() >= Normalizer::MOST_KEPT {
                self.texts.clear();
            }
            self.texts.insert(query, text.as_str().into());
        }
        text
    }

    fn read(&mut self, sql: &[u8]) -> Scanned {
        self.text.clear();
        self.places.clear();
        let mut scan = Scan::new(sql, &mut self.text, &mut self.places);
        let mut lexer = Lexer::new(sql);
        loop {
            let unary = !lexer.after_operand();
            let Some(token) = lexer.next() else { break };
            scan.token(token, unary);
        }
        Scanned {
            values: scan.values,
            constants: scan.constants,
            parameters: scan.parameters,
            tags: scan.trailing_tags.or(scan.leading_tags),
            statements: scan.boundary.statements(),
            kind: scan.boundary.kind(),
            fingerprint: Fingerprint(hash(&self.text)),
        }
    }
}
