//! Runs of autovacuum, as `log_autovacuum_min_duration` tells them (`heap_vacuum_rel` and
//! `do_analyze_rel` of PostgreSQL, versions 13 to 18).

use memchr::{memchr, memmem};

use super::number::{after, milliseconds_after, seconds_after, whole_after, whole_before};
use crate::workload::incidents::{Maintenance, MaintenanceKind};

/// `automatic vacuum of table "shop.public.orders": index scans: 1` and the lines after it.
pub(super) fn run(message: &[u8]) -> Option<Maintenance<'_>> {
    let rest = message.strip_prefix(b"automatic ")?;
    let head = &rest[..memchr(b'"', rest)?];
    let (table, rest) = quoted(rest)?;
    let has = |word: &[u8]| memmem::find(head, word).is_some();
    if head.starts_with(b"analyze of table ") {
        return Some(timed(Maintenance::new(MaintenanceKind::Analyze, table), rest));
    }
    if !head.ends_with(b" of table ") || !has(b"vacuum") {
        return None;
    }
    let pages = after(rest, b"\npages: ").map(line).unwrap_or_default();
    let tuples = after(rest, b"\ntuples: ").map(line).unwrap_or_default();
    let run = Maintenance {
        aggressive: has(b"aggressive "),
        wraparound: has(b"to prevent wraparound"),
        index_scans: whole_after(rest, b"index scans: ").unwrap_or(0),
        pages_removed: whole_before(pages, b" removed").unwrap_or(0),
        pages_remain: whole_before(pages, b" remain").unwrap_or(0),
        tuples_removed: whole_before(tuples, b" removed").unwrap_or(0),
        tuples_remain: whole_before(tuples, b" remain").unwrap_or(0),
        tuples_dead: whole_before(tuples, b" are dead but not yet removable").unwrap_or(0),
        ..Maintenance::new(MaintenanceKind::Vacuum, table)
    };
    Some(timed(run, rest))
}

/// What vacuum and analyze tell alike.
fn timed<'a>(run: Maintenance<'a>, text: &[u8]) -> Maintenance<'a> {
    let usage = after(text, b"system usage: ").map(line).unwrap_or_default();
    let timings = after(text, b"I/O timings: ").map(line);
    let wal = after(text, b"WAL usage: ").map(line).unwrap_or_default();
    Maintenance {
        elapsed_us: seconds_after(usage, b"elapsed: ").unwrap_or(0),
        cpu_us: seconds_after(usage, b"user: ")
            .unwrap_or(0)
            .saturating_add(seconds_after(usage, b"system: ").unwrap_or(0)),
        read_us: timings.and_then(|timings| milliseconds_after(timings, b"read: ")),
        write_us: timings.and_then(|timings| milliseconds_after(timings, b"write: ")),
        wal_bytes: whole_before(wal, b" bytes"),
        ..run
    }
}

/// `skipping vacuum of "orders" --- lock not available`.
pub(super) fn skipped(message: &[u8]) -> Option<Maintenance<'_>> {
    let rest = message.strip_prefix(b"skipping ")?;
    if !rest.starts_with(b"vacuum of \"") && !rest.starts_with(b"analyze of \"") {
        return None;
    }
    let (table, rest) = quoted(rest)?;
    memmem::find(rest, b"lock not available")?;
    Some(Maintenance::new(MaintenanceKind::Skipped, table))
}

/// `canceling autovacuum task`, whose CONTEXT names the table.
pub(super) fn cancelled(context: Option<&[u8]>) -> Option<Maintenance<'_>> {
    let context = context?;
    let rest = after(context, b"automatic vacuum of table ")
        .or_else(|| after(context, b"automatic analyze of table "))?;
    Some(Maintenance::new(MaintenanceKind::Cancelled, quoted(rest)?.0))
}

/// What stands in the first pair of double quotes, and what follows them.
fn quoted(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let inside = &text[memchr(b'"', text)? + 1..];
    let end = memchr(b'"', inside)?;
    Some((&inside[..end], &inside[end + 1..]))
}

fn line(text: &[u8]) -> &[u8] {
    &text[..memchr(b'\n', text).unwrap_or(text.len())]
}
