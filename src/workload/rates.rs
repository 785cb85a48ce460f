//! How many executions ended in the busiest second and in the busiest minute.
//!
//! Seconds are counted one by one until the log has moved on for long; then only the best is kept, so
//! that memory is bounded.

use serde::{Deserialize, Serialize};

/// Seconds (and minutes) that are kept one by one after a fold; a fold waits for twice as many.
const KEPT: usize = 10_000;

/// A stretch of time with its executions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peak {
    pub executions: u64,
    /// Where the stretch begins, in seconds since 1970.
    pub second: i64,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Rates {
    seconds: Counts,
    /// Seconds that were folded, by the minute's number.
    minutes: Counts,
    second: Option<Peak>,
    minute: Option<Peak>,
}

/// Executions by the number of a stretch of time, sorted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Counts(Vec<(i64, u64)>);

impl Counts {
    fn add(&mut self, number: i64, count: u64) {
        if let Some((last, sum)) = self.0.last_mut()
            && *last == number
        {
            *sum += count;
            return;
        }
        match self.0.binary_search_by_key(&number, |(number, _)| *number) {
            Ok(at) => self.0[at].1 += count,
            Err(at) => self.0.insert(at, (number, count)),
        }
    }

    /// The oldest, when there are too many.
    fn fold(&mut self) -> Vec<(i64, u64)> {
        match self.0.len().checked_sub(2 * KEPT) {
            Some(_) => self.0.drain(..self.0.len() - KEPT).collect(),
            None => Vec::new(),
        }
    }
}

impl Rates {
    /// Counts one execution that ended at a second. Hot.
    pub(super) fn count(&mut self, second: i64) {
        self.seconds.add(second, 1);
    }

    pub(super) fn merge(&mut self, later: Rates) {
        for (second, count) in later.seconds.0 {
            self.seconds.add(second, count);
        }
        for (minute, count) in later.minutes.0 {
            self.minutes.add(minute, count);
        }
        self.second = better(self.second, later.second);
        self.minute = better(self.minute, later.minute);
    }

    /// Folds what the log has left behind.
    pub(super) fn settle(&mut self) {
        for (second, executions) in self.seconds.fold() {
            self.second = better(self.second, Some(Peak { executions, second }));
            self.minutes.add(second.div_euclid(60), executions);
        }
        for (minute, executions) in self.minutes.fold() {
            self.minute = better(self.minute, Some(Peak { executions, second: minute * 60 }));
        }
    }

    /// The busiest second and the busiest minute, the earliest of equals; `None` where nothing has a time.
    pub(super) fn peaks(&self) -> Option<(Peak, Peak)> {
        let (mut second, mut minute) = (self.second, self.minute);
        let mut minutes = self.minutes.clone();
        for &(number, executions) in &self.seconds.0 {
            second = better(second, Some(Peak { executions, second: number }));
            minutes.add(number.div_euclid(60), executions);
        }
        for &(number, executions) in &minutes.0 {
            minute = better(minute, Some(Peak { executions, second: number * 60 }));
        }
        second.zip(minute)
    }
}

fn better(one: Option<Peak>, other: Option<Peak>) -> Option<Peak> {
    let rank = |peak: &Peak| (peak.executions, std::cmp::Reverse(peak.second));
    one.into_iter().chain(other).max_by_key(rank)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_changes_nothing() {
        let (mut whole, mut settled) = (Rates::default(), Rates::default());
        for second in 0..50_000 {
            for _ in 0..1 + second * 7919 % 13 + if second / 60 == 400 { 9 } else { 0 } {
                whole.count(second);
                let mut one = Rates::default();
                one.count(second);
                settled.merge(one);
            }
            settled.settle();
        }
        assert_eq!(whole.peaks(), settled.peaks());
        assert!(settled.seconds.0.len() <= 2 * KEPT);
        let (second, minute) = whole.peaks().expect("executions");
        assert_eq!((second.executions, minute.second), (22, 24_000));
    }
}
