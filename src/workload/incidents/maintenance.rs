//! Runs of autovacuum by table.

use serde::{Deserialize, Serialize};

use super::told::{Maintenance, MaintenanceKind};

/// Times in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runs {
    pub vacuums: u64,
    pub analyzes: u64,
    /// Vacuums that read every page not yet frozen; those that had to, before transaction ids run out.
    pub aggressive: u64,
    pub wraparound: u64,
    /// Gave way to a session, or found the table locked.
    pub cancelled: u64,
    pub skipped: u64,
    pub index_scans: u64,
    pub pages_removed: u64,
    pub tuples_removed: u64,
    /// The most that a run found: pages and tuples left, tuples dead that could not be removed yet.
    pub most_pages: u64,
    pub most_tuples: u64,
    pub most_dead: u64,
    pub elapsed_us: u64,
    pub longest_us: u64,
    pub cpu_us: u64,
    /// `None` without `track_io_timing`.
    pub read_us: Option<u64>,
    pub write_us: Option<u64>,
    pub wal_bytes: Option<u64>,
}

impl Runs {
    pub(super) fn of(run: &Maintenance<'_>) -> Runs {
        let is = |kind| u64::from(run.kind == kind);
        Runs {
            vacuums: is(MaintenanceKind::Vacuum),
            analyzes: is(MaintenanceKind::Analyze),
            aggressive: u64::from(run.aggressive),
            wraparound: u64::from(run.wraparound),
            cancelled: is(MaintenanceKind::Cancelled),
            skipped: is(MaintenanceKind::Skipped),
            index_scans: run.index_scans,
            pages_removed: run.pages_removed,
            tuples_removed: run.tuples_removed,
            most_pages: run.pages_remain,
            most_tuples: run.tuples_remain,
            most_dead: run.tuples_dead,
            elapsed_us: run.elapsed_us,
            longest_us: run.elapsed_us,
            cpu_us: run.cpu_us,
            read_us: run.read_us,
            write_us: run.write_us,
            wal_bytes: run.wal_bytes,
        }
    }

    pub(super) fn merge(&mut self, other: &Runs) {
        for (ours, theirs) in [
            (&mut self.vacuums, other.vacuums),
            (&mut self.analyzes, other.analyzes),
            (&mut self.aggressive, other.aggressive),
            (&mut self.wraparound, other.wraparound),
            (&mut self.cancelled, other.cancelled),
            (&mut self.skipped, other.skipped),
            (&mut self.index_scans, other.index_scans),
            (&mut self.pages_removed, other.pages_removed),
            (&mut self.tuples_removed, other.tuples_removed),
            (&mut self.elapsed_us, other.elapsed_us),
            (&mut self.cpu_us, other.cpu_us),
        ] {
            *ours = ours.saturating_add(theirs);
        }
        for (ours, theirs) in [
            (&mut self.read_us, other.read_us),
            (&mut self.write_us, other.write_us),
            (&mut self.wal_bytes, other.wal_bytes),
        ] {
            *ours = match (*ours, theirs) {
                (Some(ours), Some(theirs)) => Some(ours.saturating_add(theirs)),
                (ours, theirs) => ours.or(theirs),
            };
        }
        for (ours, theirs) in [
            (&mut self.most_pages, other.most_pages),
            (&mut self.most_tuples, other.most_tuples),
            (&mut self.most_dead, other.most_dead),
            (&mut self.longest_us, other.longest_us),
        ] {
            *ours = (*ours).max(theirs);
        }
    }
}
