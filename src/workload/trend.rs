//! How the second half of a log differs from the first, where the difference is worth a word.

use serde::{Deserialize, Serialize};

use super::series::{Load, Series, Sum as _};

/// A log shorter than this has no halves, in microseconds.
const SHORTEST: i64 = 60_000_000;
/// What must have grown or shrunk by this factor: the calls, or the mean.
const FACTOR: f64 = 1.5;
/// Calls that the busier half must have, and that both must have for a comparison of their means.
const CALLS: u64 = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trend {
    /// Of the first half of the log.
    pub before: Load,
    /// Of the second.
    pub after: Load,
}

impl Trend {
    /// Compares the halves of a log that lasts from `first` to `last` (µs since 1970); `None` when they
    /// are much the same, or there is too little to tell. A stretch of time across the middle is
    /// in neither half.
    pub fn of(series: &Series<Load>, first: i64, last: i64) -> Option<Trend> {
        let length = last.checked_sub(first)?;
        if length < SHORTEST {
            return None;
        }
        let middle = (first + length / 2).div_euclid(1_000_000);
        let mut trend = Trend { before: Load::default(), after: Load::default() };
        for (start, load) in series.iter() {
            if start.saturating_add(series.width()) <= middle {
                trend.before.add(load);
            } else if start >= middle {
                trend.after.add(load);
            }
        }
        let (before, after) = (trend.before, trend.after);
        let calls = before.calls.max(after.calls) >= CALLS && differ(before.calls as f64, after.calls as f64);
        let means = before.calls.min(after.calls) >= CALLS && differ(mean(before), mean(after));
        (calls || means).then_some(trend)
    }
}

fn mean(load: Load) -> f64 {
    if load.calls == 0 { 0.0 } else { load.total_us as f64 / load.calls as f64 }
}

fn differ(one: f64, other: f64) -> bool {
    one.max(other) > 0.0 && one.max(other) >= FACTOR * one.min(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trend(calls: impl Fn(i64) -> u64, us: impl Fn(i64) -> u64) -> Option<(u64, u64)> {
        let mut series: Series<Load> = Series::default();
        for second in 0..100 {
            series.at(second).add(&Load { calls: calls(second), total_us: calls(second) * us(second) });
        }
        Trend::of(&series, 0, 100_000_000).map(|trend| (trend.before.calls, trend.after.calls))
    }

    #[test]
    fn only_what_matters() {
        assert_eq!(trend(|_| 2, |_| 50), None);
        assert_eq!(trend(|at| if at < 50 { 2 } else { 3 }, |_| 50), Some((100, 150)));
        assert_eq!(trend(|_| 2, |at| if at < 50 { 40 } else { 100 }), Some((100, 100)));
        assert_eq!(trend(|at| u64::from(at == 90), |_| 50), None, "one call is no trend");
    }

    #[test]
    fn a_moment_has_no_halves() {
        let mut series: Series<Load> = Series::default();
        series.at(0).add(&Load { calls: 1000, total_us: 0 });
        assert_eq!(Trend::of(&series, 0, 59_000_000), None);
    }
}
