//! A workload's incidents → what the report says of them: sorted, and with the words of their queries.

use super::{
    Checkpoints, Connections, Deadlock, Incidents, LockWait, Login, Maintenance, Message, Named, Process,
    QueryRef, TemporaryFiles, When,
};
use crate::{
    report::{ms, rounded, whole_seconds},
    sql::Fingerprint,
    workload::{
        InputSummary, Workload,
        incidents::{self, Counts, Kind},
    },
};

/// Queries shown of one message, and names of one list.
const SHOWN: usize = 10;

pub(in crate::report) fn incidents(workload: &Workload, inputs: &[InputSummary]) -> Incidents {
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
