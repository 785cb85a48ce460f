//! What a log tells besides statements: lock waits, temporary files, checkpoints, autovacuum,
//! connections, and what happened to the server.
//!
//! One look at the first byte decides which forms are tried.

use super::{
    Entry, checkpoint, lock, maintenance,
    number::{after, seconds, whole, whole_after},
    without_sqlstate,
};
use crate::workload::incidents::{Incident, forms};

/// Of a LOG entry that is about no statement.
pub(super) fn of_log<'a>(message: &'a [u8], entry: &Entry<'a>) -> Option<Incident<'a>> {
    let told = match message.first()? {
        b'p' => lock::wait(message, entry).map(Incident::LockWait),
        b't' => temporary_file(message, entry),
        b'c' => checkpoint(message, b"checkpoint").or_else(|| {
            let rest = message.strip_prefix(b"checkpoints are occurring too frequently (")?;
            Some(Incident::CheckpointsTooFrequent { seconds: whole(rest)?.0 })
        }),
        b'r' => checkpoint(message, b"restartpoint"),
        b'a' => maintenance::run(message).map(Incident::Maintenance),
        b's' => maintenance::skipped(message).map(Incident::Maintenance),
        _ => None,
    };
    told.or_else(|| {
        message.starts_with(b"connection authenticated: ").then_some(Incident::ConnectionAuthenticated)
    })
    .or_else(|| of_warning(message, entry))
}

/// Of a WARNING: what happened to the server.
pub(super) fn of_warning<'a>(message: &'a [u8], entry: &Entry<'a>) -> Option<Incident<'a>> {
    forms::is_server(message).then(|| {
        // The DETAIL of a process that died: `Failed process was running: SELECT …`.
        let running = entry.detail.and_then(|detail| after(detail, b"Failed process was running: "));
        Incident::Server { message, sql: running.or(entry.statement) }
    })
}

/// What an ERROR tells besides its message.
pub(in crate::sources) fn of_failure<'a>(message: &[u8], entry: &Entry<'a>) -> Option<Incident<'a>> {
    match message {
        b"deadlock detected" => {
            let detail = without_sqlstate(entry.detail?).1;
            Some(Incident::Deadlock { detail, context: entry.context, sql: entry.statement })
        }
        b"canceling autovacuum task" => maintenance::cancelled(entry.context).map(Incident::Maintenance),
        _ => None,
    }
}

fn temporary_file<'a>(message: &[u8], entry: &Entry<'a>) -> Option<Incident<'a>> {
    let rest = message.strip_prefix(b"temporary file: ")?;
    Some(Incident::TemporaryFile { bytes: whole_after(rest, b", size ")?, sql: entry.statement })
}

fn checkpoint<'a>(message: &'a [u8], what: &[u8]) -> Option<Incident<'a>> {
    let rest = message.strip_prefix(what)?;
    let restart = what == b"restartpoint";
    if let Some(flags) = rest.strip_prefix(b" starting: ") {
        return Some(Incident::CheckpointStarts { restart, cause: checkpoint::cause(flags) });
    }
    checkpoint::end(rest.strip_prefix(b" complete: ")?).map(Incident::CheckpointEnds)
}

/// `disconnection: session time: 0:00:07.020 user=…` as microseconds.
pub(in crate::sources) fn session_time(message: &[u8]) -> Option<u64> {
    let (hours, rest) = whole(after(message, b"session time: ")?)?;
    let (minutes, rest) = whole(rest.strip_prefix(b":")?)?;
    let rest = seconds(rest.strip_prefix(b":")?)?;
    Some(hours.saturating_mul(60).saturating_add(minutes).saturating_mul(60_000_000).saturating_add(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_times_have_hours_without_end() {
        for (message, expect) in [
            ("disconnection: session time: 0:00:07.020 user=app", Some(7_020_000)),
            ("disconnection: session time: 100:01:00.001 user=app", Some(360_060_001_000)),
            ("disconnection: session time: 0:00", None),
        ] {
            assert_eq!(session_time(message.as_bytes()), expect, "{message}");
        }
    }

    #[test]
    fn figures_of_checkpoints_in_every_version() {
        for text in [
            "wrote 12 buffers (0.1%); 1 WAL file(s) added, 2 removed, 3 recycled; write=1.500 s, sync=0.010 s, total=1.600 s; sync files=2, longest=0.005 s, average=0.005 s; distance=16 kB, estimate=32 kB",
            "wrote 12 buffers (0.1%), wrote 3 SLRU buffers; 1 WAL file(s) added, 2 removed, 3 recycled; write=1.500 s, sync=0.010 s, total=1.600 s; sync files=2, longest=0.005 s, average=0.005 s; distance=16 kB, estimate=32 kB; lsn=0/1A, redo lsn=0/1A",
        ] {
            let end = checkpoint::end(text.as_bytes()).expect("figures");
            assert_eq!((end.buffers, end.wal_added, end.wal_removed, end.wal_recycled), (12, 1, 2, 3));
            assert_eq!((end.write_us, end.sync_us, end.total_us), (1_500_000, 10_000, 1_600_000));
            assert_eq!((end.distance_bytes, end.estimate_bytes), (Some(16_384), Some(32_768)));
        }
    }
}
