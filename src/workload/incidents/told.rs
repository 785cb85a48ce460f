//! What one entry tells, in the words that all formats share. Borrowed from the log.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Incident<'a> {
    /// A statement begins whose end will be an execution of its own (`log_statement`).
    StatementBegins,
    LockWait(LockWait<'a>),
    /// The DETAIL tells who waited for whom; `sql` is the victim's statement.
    Deadlock {
        detail: &'a [u8],
        context: Option<&'a [u8]>,
        sql: Option<&'a [u8]>,
    },
    TemporaryFile {
        bytes: u64,
        sql: Option<&'a [u8]>,
    },
    CheckpointStarts {
        /// On a standby.
        restart: bool,
        cause: CheckpointCause,
    },
    CheckpointEnds(CheckpointEnd),
    CheckpointsTooFrequent {
        /// Since the one before.
        seconds: u64,
    },
    Maintenance(Maintenance<'a>),
    ConnectionReceived,
    ConnectionAuthenticated,
    Disconnected {
        session_us: u64,
    },
    /// A LOG or WARNING of a known form (see [`super::forms`]).
    Server {
        message: &'a [u8],
        /// What the process ran that died, or the entry's statement.
        sql: Option<&'a [u8]>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockWait<'a> {
    pub state: WaitState,
    /// Process id.
    pub waiter: u32,
    /// `ShareLock`, `AccessExclusiveLock` …
    pub mode: &'a [u8],
    /// `transaction 793`, `relation 16385 of database 5` …
    pub object: &'a [u8],
    /// Microseconds so far.
    pub waited: u64,
    /// The first process that holds the lock.
    pub holder: Option<u32>,
    /// `while updating tuple (0,21) in relation "orders"`.
    pub context: Option<&'a [u8]>,
    /// The statement that waits.
    pub sql: Option<&'a [u8]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WaitState {
    Waiting,
    Acquired,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CheckpointCause {
    /// `checkpoint_timeout` passed.
    Time,
    /// `max_wal_size` was reached.
    Wal,
    /// A command asked for it.
    Request,
    /// The server starts or stops.
    Server,
}

/// Figures of `checkpoint complete`. Times in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointEnd {
    /// 8 kB each.
    pub buffers: u64,
    pub write_us: u64,
    pub sync_us: u64,
    pub total_us: u64,
    /// Files of 16 MB, if the cluster was not made with another size.
    pub wal_added: u64,
    pub wal_removed: u64,
    pub wal_recycled: u64,
    /// WAL since the checkpoint before.
    pub distance_bytes: Option<u64>,
    pub estimate_bytes: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MaintenanceKind {
    Vacuum,
    Analyze,
    /// The table was locked.
    Skipped,
    /// It gave way to a session that wanted the table.
    Cancelled,
}

/// A run of autovacuum on one table. Times in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maintenance<'a> {
    pub kind: MaintenanceKind,
    /// `database.schema.table`.
    pub table: &'a [u8],
    pub aggressive: bool,
    pub wraparound: bool,
    pub index_scans: u64,
    pub pages_removed: u64,
    pub pages_remain: u64,
    pub tuples_removed: u64,
    pub tuples_remain: u64,
    /// Dead, but a transaction may still see them.
    pub tuples_dead: u64,
    pub elapsed_us: u64,
    pub cpu_us: u64,
    /// `None` without `track_io_timing`.
    pub read_us: Option<u64>,
    pub write_us: Option<u64>,
    /// `None` where the version does not tell.
    pub wal_bytes: Option<u64>,
}

impl<'a> Maintenance<'a> {
    pub fn new(kind: MaintenanceKind, table: &'a [u8]) -> Maintenance<'a> {
        Maintenance {
            kind,
            table,
            aggressive: false,
            wraparound: false,
            index_scans: 0,
            pages_removed: 0,
            pages_remain: 0,
            tuples_removed: 0,
            tuples_remain: 0,
            tuples_dead: 0,
            elapsed_us: 0,
            cpu_us: 0,
            read_us: None,
            write_us: None,
            wal_bytes: None,
        }
    }
}
