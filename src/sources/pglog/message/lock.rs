//! Lock waits, as `log_lock_waits` tells them (PostgreSQL's `storage/lmgr/proc.c`):
//! `process 12 still waiting for ShareLock on transaction 793 after 1000.088 ms`.

use memchr::memmem;

use super::{
    Entry,
    number::{after, milliseconds, whole},
    without_sqlstate,
};
use crate::workload::incidents::{LockWait, WaitState};

pub(super) fn wait<'a>(message: &'a [u8], entry: &Entry<'a>) -> Option<LockWait<'a>> {
    let (waiter, rest) = whole(message.strip_prefix(b"process ")?)?;
    let (state, rest) = if let Some(rest) = rest.strip_prefix(b" still waiting for ") {
        (WaitState::Waiting, rest)
    } else {
        (WaitState::Acquired, rest.strip_prefix(b" acquired ")?)
    };
    let on = memmem::find(rest, b" on ")?;
    let after_at = memmem::rfind(rest, b" after ")?;
    let object = rest.get(on + 4..after_at)?;
    let (us, _) = milliseconds(&rest[after_at + 7..])?;
    let detail = entry.detail.map(|detail| without_sqlstate(detail).1);
    // `Process holding the lock: 2164. Wait queue: 2170.` or `Processes holding the lock: 1, 2. …`
    let holder = detail.and_then(|detail| whole(after(detail, b" holding the lock: ")?));
    Some(LockWait {
        state,
        waiter: u32::try_from(waiter).ok()?,
        mode: &rest[..on],
        object,
        waited: us,
        holder: holder.and_then(|(holder, _)| u32::try_from(holder).ok()),
        context: entry.context,
        sql: entry.statement,
    })
}
