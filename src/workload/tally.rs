//! What a number of executions cost: the same figures for a sender, a stretch of time and the whole log.

use serde::{Deserialize, Serialize};

use super::{event::Event, series::Sum, sketch::Sketch};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Executions.
    pub calls: u64,
    /// Executions whose duration the log gives.
    pub timed: u64,
    /// Microseconds over the timed executions, as the next.
    pub total_us: u64,
    pub max_us: u64,
    pub sketch: Sketch,
    /// `None` where the log does not say.
    pub rows: Option<u64>,
    /// Statements that failed.
    pub errors: u64,
    /// When the first and the last execution ended, in microseconds since 1970.
    pub first: Option<i64>,
    pub last: Option<i64>,
}

impl Tally {
    /// `None` when no execution had a duration.
    pub fn mean_ms(&self) -> Option<f64> {
        (self.timed > 0).then(|| self.total_us as f64 / 1000.0 / self.timed as f64)
    }

    /// A quantile in milliseconds, within the sketch's error; `None` when no execution had a duration.
    pub fn quantile_ms(&self, q: f64) -> Option<f64> {
        let us = self.sketch.quantile(q).filter(|_| self.timed > 0)?;
        Some(us.min(self.max_us as f64) / 1000.0)
    }

    /// Counts one execution, whose duration the sketches know by the number of its bucket. Hot.
    pub(super) fn count(&mut self, event: &Event<'_>, bucket: usize) {
        self.calls += 1;
        if let Some(us) = event.duration {
            self.timed += 1;
            self.total_us += us;
            self.max_us = self.max_us.max(us);
            self.sketch.add_bucket(bucket);
        }
        if let Some(rows) = event.rows {
            self.rows = Some(self.rows.unwrap_or(0) + rows);
        }
        if let Some(end) = event.end {
            self.first = Some(self.first.map_or(end, |first| first.min(end)));
            self.last = Some(self.last.map_or(end, |last| last.max(end)));
        }
    }
}

impl Sum for Tally {
    fn add(&mut self, other: &Tally) {
        self.calls += other.calls;
        self.timed += other.timed;
        self.total_us += other.total_us;
        self.max_us = self.max_us.max(other.max_us);
        self.sketch.merge(&other.sketch);
        self.rows = match (self.rows, other.rows) {
            (Some(ours), Some(theirs)) => Some(ours + theirs),
            (ours, theirs) => ours.or(theirs),
        };
        self.errors += other.errors;
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.max(other.last);
    }
}
