//! Round trips that carry no work: BEGIN and COMMIT around a single read, pings, and settings that a pool
//! sends at every checkout.
//!
//! Pings and settings are known by their text, when the log is over. Transactions are followed by
//! session; a piece of a log does not know what came before it, so that it keeps, for each session, what
//! stood before the first boundary until the piece before it is known.

use rustc_hash::FxHashMap;

use serde::{Deserialize, Serialize};

use super::{
    query::Query,
    series::{Load, Sum as _},
};
use crate::sql::StatementKind;

/// Sessions that may be in a transaction at once; beyond, all are forgotten.
const MOST: usize = 100_000;

/// Chatter of one application; `None` where the log does not name it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chatter {
    pub application: Option<String>,
    /// All that it executed.
    pub executions: u64,
    /// Transactions that held one read and nothing else; `total_us` is of their BEGIN and COMMIT.
    pub single_reads: Load,
    /// `SELECT 1` and its like.
    pub pings: Load,
    /// SET, SHOW, RESET, DISCARD and DEALLOCATE ALL outside of what only concerns a transaction.
    pub settings: Load,
}

/// What stood between two boundaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Content {
    #[default]
    Nothing,
    OneRead,
    More,
}

impl Content {
    fn and(self, next: Content) -> Content {
        match (self, next) {
            (Content::Nothing, one) | (one, Content::Nothing) => one,
            _ => Content::More,
        }
    }
}

/// The first boundary in a piece, as far as it matters to a transaction that was open before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum First {
    /// BEGIN, connect or disconnect.
    Other,
    /// COMMIT or ROLLBACK: microseconds, sender.
    Closes(u64, u32),
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Session {
    /// Before the first boundary.
    head: Content,
    first: Option<First>,
    /// The transaction that is open, with the microseconds of its BEGIN.
    open: Option<(Content, u64)>,
}

impl Session {
    fn holds(&mut self, one: Content) {
        if let Some((content, _)) = &mut self.open {
            *content = content.and(one);
        } else if self.first.is_none() {
            self.head = self.head.and(one);
        }
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Transactions {
    sessions: FxHashMap<u64, Session>,
    /// Transactions around one read, by sender.
    single_reads: FxHashMap<u32, Load>,
}

impl Transactions {
    /// A session's key: its number and the hash of its database, since two servers in one log may give the
    /// same number to two sessions.
    pub(super) fn of(session: u32, database: u64) -> u64 {
        u64::from(session) << 32 | u64::from(super::short(database))
    }

    /// Follows one execution. Hot.
    pub(super) fn step(&mut self, session: u64, kind: StatementKind, duration: u64, sender: u32) {
        let known = self.sessions.entry(session).or_default();
        match kind {
            StatementKind::Begin => {
                known.first.get_or_insert(First::Other);
                known.open = Some((Content::Nothing, duration));
            }
            StatementKind::Commit | StatementKind::Rollback => {
                if known.first.is_none() {
                    known.first = Some(First::Closes(duration, sender));
                }
                if let Some((Content::OneRead, begin)) = known.open.take() {
                    self.found(sender, begin + duration);
                }
            }
            StatementKind::Select => known.holds(Content::OneRead),
            _ => known.holds(Content::More),
        }
    }

    /// A statement failed.
    pub(super) fn failed(&mut self, session: u64) {
        self.sessions.entry(session).or_default().holds(Content::More);
    }

    /// A session begins or ends.
    pub(super) fn reset(&mut self, session: u64) {
        let known = self.sessions.entry(session).or_default();
        known.first.get_or_insert(First::Other);
        known.open = None;
    }

    fn found(&mut self, sender: u32, us: u64) {
        self.single_reads.entry(sender).or_default().add(&Load { calls: 1, total_us: us });
    }

    /// Takes in what came after, whose senders have these indexes here.
    #[expect(clippy::iter_over_hash_type, reason = "sessions do not touch each other")]
    pub(super) fn merge(&mut self, later: Transactions, senders: &[u32]) {
        let here = |sender: u32| senders.get(sender as usize).copied();
        for (session, mut theirs) in later.sessions {
            if let Some(First::Closes(us, sender)) = theirs.first {
                theirs.first = Some(here(sender).map_or(First::Other, |sender| First::Closes(us, sender)));
            }
            let ours = self.sessions.entry(session).or_default();
            if let Some((content, begin)) = ours.open {
                let content = content.and(theirs.head);
                match theirs.first {
                    None => ours.open = Some((content, begin)),
                    Some(first) => {
                        ours.open = theirs.open;
                        if let (Content::OneRead, First::Closes(us, sender)) = (content, first) {
                            self.found(sender, begin + us);
                        }
                    }
                }
            } else if ours.first.is_none() {
                *ours = Session { head: ours.head.and(theirs.head), ..theirs };
            } else if theirs.first.is_some() {
                ours.open = theirs.open;
            }
        }
        for (sender, load) in later.single_reads {
            if let Some(sender) = here(sender) {
                self.single_reads.entry(sender).or_default().add(&load);
            }
        }
    }

    /// Nothing came before: sessions outside of a transaction are forgotten.
    pub(super) fn settle(&mut self) {
        self.sessions.retain(|_, session| {
            *session = Session { head: Content::Nothing, first: Some(First::Other), open: session.open };
            session.open.is_some()
        });
        if self.sessions.len() > MOST {
            self.sessions.clear();
        }
    }

    /// Gives the senders the indexes that they have now.
    pub(super) fn renumber(&mut self, now: &[u32]) {
        let before = std::mem::take(self);
        self.merge(before, now);
    }

    pub(super) fn single_reads(&self) -> &FxHashMap<u32, Load> {
        &self.single_reads
    }
}

/// What a query is for, where it carries no work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Idle {
    Ping,
    Setting,
}

/// By its normalised text.
pub(super) fn idle(query: &Query) -> Option<Idle> {
    const PINGS: &[&str] =
        &["", ";", "select", "select ?", "select ? as ?", "select version()", "select current_database()"];
    const SETTINGS: &[&str] = &["set", "show", "reset", "discard", "unlisten"];
    const OF_A_TRANSACTION: &[&str] = &["local", "transaction", "constraints"];
    let text = query.text.trim().trim_end_matches(';').to_ascii_lowercase();
    if matches!(query.kind, StatementKind::Select | StatementKind::Utility) && PINGS.contains(&text.as_str())
    {
        return Some(Idle::Ping);
    }
    if text.starts_with("select pg_advisory_unlock_all()") || text == "deallocate all" {
        return Some(Idle::Setting);
    }
    let mut words = text.split_ascii_whitespace();
    let setting = query.kind == StatementKind::Utility && SETTINGS.contains(&words.next()?);
    let of_transaction = words.next().is_some_and(|word| OF_A_TRANSACTION.contains(&word));
    (setting && !of_transaction).then_some(Idle::Setting)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &[StatementKind] = &[
        StatementKind::Begin,
        StatementKind::Select,
        StatementKind::Commit,
        StatementKind::Select,
        StatementKind::Begin,
        StatementKind::Select,
        StatementKind::Select,
        StatementKind::Commit,
        StatementKind::Begin,
        StatementKind::Select,
        StatementKind::Rollback,
        StatementKind::Begin,
        StatementKind::Update,
        StatementKind::Commit,
        StatementKind::Begin,
        StatementKind::Commit,
    ];

    #[test]
    fn a_statement_that_failed_is_not_left_out() {
        let mut found = Transactions::default();
        found.step(7, StatementKind::Begin, 10, 0);
        found.step(7, StatementKind::Select, 10, 0);
        found.failed(7);
        found.step(7, StatementKind::Rollback, 10, 0);
        assert!(found.single_reads().is_empty());
    }

    fn piece(from: usize, to: usize) -> Transactions {
        let mut found = Transactions::default();
        for kind in &SCRIPT[from..to] {
            found.step(7, *kind, 10, 0);
        }
        found
    }

    #[test]
    fn a_cut_anywhere_changes_nothing() {
        let expect = Load { calls: 2, total_us: 40 };
        assert_eq!(piece(0, SCRIPT.len()).single_reads()[&0], expect);
        for first in 0..=SCRIPT.len() {
            for second in first..=SCRIPT.len() {
                let mut left = piece(0, first);
                left.settle();
                left.merge(piece(first, second), &[0]);
                left.settle();
                left.merge(piece(second, SCRIPT.len()), &[0]);
                assert_eq!(left.single_reads()[&0], expect, "{first} {second}");

                let mut right = piece(first, second);
                right.merge(piece(second, SCRIPT.len()), &[0]);
                let mut all = piece(0, first);
                all.merge(right, &[0]);
                assert_eq!(all.single_reads()[&0], expect, "{first} {second}");
            }
        }
    }
}
