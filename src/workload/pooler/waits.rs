//! How long statements waited for a connection of the application's own pool, where its log says so (Ecto's
//! queue time).

use serde::{Deserialize, Serialize};

use crate::workload::{Event, Sketch, incidents::Counts};

/// By application; `None` where the log does not name one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolWaits {
    pub by_application: Counts<Option<String>, Waits>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waits {
    /// Statements whose wait is known, those that did not wait included.
    pub count: u64,
    /// Microseconds, as the next.
    pub total_us: u64,
    pub max_us: u64,
    pub sketch: Sketch,
    /// Time in the server of the same statements, where the log tells it.
    pub busy_us: Option<u64>,
}

impl PoolWaits {
    /// Hot where a log tells waits, and a look at one field where it does not.
    pub(in crate::workload) fn add(&mut self, event: &Event<'_>) {
        let Some(us) = event.pool_wait else { return };
        let application = event.application.map(|name| String::from_utf8_lossy(name).into_owned());
        if let Some(waits) = self.by_application.at(application) {
            waits.count += 1;
            waits.total_us = waits.total_us.saturating_add(us);
            waits.max_us = waits.max_us.max(us);
            waits.sketch.add(us);
            if let Some(duration) = event.duration {
                waits.busy_us = Some(waits.busy_us.unwrap_or(0).saturating_add(duration));
            }
        }
    }

    pub(in crate::workload) fn merge(&mut self, other: PoolWaits) {
        self.by_application.merge(other.by_application, |ours, theirs| {
            ours.count += theirs.count;
            ours.total_us = ours.total_us.saturating_add(theirs.total_us);
            ours.max_us = ours.max_us.max(theirs.max_us);
            ours.sketch.merge(&theirs.sketch);
            if let Some(busy) = theirs.busy_us {
                ours.busy_us = Some(ours.busy_us.unwrap_or(0).saturating_add(busy));
            }
        });
    }
}

impl Waits {
    /// A quantile in milliseconds, within the sketch's error.
    pub fn quantile_ms(&self, q: f64) -> Option<f64> {
        Some(self.sketch.quantile(q)?.min(self.max_us as f64) / 1000.0)
    }
}
