//! How many sessions were busy at the same time.
//!
//! Executions are kept as intervals per second of the log until the log has moved on; then only the
//! second's peak is kept, and after two hours only a histogram of peaks. An execution reaches back
//! exactly over the two seconds before the one it ended in; over earlier ones it counts as busy all
//! the time, whether they are still open or not, so that the result does not depend on how a log
//! was cut.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::Concurrency;

const SECOND: i64 = 1_000_000;
/// Seconds before its last that an execution fills exactly.
const EXACT: i64 = 2;
/// Seconds that an entry of the log may come late (sessions write in no strict order: 11 ms at worst
/// in the logs seen).
const LATE: i64 = 4;
/// Seconds for which peaks are kept one by one, for statements that turn out to have run all along.
const KEPT: i64 = 7200;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Timeline {
    open: BTreeMap<i64, Vec<Interval>>,
    peaks: BTreeMap<i64, u64>,
    /// Executions that cover a second entirely, beyond `EXACT`.
    covers: BTreeMap<i64, u64>,
    /// Seconds by their peak.
    histogram: BTreeMap<u64, u64>,
    busy_us: u64,
    first_start: Option<i64>,
    last_end: Option<i64>,
    /// Some times were whole seconds: no verdict.
    coarse: bool,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Interval {
    /// Microseconds within the second.
    start: u32,
    end: u32,
    session: u32,
}

impl Timeline {
    /// Takes in one execution. Times in microseconds.
    pub(super) fn add(&mut self, session: u32, end: i64, duration: u64, coarse: bool) {
        if coarse {
            self.coarse = true;
            return;
        }
        let start = end.saturating_sub_unsigned(duration.max(1));
        self.busy_us += duration;
        self.first_start = Some(self.first_start.map_or(start, |first| first.min(start)));
        self.last_end = Some(self.last_end.map_or(end, |last| last.max(end)));
        let (first, last) = (start.div_euclid(SECOND), (end - 1).div_euclid(SECOND));
        // A statement longer than the stretch for which seconds are kept says no more about the rest.
        for second in first.max(last - KEPT)..(last - EXACT).max(first) {
            *self.covers.entry(second).or_default() += 1;
        }
        for second in first.max(last - EXACT)..=last {
            let base = second * SECOND;
            let within = |time: i64| u32::try_from((time - base).clamp(0, SECOND)).unwrap_or(0);
            self.open.entry(second).or_default().push(Interval {
                start: within(start),
                end: within(end),
                session,
            });
        }
    }

    /// Adds what came after.
    pub(super) fn merge(&mut self, later: Timeline) {
        for (second, mut intervals) in later.open {
            self.open.entry(second).or_default().append(&mut intervals);
        }
        for (second, peak) in later.peaks {
            let ours = self.peaks.entry(second).or_default();
            *ours = (*ours).max(peak);
        }
        for (second, covers) in later.covers {
            *self.covers.entry(second).or_default() += covers;
        }
        for (peak, seconds) in later.histogram {
            *self.histogram.entry(peak).or_default() += seconds;
        }
        self.busy_us += later.busy_us;
        self.first_start = self.first_start.into_iter().chain(later.first_start).min();
        self.last_end = self.last_end.max(later.last_end);
        self.coarse |= later.coarse;
    }

    /// Folds the seconds that the log has left behind. Only for a timeline that begins with the log.
    pub(super) fn settle(&mut self) {
        let Some((&newest, _)) = self.open.last_key_value() else { return };
        while let Some(entry) = self.open.first_entry()
            && *entry.key() < newest - EXACT - LATE
        {
            let (second, intervals) = entry.remove_entry();
            let peak = self.peaks.entry(second).or_default();
            *peak = (*peak).max(peak_of(&intervals));
        }
        while let Some(entry) = self.peaks.first_entry()
            && *entry.key() < newest - KEPT
        {
            let (second, peak) = entry.remove_entry();
            let covers = self.covers.remove(&second).unwrap_or(0);
            *self.histogram.entry(peak + covers).or_default() += 1;
        }
        while let Some(entry) = self.covers.first_entry()
            && *entry.key() < newest - KEPT
        {
            *self.histogram.entry(entry.remove()).or_default() += 1;
        }
    }

    /// `None` when nothing was timed, or the clock was too coarse to tell.
    pub(super) fn concurrency(&self) -> Option<Concurrency> {
        let wall = self.last_end? - self.first_start?;
        if self.coarse || wall <= 0 {
            return None;
        }
        let mut seconds = self.peaks.clone();
        for (&second, intervals) in &self.open {
            let peak = seconds.entry(second).or_default();
            *peak = (*peak).max(peak_of(intervals));
        }
        for (&second, &covers) in &self.covers {
            *seconds.entry(second).or_default() += covers;
        }
        let mut histogram = self.histogram.clone();
        for peak in seconds.into_values() {
            *histogram.entry(peak).or_default() += 1;
        }
        let count: u64 = histogram.values().sum();
        let rank = (count * 95).div_ceil(100);
        let mut seen = 0;
        let p95 = histogram.iter().find(|&(_, &seconds)| {
            seen += seconds;
            seen >= rank
        });
        Some(Concurrency {
            average: self.busy_us as f64 / wall as f64,
            p95: *p95?.0,
            peak: *histogram.last_key_value()?.0,
        })
    }
}

/// The most sessions at one moment; one session counts once, also where the clock's rounding makes two
/// of its statements overlap.
#[expect(clippy::cast_possible_truncation, reason = "the session is the lower half")]
fn peak_of(intervals: &[Interval]) -> u64 {
    // Time, whether it starts, session: in one word, which sorts faster. At the same microsecond an end
    // comes before a start.
    let edge = |time: u32, starts: bool, session: u32| {
        u64::from(time) << 33 | u64::from(starts) << 32 | u64::from(session)
    };
    let mut edges: Vec<u64> = Vec::with_capacity(intervals.len() * 2);
    for interval in intervals {
        edges.push(edge(interval.start, true, interval.session));
        edges.push(edge(interval.end, false, interval.session));
    }
    edges.sort_unstable();
    let mut running: FxHashMap<u32, u32> = FxHashMap::default();
    let (mut busy, mut peak) = (0_u64, 0_u64);
    for edge in edges {
        let statements = running.entry(edge as u32).or_default();
        if edge >> 32 & 1 == 1 {
            *statements += 1;
            busy += u64::from(*statements == 1);
            peak = peak.max(busy);
        } else {
            *statements = statements.saturating_sub(1);
            busy -= u64::from(*statements == 0).min(busy);
        }
    }
    peak
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline(executions: &[(u32, i64, u64)]) -> Timeline {
        let mut timeline = Timeline::default();
        for &(session, end, duration) in executions {
            timeline.add(session, end, duration, false);
        }
        timeline
    }

    fn peak(executions: &[(u32, i64, u64)]) -> u64 {
        timeline(executions).concurrency().expect("times").peak
    }

    #[test]
    fn sessions_overlap_and_a_session_counts_once() {
        assert_eq!(peak(&[(1, 1_000, 1_000), (2, 1_500, 1_000), (3, 3_000, 1_000)]), 2);
        assert_eq!(peak(&[(1, 1_000, 500), (1, 1_000, 700)]), 1);
        assert_eq!(peak(&[(1, 1_000, 1_000), (2, 2_000, 1_000)]), 1, "one ends where the other begins");
    }

    #[test]
    fn a_long_statement_counts_in_every_second_it_ran() {
        let timeline = timeline(&[(1, 500_000, 100_000), (2, 60_000_000, 59_900_000)]);
        let found = timeline.concurrency().expect("times");
        assert_eq!(found.peak, 2);
        assert_eq!(found.p95, 1);
    }

    #[test]
    fn settling_changes_nothing() {
        let executions: Vec<(u32, i64, u64)> = (0..4000)
            .map(|n: u32| {
                (n % 7, i64::from(n) * 10_100, u64::from(n * 7919 % 30_000) * u64::from(1 + n % 11))
            })
            .collect();
        let whole = timeline(&executions);
        let mut settled = Timeline::default();
        for part in executions.chunks(97) {
            settled.merge(timeline(part));
            settled.settle();
        }
        assert_eq!(whole.concurrency(), settled.concurrency());
        assert!(settled.open.len() < 10);
    }
}
