//! What one unit of work did again and again: N+1 and its look-alikes.

use std::{cmp::Ordering, collections::BTreeMap};

use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

use super::{outline::Outlines, units::Placed};
use crate::sql::{Fingerprint, StatementKind};

/// How a unit of work was told apart, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Evidence {
    /// One trace id.
    Trace,
    /// One request or job tag.
    Tag,
    /// One explicit transaction of one session.
    Transaction,
    /// Statements of one session with no long pause between them.
    Burst,
    /// One loop over the sessions of a pool: close in time, and mostly fed by one query before it.
    Pool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RepetitionKind {
    /// The same SELECT for many values.
    NPlusOne,
    /// The same SELECT for the same values.
    Duplicate,
    /// The same INSERT, UPDATE or DELETE for many values.
    WriteLoop,
}

/// One query repeated in units of work, over the whole log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Repetition {
    pub kind: RepetitionKind,
    pub child: Fingerprint,
    /// The query that ran before the first repeat in most units, where one did.
    pub parent: Option<Fingerprint>,
    /// The strongest that any of the units has.
    pub evidence: Evidence,
    /// Units that show it, and how many of them by each evidence.
    pub units: u64,
    pub units_by_evidence: BTreeMap<Evidence, u64>,
    /// Repeats in all of them together, and in a unit.
    pub repeats: u64,
    pub min_repeats: u64,
    pub median_repeats: u64,
    pub max_repeats: u64,
    /// Sum over the units of the distinct values in each.
    pub distinct_values: u64,
    /// Constants and bind values of all repeats; a list counts each.
    pub sizes: u64,
    /// Microseconds of all repeats.
    pub total_us: u64,
    /// The most expensive first, at most [`Repetition::OCCURRENCES`].
    pub occurrences: Vec<Occurrence>,
}

impl Repetition {
    /// Occurrences that are kept.
    pub const OCCURRENCES: usize = 1000;
    /// Occurrences that a report shows unless it is asked for all.
    pub const SHOWN: usize = 20;
    /// Repeats in one unit from which it counts: fewer are an ordinary page (Sentry's threshold, too).
    pub const LEAST: u64 = 5;
    /// Distinct values from which repeats are an N+1 rather than a duplicate.
    const DISTINCT: u64 = 3;
}

/// One unit of work that shows a repetition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    /// When its first and last repeat ended: microseconds since 1970.
    pub start: Option<i64>,
    pub end: Option<i64>,
    /// Process ids, sorted.
    pub sessions: Vec<u32>,
    pub repeats: u64,
    pub distinct_values: u64,
    /// Microseconds.
    pub total_us: u64,
}

impl Occurrence {
    /// The most expensive first; the rest makes the order total. Times stand last and in whole
    /// seconds, since the formats of one log may show them with more or less precision.
    fn order(&self, other: &Occurrence) -> Ordering {
        let second = |time: Option<i64>| time.map(|time| time.div_euclid(1_000_000));
        let times = |one: &Occurrence| (one.distinct_values, second(one.start), one.start);
        let costs = (other.total_us, other.repeats).cmp(&(self.total_us, self.repeats));
        costs.then_with(|| self.sessions.cmp(&other.sessions)).then_with(|| times(self).cmp(&times(other)))
    }
}

/// Repetitions of all units folded so far: a commutative monoid.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Repetitions {
    groups: BTreeMap<(RepetitionKind, Fingerprint), Group>,
    /// Repeats whose values the log does not show.
    pub(super) without_values: u64,
    #[serde(default)]
    pub(super) outlines: Outlines,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Group {
    /// Units by their evidence.
    units: BTreeMap<Evidence, u64>,
    parents: BTreeMap<Option<Fingerprint>, u64>,
    /// Units by their repeats.
    repeats: BTreeMap<u64, u64>,
    distinct_values: u64,
    sizes: u64,
    total_us: u64,
    /// In no order; up to twice as many as are kept in the end.
    occurrences: Vec<Occurrence>,
}

impl Repetitions {
    /// Takes in the repeats of one query in one unit, if there are enough.
    pub(super) fn fold(&mut self, parent: Option<Fingerprint>, repeats: &[&Placed], evidence: Evidence) {
        let (Some(first), Some(last)) = (repeats.first(), repeats.last()) else { return };
        let count = repeats.len() as u64;
        if count < Repetition::LEAST {
            return;
        }
        let Some(values) = repeats.iter().map(|step| step.values()).collect::<Option<FxHashSet<u32>>>()
        else {
            self.without_values += count;
            return;
        };
        let distinct_values = values.len() as u64;
        let kind = match first.kind {
            Some(kind) if is_write(kind) => RepetitionKind::WriteLoop,
            _ if distinct_values >= Repetition::DISTINCT => RepetitionKind::NPlusOne,
            _ => RepetitionKind::Duplicate,
        };
        let mut sessions: Vec<u32> = repeats.iter().map(|step| step.session).collect();
        sessions.sort_unstable();
        sessions.dedup();
        let total_us = repeats.iter().map(|step| u64::from(step.duration)).sum();
        let occurrence = Occurrence {
            start: first.end(),
            end: last.end(),
            sessions,
            repeats: count,
            distinct_values,
            total_us,
        };
        self.add(
            (kind, first.query),
            Group {
                units: BTreeMap::from([(evidence, 1)]),
                parents: BTreeMap::from([(parent, 1)]),
                repeats: BTreeMap::from([(count, 1)]),
                distinct_values,
                sizes: repeats.iter().map(|step| u64::from(step.size)).sum(),
                total_us,
                occurrences: vec![occurrence],
            },
        );
    }

    pub(super) fn merge(&mut self, other: Repetitions) {
        self.without_values += other.without_values;
        self.outlines.merge(other.outlines);
        for (key, group) in other.groups {
            self.add(key, group);
        }
    }

    fn add(&mut self, key: (RepetitionKind, Fingerprint), group: Group) {
        let Some(ours) = self.groups.get_mut(&key) else {
            self.groups.insert(key, group);
            return;
        };
        for (evidence, units) in group.units {
            *ours.units.entry(evidence).or_default() += units;
        }
        for (parent, units) in group.parents {
            *ours.parents.entry(parent).or_default() += units;
        }
        for (repeats, units) in group.repeats {
            *ours.repeats.entry(repeats).or_default() += units;
        }
        ours.distinct_values += group.distinct_values;
        ours.sizes += group.sizes;
        ours.total_us += group.total_us;
        ours.occurrences.extend(group.occurrences);
        // To sort them for each that comes would cost more than all the rest.
        if ours.occurrences.len() >= 2 * Repetition::OCCURRENCES {
            ours.occurrences.select_nth_unstable_by(Repetition::OCCURRENCES, Occurrence::order);
            ours.occurrences.truncate(Repetition::OCCURRENCES);
        }
    }

    /// The most expensive first.
    pub(super) fn all(&self) -> Vec<Repetition> {
        let mut all: Vec<Repetition> =
            self.groups.iter().map(|(&(kind, child), group)| group.repetition(kind, child)).collect();
        all.sort_by_key(|found| (std::cmp::Reverse(found.total_us), found.child, found.kind));
        all
    }
}

impl Group {
    fn repetition(&self, kind: RepetitionKind, child: Fingerprint) -> Repetition {
        let units: u64 = self.units.values().sum();
        let mut seen = 0;
        let median = self.repeats.iter().find(|&(_, &count)| {
            seen += count;
            seen * 2 >= units
        });
        let mut occurrences = self.occurrences.clone();
        occurrences.sort_by(Occurrence::order);
        occurrences.truncate(Repetition::OCCURRENCES);
        // The commonest parent; no parent only where no unit has one.
        let parent = self
            .parents
            .iter()
            .filter_map(|(&parent, &units)| Some((units, std::cmp::Reverse(parent?))))
            .max()
            .map(|(_, parent)| parent.0);
        Repetition {
            kind,
            child,
            parent,
            evidence: self.units.first_key_value().map_or(Evidence::Burst, |(&evidence, _)| evidence),
            units,
            units_by_evidence: self.units.clone(),
            repeats: self.repeats.iter().map(|(repeats, units)| repeats * units).sum(),
            min_repeats: self.repeats.first_key_value().map_or(0, |(&repeats, _)| repeats),
            median_repeats: median.map_or(0, |(&repeats, _)| repeats),
            max_repeats: self.repeats.last_key_value().map_or(0, |(&repeats, _)| repeats),
            distinct_values: self.distinct_values,
            sizes: self.sizes,
            total_us: self.total_us,
            occurrences,
        }
    }
}

fn is_write(kind: StatementKind) -> bool {
    matches!(kind, StatementKind::Insert | StatementKind::Update | StatementKind::Delete)
}
