//! Statements that a server counted itself: how often and how long, and nothing of each execution.

use super::{Position, Query, Sample, Workload};
use crate::sql::Normalizer;

/// One statement as `pg_stat_statements` has it: with `$1` where its constants stood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CountedStatement {
    pub text: String,
    pub calls: u64,
    /// Microseconds, as the next two.
    pub total_us: u64,
    pub min_us: u64,
    pub max_us: u64,
    pub rows: u64,
    pub user: Option<String>,
    pub database: String,
}

impl Workload {
    /// Adds what a server counted in one of its databases. Of a workload that has executions of its own these would be
    /// the same ones once more: that is the caller's to see to.
    pub fn add_counted(&mut self, counted: &CountedStatement, normalizer: &mut Normalizer) {
        if counted.calls == 0 {
            return;
        }
        let scanned = normalizer.scan(counted.text.as_bytes());
        self.totals.executions += counted.calls;
        self.totals.counted += counted.calls;
        self.totals.total_us += counted.total_us;
        *self.totals.by_kind.of(scanned.kind) += counted.calls;
        let query = self.queries.entry(scanned.fingerprint).or_insert_with(|| {
            let text = normalizer.text_of(scanned.fingerprint, counted.text.as_bytes());
            Box::new(Query::new(scanned.fingerprint, text, scanned.kind))
        });
        query.calls += counted.calls;
        query.timed += counted.calls;
        query.total_us += counted.total_us;
        query.min_us = query.min_us.min(counted.min_us);
        query.max_us = query.max_us.max(counted.max_us);
        query.rows = Some(query.rows.unwrap_or(0) + counted.rows);
        query.databases.add(counted.database.as_bytes());
        query.users.add(counted.user.as_deref().unwrap_or_default().as_bytes());
        let complete = counted.text.len() <= Sample::LONGEST;
        query.samples.add(Sample {
            sql: if complete { counted.text.clone() } else { String::new() },
            complete,
            binds: None,
            duration: None,
            position: Position { input: Position::NO_LOG, line: 0 },
            database: Some(counted.database.clone()),
            values: scanned.values,
        });
    }
}
