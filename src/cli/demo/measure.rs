//! Two ways to do the same, timed against each other.
//!
//! They take turns, so that whatever else the machine does meets both alike, and medians are compared.
//! A turn has several runs where these are short: the first after a long scan pays for cold caches.

use std::time::{Duration, Instant};

use super::{
    shop::Sizes,
    statements::{self, Statement},
    traffic::as_strs,
};
use crate::{error::Error, server::raw::Session};

/// The least turns of either, and the most.
const TURNS: std::ops::RangeInclusive<u64> = 4..=10;
/// For both together, once they have their least turns.
const BUDGET: Duration = Duration::from_millis(1500);
/// A turn ends after so many runs, or after the first that ends later than this.
const RUNS_A_TURN: u64 = 10;
const TURN: Duration = Duration::from_millis(20);
/// Rounds that must confirm that a statement got slower.
const CONFIRMATIONS: usize = 2;
/// A difference within either of these is noise.
const NOISE_FACTOR: f64 = 1.25;
const NOISE_MS: f64 = 0.1;

/// What the runs of either took, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// Medians.
    pub before: f64,
    pub after: f64,
    /// The fastest runs. Whatever else the machine does only adds to a run, so that these hardly move
    /// when medians do.
    pub fastest_before: f64,
    pub fastest_after: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Faster,
    Same,
    Slower,
}

impl Pair {
    /// How many times faster, by the medians.
    pub fn factor(self) -> f64 {
        self.before / self.after
    }

    /// A change that both the medians and the fastest runs show.
    pub fn change(self) -> Change {
        let beyond = |more: f64, less: f64| more > less * NOISE_FACTOR && more - less > NOISE_MS;
        if beyond(self.before, self.after) && beyond(self.fastest_before, self.fastest_after) {
            Change::Faster
        } else if beyond(self.after, self.before) && beyond(self.fastest_after, self.fastest_before) {
            Change::Slower
        } else {
            Change::Same
        }
    }
}

/// Runs every statement of the traffic in two databases, with the values that the traffic gave it; in
/// the order of [`statements::ALL`].
pub fn statements(before: &Session, after: &Session, sizes: &Sizes) -> Result<Vec<(Statement, Pair)>, Error> {
    let measure = |statement: &Statement| -> Result<(Statement, Pair), Error> {
        let (old, new) = (before.prepare(statement.sql)?, after.prepare(statement.sql)?);
        let values = |number| (statement.values)(number, sizes);
        let take = || {
            take_turns(
                |number| before.execute(&old, &as_strs(&values(number))).map(drop),
                |number| after.execute(&new, &as_strs(&values(number))).map(drop),
            )
        };
        let mut pair = take()?;
        // What is slower is so every time; what a busy machine did to one round is not.
        for _ in 0..CONFIRMATIONS {
            if pair.change() != Change::Slower {
                break;
            }
            pair = take()?;
        }
        Ok((*statement, pair))
    };
    statements::ALL.iter().map(measure).collect()
}

/// Runs both by turns; each gets the number of its run. One run of each comes first and does not
/// count: it fills the caches.
pub fn take_turns(
    mut before: impl FnMut(u64) -> Result<(), Error>,
    mut after: impl FnMut(u64) -> Result<(), Error>,
) -> Result<Pair, Error> {
    let (mut befores, mut afters) = (Vec::new(), Vec::new());
    before(0)?;
    after(0)?;
    let begun = Instant::now();
    for turn in 0..*TURNS.end() {
        if turn >= *TURNS.start() && begun.elapsed() > BUDGET {
            break;
        }
        // The second of a turn may find the machine in another state than the first: they swap.
        if turn % 2 == 0 {
            one_turn(&mut before, &mut befores)?;
            one_turn(&mut after, &mut afters)?;
        } else {
            one_turn(&mut after, &mut afters)?;
            one_turn(&mut before, &mut befores)?;
        }
    }
    let ((fastest_before, before), (fastest_after, after)) = (summary(befores), summary(afters));
    Ok(Pair { before, after, fastest_before, fastest_after })
}

/// Adds the milliseconds of each run.
fn one_turn(run: &mut impl FnMut(u64) -> Result<(), Error>, times: &mut Vec<f64>) -> Result<(), Error> {
    let begun = Instant::now();
    for _ in 0..RUNS_A_TURN {
        let start = Instant::now();
        run(times.len() as u64)?;
        times.push(start.elapsed().as_secs_f64() * 1000.0);
        if begun.elapsed() > TURN {
            break;
        }
    }
    Ok(())
}

/// The fastest and the median.
fn summary(mut times: Vec<f64>) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    (times[0], times[times.len() / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_no_change() {
        let change = |before, after| {
            Pair { before, after, fastest_before: before * 0.9, fastest_after: after * 0.9 }.change()
        };
        assert_eq!(change(150.0, 0.1), Change::Faster);
        assert_eq!(change(0.10, 0.15), Change::Same);
        assert_eq!(change(100.0, 115.0), Change::Same);
        assert_eq!(change(1.0, 1.5), Change::Slower);
        let busy = Pair { before: 0.3, after: 0.6, fastest_before: 0.2, fastest_after: 0.2 };
        assert_eq!(busy.change(), Change::Same);
    }

    #[test]
    fn both_have_their_turns_and_an_error_ends_them() {
        let seen = std::cell::RefCell::new(Vec::new());
        let note = |who: char, number| {
            seen.borrow_mut().push((who, number));
            Ok(())
        };
        take_turns(|number| note('b', number), |number| note('a', number)).expect("no error");
        let seen = seen.into_inner();
        assert_eq!(seen[..3], [('b', 0), ('a', 0), ('b', 0)]);
        let changes = seen[2..].chunk_by(|one, next| one.0 == next.0).count() as u64;
        // b a, a b, b a, …: each turn but the first begins with the one that ended the last.
        assert!(changes > *TURNS.start(), "{changes}");
        let err = take_turns(|_| Err(Error::Usage { what: "no".to_owned(), hint: None }), |_| Ok(()));
        assert!(err.is_err());
    }
}
