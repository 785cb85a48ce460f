//! The DETAIL of `deadlock detected`: who waited for what, and the statements.
//!
//! ```text
//! Process 2164 waits for ShareLock on transaction 792; blocked by process 2170.
//! Process 2170 waits for ShareLock on transaction 791; blocked by process 2164.
//! Process 2164: UPDATE accounts …
//! Process 2170: UPDATE accounts …
//! ```
//!
//! The process that found the deadlock stands first, and is the victim. Statements are cut at
//! `track_activity_query_size`; the victim's own is known whole.

use memchr::memmem;

use serde::{Deserialize, Serialize};

use super::locks;
use crate::sql::{Fingerprint, Normalizer};

/// One of the processes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Process {
    /// `None` where the server could not tell.
    pub query: Option<Fingerprint>,
    /// The lock that it waited for.
    pub mode: String,
    pub object: String,
}

/// Deadlocks of the same statements over the same table, whoever was the victim.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DeadlockKey {
    /// Sorted.
    pub processes: Vec<Process>,
    /// Where the victim was, from its CONTEXT.
    pub relation: Option<String>,
}

/// Processes of one deadlock that are read.
const MOST: usize = 16;

/// The key and the victim's place in it; tells each statement.
pub(super) fn read(
    detail: &[u8],
    context: Option<&[u8]>,
    victim: Option<&[u8]>,
    normalizer: &mut Normalizer,
    mut query: impl FnMut(&[u8], &mut Normalizer) -> Fingerprint,
) -> (DeadlockKey, Option<usize>) {
    let mut waits: Vec<(&[u8], String, String)> = Vec::new();
    let mut rest = detail;
    while let Some((pid, mode, object, after)) = waiting(rest).filter(|_| waits.len() < MOST) {
        waits.push((pid, mode, object));
        rest = after;
    }
    let mut processes: Vec<(bool, Process)> = Vec::new();
    for (at, (pid, mode, object)) in waits.iter().enumerate() {
        let mut text = statement(rest, pid, waits.get(at + 1).map(|next| next.0));
        if let Some(whole) = victim
            && at == 0
        {
            text = Some(whole);
        }
        let query = text.filter(|text| !text.starts_with(b"<")).map(|text| query(text, normalizer));
        processes.push((at == 0, Process { query, mode: mode.clone(), object: object.clone() }));
    }
    processes.sort_by(|a, b| a.1.cmp(&b.1));
    let victim = processes.iter().position(|(victim, _)| *victim);
    let processes = processes.into_iter().map(|(_, process)| process).collect();
    (DeadlockKey { processes, relation: context.and_then(locks::relation) }, victim)
}

/// One `Process … waits for … on …; blocked by process ….` and what follows its line.
fn waiting(text: &[u8]) -> Option<(&[u8], String, String, &[u8])> {
    let end = memchr::memchr(b'\n', text).unwrap_or(text.len());
    let (line, after) = (&text[..end], text.get(end + 1..).unwrap_or_default());
    let rest = line.strip_prefix(b"Process ")?;
    let pid = &rest[..rest.iter().take_while(|b| b.is_ascii_digit()).count()];
    let rest = rest[pid.len()..].strip_prefix(b" waits for ")?;
    let on = memmem::find(rest, b" on ")?;
    let object = &rest[on + 4..memmem::rfind(rest, b"; blocked by process ").filter(|&at| at >= on + 4)?];
    Some((pid, String::from_utf8_lossy(&rest[..on]).into_owned(), locks::object(object).0, after))
}

/// The statement of a process: from its own line to that of the next process.
fn statement<'a>(text: &'a [u8], pid: &[u8], next: Option<&[u8]>) -> Option<&'a [u8]> {
    let label = |pid: &[u8]| [b"Process ", pid, b": "].concat();
    let own = label(pid);
    let from = if text.starts_with(&own) {
        own.len()
    } else {
        let line = [b"\n", own.as_slice()].concat();
        memmem::find(text, &line)? + line.len()
    };
    let rest = &text[from..];
    let end = next.and_then(|next| memmem::find(rest, &[b"\n", label(next).as_slice()].concat()));
    Some(&rest[..end.unwrap_or(rest.len())])
}
