//! How long each statement of the traffic takes: the same executions before and after the advice.

use std::time::{Duration, Instant};

use super::{
    shop::Sizes,
    statements::{self, Statement},
    traffic::as_strs,
};
use crate::{error::Error, server::raw::Session};

/// Medians of all statements are taken this often, at different times, and the best counts: what else
/// the machine does only ever adds.
const ROUNDS: usize = 3;
const RUNS: std::ops::RangeInclusive<u64> = 5..=25;
/// Of one statement in one round, once it has its least runs.
const BUDGET: Duration = Duration::from_millis(250);
/// Changes below both are the machine's, not the advice's: measured by running all of this twice with
/// no advice between.
const NOISE_FACTOR: f64 = 1.25;
const NOISE_MS: f64 = 0.1;

/// Medians in milliseconds, in the order of [`statements::ALL`].
#[derive(Clone, Debug, PartialEq)]
pub struct Medians(Vec<f64>);

impl Medians {
    /// The median of a statement, in milliseconds.
    pub fn of(&self, statement: &Statement) -> Option<f64> {
        let at = statements::ALL.iter().position(|other| other.name == statement.name)?;
        self.0.get(at).copied()
    }
}

/// How a statement fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Faster,
    Same,
    Slower,
}

impl Change {
    pub fn between(before_ms: f64, after_ms: f64) -> Change {
        let beyond = |more: f64, less: f64| more > less * NOISE_FACTOR && more - less > NOISE_MS;
        if beyond(before_ms, after_ms) {
            Change::Faster
        } else if beyond(after_ms, before_ms) {
            Change::Slower
        } else {
            Change::Same
        }
    }
}

/// Runs every statement, with the values that the traffic gave it.
pub fn all(session: &Session, sizes: &Sizes) -> Result<Medians, Error> {
    let mut best = vec![f64::INFINITY; statements::ALL.len()];
    for _ in 0..ROUNDS {
        for (statement, best) in statements::ALL.iter().zip(&mut best) {
            let prepared = session.prepare(statement.sql)?;
            let median = median_ms(|number| {
                let values = (statement.values)(number, sizes);
                session.execute(&prepared, &as_strs(&values)).map(drop)
            })?;
            *best = best.min(median);
        }
    }
    Ok(Medians(best))
}

/// The median of several runs in milliseconds, after one that does not count: it fills the caches.
pub fn median_ms(mut run: impl FnMut(u64) -> Result<(), Error>) -> Result<f64, Error> {
    run(0)?;
    let mut times = Vec::new();
    let begun = Instant::now();
    for number in 0..*RUNS.end() {
        if number >= *RUNS.start() && begun.elapsed() > BUDGET {
            break;
        }
        let start = Instant::now();
        run(number)?;
        times.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_no_change() {
        assert_eq!(Change::between(150.0, 0.1), Change::Faster);
        assert_eq!(Change::between(0.10, 0.15), Change::Same);
        assert_eq!(Change::between(100.0, 115.0), Change::Same);
        assert_eq!(Change::between(1.0, 1.5), Change::Slower);
    }
}
