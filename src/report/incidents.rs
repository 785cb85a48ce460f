//! What a server's log tells besides statements, as the JSON report has it: sorted and rounded here.
//!
//! A part of which the log says nothing (its setting is off, or nothing happened) is empty or `None`.

use serde::{Deserialize, Serialize};

use super::{ms, rounded, whole_seconds};
use crate::{
    sql::Fingerprint,
    workload::{
        InputSummary, Workload,
        incidents::{self, Counts, Kind},
    },
};

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

/// Queries shown of one message, and names of one list.
const SHOWN: usize = 10;

pub(super) fn incidents(workload: &Workload, inputs: &[InputSummary]) -> Incidents {
    let all = workload.incidents();
    let from = From { all, workload, inputs };
    Incidents {
        errors: from.messages(&all.messages.errors),
        server: from.messages(&all.messages.server),
        failed_logins: from.logins(),
        deadlocks: from.deadlocks(),
        lock_waits: from.lock_waits(),
        temporary_files: from.temporary_files(),
        checkpoints: checkpoints(&all.checkpoints),
        maintenance: maintenance(&all.maintenance),
        connections: connections(&all.connections),
    }
}

struct From<'a> {
    all: &'a incidents::Incidents,
    workload: &'a Workload,
    inputs: &'a [InputSummary],
}

impl From<'_> {
    fn when(&self, tally: &incidents::Tally) -> When {
        When {
            count: tally.count,
            first: tally.first.and_then(whole_seconds),
            last: tally.last.and_then(whole_seconds),
            at: tally.at.map(|at| {
                let input = usize::try_from(at.input).ok().and_then(|index| self.inputs.get(index));
                format!("{}:{}", input.map_or("?", |input| input.name.as_str()), at.line)
            }),
        }
    }

    fn text(&self, query: Option<Fingerprint>) -> Option<String> {
        let query = query?;
        // A holder's statement is known as a query that ran.
        let ran = || self.workload.query(query).map(|query| query.text.as_str());
        self.all.text(query).or_else(ran).map(str::to_owned)
    }

    fn messages(&self, messages: &Counts<incidents::Message, incidents::Tally>) -> Vec<Message> {
        let mut all: Vec<(&incidents::Message, &incidents::Tally)> = messages.by_key.iter().collect();
        all.sort_by_key(|(message, tally)| (std::cmp::Reverse(tally.count), *message));
        all.into_iter()
            .map(|(message, tally)| Message {
                kind: message.kind.name().to_owned(),
                sqlstate: message.sqlstate.clone(),
                condition: message.condition().map(str::to_owned),
                message: message.text.clone(),
                when: self.when(tally),
                databases: tally.databases.as_slice().to_vec(),
                users: tally.users.as_slice().to_vec(),
                hosts: tally.hosts.as_slice().to_vec(),
                queries: self.queries(tally, message.kind),
            })
            .collect()
    }

    /// What is no SQL was not normalised either: of it only the fingerprint is told.
    fn queries(&self, tally: &incidents::Tally, kind: Kind) -> Vec<QueryRef> {
        let named = tally.ranked().into_iter().take(SHOWN);
        named
            .map(|(query, count)| QueryRef {
                query: query.to_string(),
                text: self.text(Some(query)).filter(|_| kind != Kind::Syntax),
                count,
            })
            .collect()
    }

    fn logins(&self) -> Vec<Login> {
        let mut all: Vec<_> = self.all.messages.failed_logins.by_key.iter().collect();
        all.sort_by_key(|(login, tally)| (std::cmp::Reverse(tally.count), *login));
        all.into_iter()
            .map(|(login, tally)| Login {
                user: login.user.clone(),
                host: login.host.clone(),
                message: login.message.clone(),
                when: self.when(tally),
                databases: tally.databases.as_slice().to_vec(),
            })
            .collect()
    }

    fn deadlocks(&self) -> Vec<Deadlock> {
        let mut all: Vec<_> = self.all.deadlocks().by_key.iter().collect();
        all.sort_by_key(|(key, deadlocks)| (std::cmp::Reverse(deadlocks.tally.count), *key));
        all.into_iter()
            .map(|(key, deadlocks)| Deadlock {
                when: self.when(&deadlocks.tally),
                relation: key.relation.clone(),
                databases: deadlocks.tally.databases.as_slice().to_vec(),
                processes: key
                    .processes
                    .iter()
                    .zip(&deadlocks.victims)
                    .map(|(process, &victim)| Process {
                        query: process.query.map(|query| query.to_string()),
                        text: self.text(process.query),
                        lock: process.mode.clone(),
                        object: process.object.clone(),
                        victim,
                    })
                    .collect(),
            })
            .collect()
    }

    fn lock_waits(&self) -> Vec<LockWait> {
        let mut all: Vec<_> = self.all.lock_waits().into_iter().collect();
        all.sort_by(|(a, x), (b, y)| y.waited_us.cmp(&x.waited_us).then_with(|| a.cmp(b)));
        all.into_iter()
            .map(|(key, waits)| LockWait {
                when: self.when(&waits.tally),
                waiter: key.waiter.map(|query| query.to_string()),
                waiter_text: self.text(key.waiter),
                holder: key.holder.map(|query| query.to_string()),
                holder_text: self.text(key.holder),
                lock: key.mode,
                object: key.object,
                relation: key.relation,
                relation_oid: key.relation_oid,
                databases: waits.tally.databases.as_slice().to_vec(),
                acquired: waits.acquired,
                waited_ms: ms(waits.waited_us),
                longest_ms: ms(waits.longest_us),
            })
            .collect()
    }

    fn temporary_files(&self) -> Vec<TemporaryFiles> {
        let mut all: Vec<_> = self.all.temporary_files.by_key.iter().collect();
        all.sort_by_key(|(query, files)| (std::cmp::Reverse(files.bytes), **query));
        all.into_iter()
            .map(|(&query, files)| {
                let largest = query.and_then(|query| self.all.largest_execution(query));
                TemporaryFiles {
                    query: query.map(|query| query.to_string()),
                    text: self.text(query),
                    when: self.when(&files.tally),
                    databases: files.tally.databases.as_slice().to_vec(),
                    bytes: files.bytes,
                    largest_file_bytes: files.largest_file,
                    largest_execution_bytes: largest,
                    work_mem_bytes: largest.map(|bytes| bytes.div_ceil(1 << 20) << 20),
                }
            })
            .collect()
    }
}

fn checkpoints(all: &incidents::Checkpoints) -> Option<Checkpoints> {
    (*all != incidents::Checkpoints::default()).then(|| Checkpoints {
        started: all.started(),
        by_time: all.by_time,
        by_wal: all.by_wal,
        by_request: all.by_request,
        by_server: all.by_server,
        restartpoints: all.restartpoints,
        too_frequent: all.too_frequent,
        closest_s: all.closest_s,
        completed: all.completed,
        buffers: all.buffers,
        write_ms: ms(all.write_us),
        sync_ms: ms(all.sync_us),
        total_ms: ms(all.total_us),
        longest_ms: ms(all.longest_us),
        longest_sync_ms: ms(all.longest_sync_us),
        wal_files_added: all.wal_added,
        wal_files_removed: all.wal_removed,
        wal_files_recycled: all.wal_recycled,
        wal_bytes: all.distance_bytes,
        most_wal_bytes: all.most_distance_bytes,
    })
}

fn maintenance(all: &Counts<String, incidents::Runs>) -> Vec<Maintenance> {
    let mut all: Vec<_> = all.by_key.iter().collect();
    all.sort_by_key(|(table, runs)| (std::cmp::Reverse(runs.elapsed_us), *table));
    all.into_iter()
        .map(|(table, runs)| Maintenance {
            table: table.clone(),
            vacuums: runs.vacuums,
            analyzes: runs.analyzes,
            aggressive: runs.aggressive,
            wraparound: runs.wraparound,
            cancelled: runs.cancelled,
            skipped: runs.skipped,
            index_scans: runs.index_scans,
            pages_removed: runs.pages_removed,
            tuples_removed: runs.tuples_removed,
            most_pages: runs.most_pages,
            most_tuples: runs.most_tuples,
            most_dead_tuples: runs.most_dead,
            elapsed_ms: ms(runs.elapsed_us),
            longest_ms: ms(runs.longest_us),
            cpu_ms: ms(runs.cpu_us),
            read_ms: runs.read_us.map(ms),
            write_ms: runs.write_us.map(ms),
            wal_bytes: runs.wal_bytes,
        })
        .collect()
}

fn connections(all: &incidents::Connections) -> Option<Connections> {
    let any = all.received + all.authenticated + all.authorized + all.ended > 0;
    any.then(|| Connections {
        received: all.received,
        authenticated: all.authenticated,
        authorized: all.authorized,
        by_user: named(&all.by_user),
        by_database: named(&all.by_database),
        by_host: named(&all.by_host),
        by_application: named(&all.by_application),
        ended: all.ended,
        short: all.short,
        mean_ms: (all.ended > 0).then(|| rounded(all.total_us as f64 / 1000.0 / all.ended as f64)),
        p50_ms: all.lengths.quantile(0.5).map(|us| rounded(us / 1000.0)),
        longest_ms: (all.ended > 0).then(|| ms(all.longest_us)),
        peak: all.peak(),
    })
}

fn named(counts: &Counts<String, u64>) -> Vec<Named> {
    let mut all: Vec<Named> =
        counts.by_key.iter().map(|(name, &count)| Named { name: name.clone(), count }).collect();
    all.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    all.truncate(100);
    all
}
