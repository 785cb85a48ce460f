//! Where one statement ends and the next begins, and what the first one is.

use super::{
    keywords::{self as k, Keyword},
    normalize::StatementKind,
};

/// Fed with the tokens of a text, comments and nested parentheses' `;` left out.
#[derive(Debug, Default)]
pub(super) struct Boundary {
    statements: u32,
    /// A statement is under way.
    open: bool,
    /// Keywords of the current statement that were seen; its first one.
    words: u32,
    first: Option<Keyword>,
    kind: Option<StatementKind>,
    /// Of a CREATE: the word before was BEGIN; BEGIN ATOMIC and CASE that no END closed yet.
    after_begin: bool,
    nested: u32,
}

impl Boundary {
    pub(super) fn statements(&self) -> u32 {
        self.statements
    }

    /// What the first statement begins with.
    pub(super) fn kind(&self) -> StatementKind {
        self.kind.unwrap_or(StatementKind::Utility)
    }

    /// A `;` outside of parentheses: whether it ends a statement.
    pub(super) fn semicolon(&mut self) -> bool {
        if self.nested == 0 {
            self.open = false;
        }
        self.nested == 0
    }

    /// Any other token: whether it begins a statement after another one.
    pub(super) fn token(&mut self, keyword: Option<Keyword>, parenthesis: bool) -> bool {
        let begins = !self.open;
        if begins {
            self.open = true;
            self.statements += 1;
            (self.words, self.first) = (0, None);
            (self.after_begin, self.nested) = (false, 0);
        }
        if !parenthesis || self.words > 0 {
            self.words = self.words.saturating_add(1);
            self.word(keyword);
        }
        begins && self.statements > 1
    }

    fn word(&mut self, keyword: Option<Keyword>) {
        if self.words == 1 {
            self.first = keyword;
        }
        if self.first == Some(k::CREATE) {
            self.body(keyword);
        }
        if self.statements == 1 && self.words <= 3 {
            self.kind = kind(self.kind, self.words, keyword);
        }
    }

    /// Keeps count of BEGIN ATOMIC … END and the CASE … END in it.
    fn body(&mut self, keyword: Option<Keyword>) {
        match keyword {
            Some(k::ATOMIC) if self.after_begin => self.nested += 1,
            Some(k::CASE) if self.nested > 0 => self.nested += 1,
            Some(k::END) => self.nested = self.nested.saturating_sub(1),
            _ => {}
        }
        self.after_begin = keyword == Some(k::BEGIN);
    }
}

fn kind(so_far: Option<StatementKind>, words: u32, keyword: Option<Keyword>) -> Option<StatementKind> {
    use StatementKind::{Begin, Commit, Delete, Insert, Rollback, Select, Update, Utility, With};
    if words == 1 {
        return Some(match keyword {
            Some(k::SELECT | k::VALUES | k::TABLE) => Select,
            Some(k::INSERT) => Insert,
            Some(k::UPDATE) => Update,
            Some(k::DELETE) => Delete,
            Some(k::WITH) => With,
            Some(k::BEGIN | k::START) => Begin,
            Some(k::COMMIT | k::END) => Commit,
            Some(k::ROLLBACK | k::ABORT) => Rollback,
            // Until the second word tells PREPARE TRANSACTION from PREPARE name.
            Some(k::PREPARE) => return None,
            _ => Utility,
        });
    }
    match (so_far, keyword) {
        (None, Some(k::TRANSACTION)) if words == 2 => Some(Commit),
        (Some(Commit), Some(k::PREPARED)) if words == 2 => Some(Utility),
        (Some(Rollback), Some(k::TO | k::PREPARED)) | (None, _) => Some(Utility),
        _ => so_far,
    }
}
