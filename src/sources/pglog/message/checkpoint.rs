//! Checkpoints and restartpoints, as `log_checkpoints` tells them (`LogCheckpointStart` and
//! `LogCheckpointEnd` of PostgreSQL's `access/transam/xlog.c`, versions 13 to 18).

use super::number::{seconds_after, whole_after, whole_before};
use crate::workload::incidents::{CheckpointCause, CheckpointEnd};

/// The flags after `checkpoint starting: `.
pub(super) fn cause(flags: &[u8]) -> CheckpointCause {
    let has = |word: &[u8]| flags.split(|b| *b == b' ').any(|flag| flag == word);
    if has(b"shutdown") || has(b"end-of-recovery") {
        CheckpointCause::Server
    } else if has(b"time") {
        CheckpointCause::Time
    } else if has(b"wal") || has(b"xlog") {
        // `xlog` up to version 14.
        CheckpointCause::Wal
    } else {
        CheckpointCause::Request
    }
}

/// The figures of `checkpoint complete: wrote 1562 buffers (9.5%); …`.
pub(super) fn end(text: &[u8]) -> Option<CheckpointEnd> {
    Some(CheckpointEnd {
        buffers: whole_after(text, b"wrote ")?,
        write_us: seconds_after(text, b"write=").unwrap_or(0),
        sync_us: seconds_after(text, b"sync=").unwrap_or(0),
        total_us: seconds_after(text, b"total=")?,
        wal_added: whole_before(text, b" WAL file(s) added").unwrap_or(0),
        wal_removed: whole_before(text, b" removed").unwrap_or(0),
        wal_recycled: whole_before(text, b" recycled").unwrap_or(0),
        distance_bytes: kilobytes(text, b"distance="),
        estimate_bytes: kilobytes(text, b"estimate="),
    })
}

fn kilobytes(text: &[u8], label: &[u8]) -> Option<u64> {
    whole_after(text, label)?.checked_mul(1024)
}
