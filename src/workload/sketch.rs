//! A mergeable histogram of durations with a bounded relative error.
//!
//! Bucket `i` holds the values in (γ^(i-1), γ^i], γ = (1 + ε) / (1 - ε), and answers with the value
//! whose relative distance to both ends is ε (`DDSketch`, Masson, Rim and Lee, VLDB 2019). Counts only
//! add up, so that merging is exact and independent of order.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// Counts per bucket of a geometric scale: a quantile is off by at most [`Sketch::RELATIVE_ERROR`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sketch {
    /// Bucket number of `counts[0]`.
    low: usize,
    counts: Vec<u64>,
    total: u64,
}

impl Sketch {
    /// Half a percent.
    pub const RELATIVE_ERROR: f64 = 0.005;

    const GAMMA: f64 = (1.0 + Sketch::RELATIVE_ERROR) / (1.0 - Sketch::RELATIVE_ERROR);

    /// Adds one duration in microseconds; 0 counts as 1.
    pub fn add(&mut self, us: u64) {
        self.add_many(bucket(us), 1);
    }

    /// The bucket of a duration, for several sketches that take in the same one.
    pub(super) fn bucket(us: u64) -> usize {
        bucket(us)
    }

    pub(super) fn add_bucket(&mut self, bucket: usize) {
        self.add_many(bucket, 1);
    }

    /// Each bucket that is not empty: the largest duration in it (µs), and how many it holds.
    pub fn buckets(&self) -> impl Iterator<Item = (f64, u64)> {
        let filled = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        filled.map(|(at, &count)| (upper(self.low + at), count))
    }

    pub fn merge(&mut self, other: &Sketch) {
        for (at, &count) in other.counts.iter().enumerate() {
            if count > 0 {
                self.add_many(other.low + at, count);
            }
        }
    }

    /// The smallest value (µs) that at least `q` (0 to 1) of the values do not exceed, which is
    /// `percentile_disc` of PostgreSQL; `None` when empty.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1 of a count")]
        let rank = ((q.clamp(0.0, 1.0) * self.total as f64).ceil() as u64).clamp(1, self.total.max(1));
        let mut seen = 0;
        for (at, &count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Some(value(self.low + at));
            }
        }
        None
    }

    fn add_many(&mut self, bucket: usize, count: u64) {
        if self.counts.is_empty() {
            self.low = bucket;
        } else if bucket < self.low {
            let missing = self.low - bucket;
            self.counts.splice(0..0, std::iter::repeat_n(0, missing));
            self.low = bucket;
        }
        let at = bucket - self.low;
        if at >= self.counts.len() {
            self.counts.resize(at + 1, 0);
        }
        self.counts[at] += count;
        self.total += count;
    }
}

/// Bucket of each duration below 16 ms, which most are: a logarithm for each execution would be felt.
static SHORT: LazyLock<Vec<u16>> =
    LazyLock::new(|| (0..1 << 14).map(|us| u16::try_from(logarithm(us)).unwrap_or(u16::MAX)).collect());

fn bucket(us: u64) -> usize {
    let short = usize::try_from(us).ok().and_then(|us| SHORT.get(us));
    short.map_or_else(|| logarithm(us), |&bucket| usize::from(bucket))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 4,436 for any u64")]
fn logarithm(us: u64) -> usize {
    ((us.max(1) as f64).ln() / Sketch::GAMMA.ln()).ceil() as usize
}

/// The end of a bucket, which belongs to it.
fn upper(bucket: usize) -> f64 {
    Sketch::GAMMA.powf(bucket as f64)
}

/// At most ε away from everything in the bucket. Bucket 0 holds 1 µs, exactly.
fn value(bucket: usize) -> f64 {
    if bucket == 0 {
        return 1.0;
    }
    2.0 * Sketch::GAMMA.powf(bucket as f64) / (Sketch::GAMMA + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_the_stated_error() {
        let mut sketch = Sketch::default();
        let mut values: Vec<u64> = (0..10_000_u64).map(|n| (n * n * 7919) % 3_000_017 + 1).collect();
        for &value in &values {
            sketch.add(value);
        }
        values.sort_unstable();
        for (q, rank) in [(0.5, 5_000), (0.9, 9_000), (0.95, 9_500), (0.99, 9_900), (1.0, 10_000)] {
            let exact = values[rank - 1] as f64;
            let told = sketch.quantile(q).expect("it is not empty");
            assert!(
                (told - exact).abs() <= exact * Sketch::RELATIVE_ERROR * 1.001,
                "{q}: {told} for {exact}"
            );
        }
    }

    #[test]
    fn merging_is_adding() {
        let (mut left, mut right, mut both) = (Sketch::default(), Sketch::default(), Sketch::default());
        for n in 1..500 {
            (if n % 3 == 0 { &mut left } else { &mut right }).add(n * n);
            both.add(n * n);
        }
        left.merge(&right);
        assert_eq!(left, both);
        assert_eq!(Sketch::default().quantile(0.5), None);
    }
}
