//! A few executions of a query as they were, chosen by what they are and not by when they came.

use serde::{Deserialize, Serialize};

use super::event::Position;

/// One execution, with its literals: never printed unless asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// The statement as it was sent; cut after [`Sample::LONGEST`] bytes.
    pub sql: String,
    /// False when `sql` was cut: it cannot be planned.
    pub complete: bool,
    /// `None` where the log has none, or more than [`Sample::LONGEST`] bytes; an inner `None` is NULL.
    pub binds: Option<Vec<Option<String>>>,
    /// Microseconds.
    pub duration: Option<u64>,
    pub position: Position,
    /// The database it ran in.
    pub database: Option<String>,
    /// Hash of its constants and bind values.
    pub values: u64,
}

impl Sample {
    /// Bytes of SQL that a sample keeps.
    pub const LONGEST: usize = 16 * 1024;
}

/// The slowest execution, and up to three with the smallest hashes of their values.
///
/// A hash is as good as chance for picking, and the same log always gives the same samples, however
/// it was cut.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Samples {
    slowest: Option<Box<Sample>>,
    picked: Vec<Sample>,
}

impl Samples {
    /// One more than are shown, since the slowest may be among them.
    const PICKED: usize = 3;

    /// The slowest first, then others with other values: at most three.
    pub fn iter(&self) -> impl Iterator<Item = &Sample> {
        let slowest = self.slowest.as_deref();
        let other = move |sample: &&Sample| slowest.is_none_or(|slowest| slowest.values != sample.values);
        slowest.into_iter().chain(self.picked.iter().filter(other)).take(3)
    }

    /// Whether an execution would be kept: asked before anything is copied.
    pub(super) fn wants(&self, values: u64, duration: Option<u64>, position: Position) -> bool {
        self.slower(values, duration, position) || self.rarer(values, position)
    }

    pub(super) fn add(&mut self, sample: Sample) {
        if self.rarer(sample.values, sample.position) {
            match self.picked.binary_search_by_key(&sample.values, |picked| picked.values) {
                Ok(at) => self.picked[at] = sample.clone(),
                Err(at) => self.picked.insert(at, sample.clone()),
            }
            self.picked.truncate(Samples::PICKED);
        }
        if self.slower(sample.values, sample.duration, sample.position) {
            self.slowest = Some(Box::new(sample));
        }
    }

    pub(super) fn merge(&mut self, other: Samples) {
        for sample in other.slowest.map(|slowest| *slowest).into_iter().chain(other.picked) {
            self.add(sample);
        }
    }

    /// Changes every sample that is kept. What they are chosen by stays as it is.
    pub(super) fn each(&mut self, change: impl FnMut(&mut Sample)) {
        self.slowest.as_deref_mut().into_iter().chain(&mut self.picked).for_each(change);
    }

    /// Bytes of the statements and values that are kept.
    pub(super) fn bytes(&self) -> usize {
        let kept = self.slowest.as_deref().into_iter().chain(&self.picked);
        kept.map(|sample| {
            sample.sql.len() + sample.binds.iter().flatten().flatten().map(String::len).sum::<usize>()
        })
        .sum()
    }

    fn slower(&self, values: u64, duration: Option<u64>, position: Position) -> bool {
        self.slowest
            .as_ref()
            .is_none_or(|kept| (duration, kept.values, kept.position) > (kept.duration, values, position))
    }

    fn rarer(&self, values: u64, position: Position) -> bool {
        match self.picked.binary_search_by_key(&values, |picked| picked.values) {
            Ok(at) => position < self.picked[at].position,
            Err(at) => at < Samples::PICKED,
        }
    }
}
