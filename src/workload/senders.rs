//! Who sends what: executions by database, user, application and host.
//!
//! An execution is counted for its sender, the four names together; the figures of one database, user,
//! application or host are sums over the senders that bear its name. A query keeps its calls by sender.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::Hasher as _,
};

use rustc_hash::{FxHashMap, FxHasher};

use serde::{Deserialize, Serialize};

use super::{
    event::Event,
    series::{Load, Series, Sum as _},
    tally::Tally,
};

/// More senders than this are a log in which a name is not a name; the cheapest are then folded together.
const MOST: usize = 1000;

/// The name of what was folded.
const OTHERS: &[u8] = b"(others)";

/// What a sender may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Dimension {
    Database,
    User,
    Application,
    Host,
}

/// The figures of one name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Breakdown {
    pub tally: Tally,
    pub series: Series<Load>,
    /// Distinct queries.
    pub queries: u64,
}

/// By [`Dimension`]; empty where the log has no name.
type Names = [Box<[u8]>; 4];

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Sender {
    names: Names,
    tally: Tally,
    series: Series<Load>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Senders {
    all: Vec<Sender>,
    by_hash: FxHashMap<u64, u32>,
    /// The one that was asked for last.
    last: usize,
}

/// Calls and microseconds of a query by the index of the sender.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shares(Vec<(u32, Load)>);

fn names_of<'a>(event: &Event<'a>) -> [&'a [u8]; 4] {
    [event.database, event.user, event.application, event.host].map(Option::unwrap_or_default)
}

fn is(names: &Names, wanted: &[&[u8]; 4]) -> bool {
    names.iter().zip(wanted).all(|(name, wanted)| **name == **wanted)
}

fn hash(names: &[&[u8]; 4]) -> u64 {
    let mut hasher = FxHasher::default();
    for name in names {
        hasher.write(name);
        hasher.write_usize(name.len());
    }
    hasher.finish()
}

/// An index as it is kept: there are never so many senders.
fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

impl Senders {
    /// The index of an event's sender.
    pub(super) fn index_of(&mut self, event: &Event<'_>) -> u32 {
        number(self.index(&names_of(event)))
    }

    /// Counts one execution of the sender with this index. Hot.
    pub(super) fn count(&mut self, event: &Event<'_>, bucket: usize, sender: u32) {
        let Some(sender) = self.all.get_mut(sender as usize) else { return };
        sender.tally.count(event, bucket);
        if let Some(end) = event.end {
            let load = Load { calls: 1, total_us: event.duration.unwrap_or(0) };
            sender.series.at(end.div_euclid(1_000_000)).add(&load);
        }
    }

    pub(super) fn error(&mut self, event: &Event<'_>) {
        let at = self.index(&names_of(event));
        self.all[at].tally.errors += 1;
    }

    fn index(&mut self, names: &[&[u8]; 4]) -> usize {
        if self.all.get(self.last).is_some_and(|sender| is(&sender.names, names)) {
            return self.last;
        }
        let hash = hash(names);
        let known = self.by_hash.get(&hash).map(|&at| at as usize);
        let at = match known.filter(|&at| is(&self.all[at].names, names)) {
            Some(at) => at,
            // Two senders of one hash are found one by one.
            None => self.all.iter().position(|sender| is(&sender.names, names)).unwrap_or_else(|| {
                let at = self.all.len();
                self.by_hash.entry(hash).or_insert(number(at));
                let names = names.map(Into::into);
                self.all.push(Sender { names, tally: Tally::default(), series: Series::default() });
                at
            }),
        };
        self.last = at;
        at
    }

    /// Takes in the senders of what came after; which index each of them has here.
    pub(super) fn merge(&mut self, later: Senders) -> Vec<u32> {
        let known = later.all.into_iter().map(|sender| self.take(&sender));
        known.collect()
    }

    fn take(&mut self, sender: &Sender) -> u32 {
        let names = [0, 1, 2, 3].map(|dimension| &*sender.names[dimension]);
        let at = self.index(&names);
        self.all[at].tally.add(&sender.tally);
        self.all[at].series.merge(&sender.series);
        number(at)
    }

    /// Folds the cheapest senders together when there are too many to keep; which index each has now, and
    /// how many were folded.
    pub(super) fn bound(&mut self) -> Option<(Vec<u32>, u64)> {
        if self.all.len() <= MOST {
            return None;
        }
        let mut cheapest: Vec<usize> = (0..self.all.len()).collect();
        cheapest.sort_unstable_by_key(|&at| {
            (self.all[at].tally.total_us, self.all[at].tally.calls, &self.all[at].names)
        });
        let folded: BTreeSet<usize> = cheapest[..MOST / 2].iter().copied().collect();
        let before = std::mem::take(self);
        let others = || -> Names { [(); 4].map(|()| OTHERS.into()) };
        let now = before.all.into_iter().enumerate().map(|(at, mut sender)| {
            if folded.contains(&at) {
                sender.names = others();
            }
            self.take(&sender)
        });
        Some((now.collect(), folded.len() as u64))
    }

    /// Everything together.
    pub(super) fn overall(&self) -> Tally {
        let mut overall = Tally::default();
        for sender in &self.all {
            overall.add(&sender.tally);
        }
        overall
    }

    /// The figures of each name of a dimension; executions without a name are in none.
    pub(super) fn by<'a>(
        &self,
        dimension: Dimension,
        queries: impl Iterator<Item = &'a Shares>,
    ) -> BTreeMap<String, Breakdown> {
        let mut found: BTreeMap<&[u8], Breakdown> = BTreeMap::new();
        for sender in &self.all {
            let one = found.entry(&sender.names[dimension as usize]).or_default();
            one.tally.add(&sender.tally);
            one.series.merge(&sender.series);
        }
        for shares in queries {
            let names: BTreeSet<&[u8]> =
                shares.iter().map(|(at, _)| &*self.all[at as usize].names[dimension as usize]).collect();
            for name in names {
                if let Some(one) = found.get_mut(name) {
                    one.queries += 1;
                }
            }
        }
        let named = found.into_iter().filter(|(name, _)| !name.is_empty());
        named.map(|(name, one)| (String::from_utf8_lossy(name).into_owned(), one)).collect()
    }

    /// Calls of one query by each name of a dimension.
    pub(super) fn shares_by(&self, dimension: Dimension, shares: &Shares) -> BTreeMap<String, Load> {
        let mut found: BTreeMap<String, Load> = BTreeMap::new();
        for (at, load) in shares.iter() {
            let name = &self.all[at as usize].names[dimension as usize];
            if !name.is_empty() {
                found.entry(String::from_utf8_lossy(name).into_owned()).or_default().add(&load);
            }
        }
        found
    }

    /// A name of a sender, where the log has one.
    pub(super) fn name(&self, sender: u32, dimension: Dimension) -> Option<String> {
        let name = &self.all.get(sender as usize)?.names[dimension as usize];
        (!name.is_empty()).then(|| String::from_utf8_lossy(name).into_owned())
    }
}

impl Shares {
    /// Hot.
    pub(super) fn add(&mut self, sender: u32, load: Load) {
        match self.0.iter_mut().find(|(known, _)| *known == sender) {
            Some((_, sum)) => sum.add(&load),
            None => self.0.push((sender, load)),
        }
    }

    /// Gives the senders the indexes that they have elsewhere.
    pub(super) fn renumber(&mut self, now: &[u32]) {
        for (sender, load) in std::mem::take(&mut self.0) {
            if let Some(&sender) = now.get(sender as usize) {
                self.add(sender, load);
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Shares) {
        for (sender, load) in &other.0 {
            self.add(*sender, *load);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, Load)> {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{Binds, EventKind, Position};

    fn event(user: &[u8], host: &'static [u8]) -> Event<'static> {
        let kind = EventKind::Execution { sql: b"SELECT 1", binds: Binds::Unknown };
        Event {
            duration: Some(1000),
            user: Some(user.to_vec().leak()),
            host: Some(host),
            ..Event::new(kind, Position::default())
        }
    }

    fn count(senders: &mut Senders, event: &Event<'_>) -> u32 {
        let sender = senders.index_of(event);
        senders.count(event, 3, sender);
        sender
    }

    #[test]
    fn a_sender_is_found_again() {
        let mut senders = Senders::default();
        let first = count(&mut senders, &event(b"app", b"a"));
        assert_ne!(count(&mut senders, &event(b"app", b"b")), first);
        assert_eq!(count(&mut senders, &event(b"app", b"a")), first);
        let by = senders.by(Dimension::User, std::iter::empty());
        assert_eq!(by["app"].tally.calls, 3);
        assert!(senders.by(Dimension::Database, std::iter::empty()).is_empty());
    }

    #[test]
    fn too_many_are_folded_and_none_is_lost() {
        let mut senders = Senders::default();
        let mut shares = Shares::default();
        for user in 0..1500 {
            let sender = count(&mut senders, &event(format!("u{user}").as_bytes(), b"a"));
            shares.add(sender, Load { calls: 1, total_us: 1000 });
        }
        let (now, folded) = senders.bound().expect("too many");
        shares.renumber(&now);
        let by = senders.by(Dimension::User, std::iter::once(&shares));
        assert_eq!((folded, by.len()), (500, 1001));
        assert_eq!(by["(others)"].tally.calls, 500);
        assert_eq!(senders.overall().calls, 1500);
        assert_eq!(senders.shares_by(Dimension::User, &shares)["(others)"].calls, 500);
    }
}
