//! How often something happened, when, and to whom.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    sql::Fingerprint,
    workload::{Event, Names, Position},
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub count: u64,
    /// Microseconds since 1970.
    pub first: Option<i64>,
    pub last: Option<i64>,
    /// Where the first one stands.
    pub at: Option<Position>,
    pub databases: Names,
    pub users: Names,
    pub hosts: Names,
    /// Statements that it happened to, with how often.
    pub queries: BTreeMap<Fingerprint, u64>,
}

/// Statements kept for one sort of incident.
const MOST_QUERIES: usize = 1000;

impl Tally {
    pub(super) fn add(&mut self, event: &Event<'_>, query: Option<Fingerprint>) {
        self.count += 1;
        if let Some(time) = event.end {
            self.first = Some(self.first.map_or(time, |first| first.min(time)));
            self.last = Some(self.last.map_or(time, |last| last.max(time)));
        }
        self.at = Some(self.at.map_or(event.position, |at| at.min(event.position)));
        self.databases.add(known(event.database).unwrap_or_default());
        self.users.add(known(event.user).unwrap_or_default());
        self.hosts.add(known(event.host).unwrap_or_default());
        if let Some(query) = query
            && (self.queries.len() < MOST_QUERIES || self.queries.contains_key(&query))
        {
            *self.queries.entry(query).or_default() += 1;
        }
    }

    pub(super) fn merge(&mut self, other: &Tally) {
        self.count += other.count;
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.max(other.last);
        self.at = self.at.into_iter().chain(other.at).min();
        self.databases.merge(&other.databases);
        self.users.merge(&other.users);
        self.hosts.merge(&other.hosts);
        for (&query, count) in &other.queries {
            if self.queries.len() < MOST_QUERIES || self.queries.contains_key(&query) {
                *self.queries.entry(query).or_default() += count;
            }
        }
    }

    /// Statements, the most frequent first.
    pub fn ranked(&self) -> Vec<(Fingerprint, u64)> {
        let mut ranked: Vec<_> = self.queries.iter().map(|(&query, &count)| (query, count)).collect();
        ranked.sort_by_key(|&(query, count)| (std::cmp::Reverse(count), query));
        ranked
    }
}

/// A session that has not told its name yet is `[unknown]`.
pub(super) fn known(name: Option<&[u8]>) -> Option<&[u8]> {
    name.filter(|name| !name.is_empty() && *name != b"[unknown]")
}

/// Counts by a key, up to a number of keys; what comes beyond them is counted together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts<K: Ord, V> {
    pub by_key: BTreeMap<K, V>,
    /// Of keys that found no room.
    pub others: u64,
}

impl<K: Ord, V> Default for Counts<K, V> {
    fn default() -> Counts<K, V> {
        Counts { by_key: BTreeMap::new(), others: 0 }
    }
}

impl<K: Ord, V: Default> Counts<K, V> {
    /// Keys that are kept apart.
    const MOST: usize = 5000;

    /// The value of a key, unless there is no room for it.
    pub(in crate::workload) fn at(&mut self, key: K) -> Option<&mut V> {
        if self.by_key.len() >= Counts::<K, V>::MOST && !self.by_key.contains_key(&key) {
            self.others += 1;
            return None;
        }
        Some(self.by_key.entry(key).or_default())
    }

    pub(in crate::workload) fn merge(&mut self, other: Counts<K, V>, mut add: impl FnMut(&mut V, V)) {
        for (key, value) in other.by_key {
            if let Some(ours) = self.at(key) {
                add(ours, value);
            }
        }
        self.others += other.others;
    }
}
