//! Hashes of what statements were asked with, and of names.

use std::hash::{Hash as _, Hasher};

use rustc_hash::FxHasher;

use super::Binds;
use crate::sql::Scanned;

/// Hash of the constants and the bind values; `None` when there are bind values that the log does not
/// show.
pub(super) fn values_of(scanned: &Scanned, binds: Binds<'_>) -> Option<u64> {
    match binds {
        Binds::Postgres(detail) => Some(scanned.values ^ hash(detail)),
        Binds::Values(values) => Some(scanned.values ^ hash_of(values)),
        Binds::Unknown if scanned.parameters => None,
        Binds::Unknown => Some(scanned.values),
    }
}

/// How many constants and bind values an execution has; a list or an array counts each.
pub(super) fn size_of(scanned: &Scanned, binds: Binds<'_>) -> u16 {
    let binds = match binds {
        Binds::Unknown => 0,
        // A value may hold these characters, too: this only has to tell lists from single keys.
        Binds::Postgres(detail) if memchr::memchr(b'{', detail).is_some() => {
            memchr::memchr_iter(b',', detail).count() + 1
        }
        Binds::Postgres(detail) => memchr::memchr_iter(b'$', detail).count(),
        Binds::Values(values) => {
            let each = |value: &Option<String>| match value.as_deref() {
                Some(array) if array.starts_with(['{', '[']) => array.matches(',').count() + 1,
                _ => 1,
            };
            values.iter().map(each).sum()
        }
    };
    u16::try_from(scanned.constants as usize + binds).unwrap_or(u16::MAX)
}

/// Folds a hash into half of its bits.
pub(super) fn short(hash: u64) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "the halves are meant to be mixed")]
    let half = (hash ^ (hash >> 32)) as u32;
    half
}

pub(super) fn hash_of(values: &[Option<String>]) -> u64 {
    let mut hasher = FxHasher::default();
    values.hash(&mut hasher);
    hasher.finish()
}

pub(super) fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    hasher.finish()
}
