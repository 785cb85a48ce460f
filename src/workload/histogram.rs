//! Durations in classes a person reads: 1, 2 and 5 of each power of ten.

use serde::{Deserialize, Serialize};

use super::sketch::Sketch;

/// Executions up to a duration, and longer than the class before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Class {
    /// Microseconds; the class's upper end, which belongs to it.
    pub to_us: u64,
    pub calls: u64,
}

/// The classes from the first to the last that holds anything. A duration within the sketch's error of
/// an end may stand in the neighbour.
pub fn classes(sketch: &Sketch) -> Vec<Class> {
    let mut classes: Vec<Class> = Vec::new();
    let mut ends = (0..20).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.saturating_pow(power)));
    for (us, calls) in sketch.buckets() {
        // The middle of the bucket decides.
        let us = us * (1.0 - Sketch::RELATIVE_ERROR);
        while classes.last().is_none_or(|class| us > class.to_us as f64) {
            let Some(to_us) = ends.next() else { break };
            if classes.is_empty() && us > to_us as f64 {
                continue;
            }
            classes.push(Class { to_us, calls: 0 });
        }
        if let Some(class) = classes.last_mut() {
            class.calls += calls;
        }
    }
    classes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_span_what_there_is() {
        let mut sketch = Sketch::default();
        for us in [900, 1_000, 1_100, 4_000, 60_000] {
            sketch.add(us);
        }
        let found: Vec<(u64, u64)> =
            classes(&sketch).iter().map(|class| (class.to_us, class.calls)).collect();
        assert_eq!(
            found,
            [(1_000, 2), (2_000, 1), (5_000, 1), (10_000, 0), (20_000, 0), (50_000, 0), (100_000, 1)]
        );
        assert!(classes(&Sketch::default()).is_empty());
    }
}
