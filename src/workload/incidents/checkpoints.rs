//! Checkpoints: why they began, what they wrote, and how often the log said that they come too often.

use serde::{Deserialize, Serialize};

use super::told::{CheckpointCause, CheckpointEnd};

/// Times in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoints {
    pub by_time: u64,
    pub by_wal: u64,
    pub by_request: u64,
    /// At start and stop.
    pub by_server: u64,
    /// Of these how many were restartpoints of a standby.
    pub restartpoints: u64,
    /// `checkpoints are occurring too frequently`.
    pub too_frequent: u64,
    /// The shortest time between two, as those warnings tell it.
    pub closest_s: Option<u64>,
    pub completed: u64,
    pub buffers: u64,
    pub write_us: u64,
    pub sync_us: u64,
    pub total_us: u64,
    pub longest_us: u64,
    pub longest_sync_us: u64,
    pub wal_added: u64,
    pub wal_removed: u64,
    pub wal_recycled: u64,
    /// WAL between two checkpoints: all together, and the most.
    pub distance_bytes: u64,
    pub most_distance_bytes: u64,
}

impl Checkpoints {
    pub fn started(&self) -> u64 {
        self.by_time + self.by_wal + self.by_request + self.by_server
    }

    pub(super) fn starts(&mut self, restart: bool, cause: CheckpointCause) {
        let count = match cause {
            CheckpointCause::Time => &mut self.by_time,
            CheckpointCause::Wal => &mut self.by_wal,
            CheckpointCause::Request => &mut self.by_request,
            CheckpointCause::Server => &mut self.by_server,
        };
        *count += 1;
        self.restartpoints += u64::from(restart);
    }

    pub(super) fn too_frequent(&mut self, seconds: u64) {
        self.too_frequent += 1;
        self.closest_s = Some(self.closest_s.map_or(seconds, |closest| closest.min(seconds)));
    }

    pub(super) fn ends(&mut self, end: &CheckpointEnd) {
        self.merge(&Checkpoints {
            completed: 1,
            buffers: end.buffers,
            write_us: end.write_us,
            sync_us: end.sync_us,
            total_us: end.total_us,
            longest_us: end.total_us,
            longest_sync_us: end.sync_us,
            wal_added: end.wal_added,
            wal_removed: end.wal_removed,
            wal_recycled: end.wal_recycled,
            distance_bytes: end.distance_bytes.unwrap_or(0),
            most_distance_bytes: end.distance_bytes.unwrap_or(0),
            ..Checkpoints::default()
        });
    }

    pub(super) fn merge(&mut self, other: &Checkpoints) {
        for (ours, theirs) in [
            (&mut self.by_time, other.by_time),
            (&mut self.by_wal, other.by_wal),
            (&mut self.by_request, other.by_request),
            (&mut self.by_server, other.by_server),
            (&mut self.restartpoints, other.restartpoints),
            (&mut self.too_frequent, other.too_frequent),
            (&mut self.completed, other.completed),
            (&mut self.buffers, other.buffers),
            (&mut self.write_us, other.write_us),
            (&mut self.sync_us, other.sync_us),
            (&mut self.total_us, other.total_us),
            (&mut self.wal_added, other.wal_added),
            (&mut self.wal_removed, other.wal_removed),
            (&mut self.wal_recycled, other.wal_recycled),
            (&mut self.distance_bytes, other.distance_bytes),
        ] {
            *ours = ours.saturating_add(theirs);
        }
        self.closest_s = self.closest_s.into_iter().chain(other.closest_s).min();
        self.longest_us = self.longest_us.max(other.longest_us);
        self.longest_sync_us = self.longest_sync_us.max(other.longest_sync_us);
        self.most_distance_bytes = self.most_distance_bytes.max(other.most_distance_bytes);
    }
}
