//! What a server's log tells besides statements, as the JSON report has it: sorted and rounded here.
//!
//! A part of which the log says nothing (its setting is off, or nothing happened) is empty or `None`.

mod tell;

use serde::{Deserialize, Serialize};

pub(super) use tell::incidents;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Incidents {
    /// ERROR, FATAL and PANIC, the most frequent first.
    pub errors: Vec<Message>,
    /// What the server told of itself as LOG or WARNING.
    pub server: Vec<Message>,
    pub failed_logins: Vec<Login>,
    pub deadlocks: Vec<Deadlock>,
    /// The longest in all first.
    pub lock_waits: Vec<LockWait>,
    /// The largest in all first.
    pub temporary_files: Vec<TemporaryFiles>,
    pub checkpoints: Option<Checkpoints>,
    /// Autovacuum by table, the longest in all first.
    pub maintenance: Vec<Maintenance>,
    pub connections: Option<Connections>,
}

/// How often, when and where the first stands (`input:line`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct When {
    pub count: u64,
    pub first: Option<String>,
    pub last: Option<String>,
    pub at: Option<String>,
}

/// A query that an incident names; `text` is `None` for a statement that is no SQL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryRef {
    pub query: String,
    pub text: Option<String>,
    pub count: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "keys of the report")]
pub struct Message {
    /// See `docs/json-report.md`.
    pub kind: String,
    pub sqlstate: Option<String>,
    pub condition: Option<String>,
    /// With names and without values; `None` for a message of no known form.
    pub message: Option<String>,
    #[serde(flatten)]
    pub when: When,
    pub databases: Vec<String>,
    pub users: Vec<String>,
    pub hosts: Vec<String>,
    /// The most frequent ones.
    pub queries: Vec<QueryRef>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    pub user: Option<String>,
    pub host: Option<String>,
    pub message: Option<String>,
    #[serde(flatten)]
    pub when: When,
    pub databases: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadlock {
    #[serde(flatten)]
    pub when: When,
    pub relation: Option<String>,
    pub databases: Vec<String>,
    pub processes: Vec<Process>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    pub query: Option<String>,
    pub text: Option<String>,
    /// What it waited for.
    pub lock: String,
    pub object: String,
    /// How often it was the one to be cancelled.
    pub victim: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LockWait {
    #[serde(flatten)]
    pub when: When,
    pub waiter: Option<String>,
    pub waiter_text: Option<String>,
    pub holder: Option<String>,
    pub holder_text: Option<String>,
    pub lock: String,
    pub object: String,
    pub relation: Option<String>,
    pub relation_oid: Option<u64>,
    pub databases: Vec<String>,
    pub acquired: u64,
    pub waited_ms: f64,
    pub longest_ms: f64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemporaryFiles {
    pub query: Option<String>,
    pub text: Option<String>,
    #[serde(flatten)]
    pub when: When,
    pub databases: Vec<String>,
    pub bytes: u64,
    pub largest_file_bytes: u64,
    /// Of all files of one execution.
    pub largest_execution_bytes: Option<u64>,
    /// `work_mem` must be at least this, in whole megabytes, to hold that execution's files.
    pub work_mem_bytes: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoints {
    pub started: u64,
    pub by_time: u64,
    pub by_wal: u64,
    pub by_request: u64,
    pub by_server: u64,
    pub restartpoints: u64,
    pub too_frequent: u64,
    pub closest_s: Option<u64>,
    pub completed: u64,
    pub buffers: u64,
    pub write_ms: f64,
    pub sync_ms: f64,
    pub total_ms: f64,
    pub longest_ms: f64,
    pub longest_sync_ms: f64,
    pub wal_files_added: u64,
    pub wal_files_removed: u64,
    pub wal_files_recycled: u64,
    pub wal_bytes: u64,
    pub most_wal_bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Maintenance {
    /// `database.schema.table`.
    pub table: String,
    pub vacuums: u64,
    pub analyzes: u64,
    pub aggressive: u64,
    pub wraparound: u64,
    pub cancelled: u64,
    pub skipped: u64,
    pub index_scans: u64,
    pub pages_removed: u64,
    pub tuples_removed: u64,
    pub most_pages: u64,
    pub most_tuples: u64,
    pub most_dead_tuples: u64,
    pub elapsed_ms: f64,
    pub longest_ms: f64,
    pub cpu_ms: f64,
    pub read_ms: Option<f64>,
    pub write_ms: Option<f64>,
    pub wal_bytes: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Connections {
    pub received: u64,
    pub authenticated: u64,
    pub authorized: u64,
    pub by_user: Vec<Named>,
    pub by_database: Vec<Named>,
    pub by_host: Vec<Named>,
    pub by_application: Vec<Named>,
    /// Sessions whose end was told; the figures below are of these.
    pub ended: u64,
    pub short: u64,
    pub mean_ms: Option<f64>,
    pub p50_ms: Option<f64>,
    pub longest_ms: Option<f64>,
    /// Sessions open at once.
    pub peak: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    pub name: String,
    pub count: u64,
}
