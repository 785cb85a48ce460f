//! Figures over time: one for each stretch of time in which something happened.
//!
//! The width of a stretch comes from a fixed ladder, each step a multiple of the one before: the smallest
//! that leaves at most `Series::MOST` stretches between the first and the last. So it depends on the
//! times alone, not on the order in which they came.

use serde::{Deserialize, Serialize};

/// What can be added up, in any order.
pub trait Sum: Default {
    fn add(&mut self, other: &Self);
}

/// Widths in seconds; beyond the last each is four times the one before.
const WIDTHS: &[i64] = &[1, 5, 15, 60, 300, 900, 3600, 21_600, 86_400, 604_800];

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series<T> {
    step: usize,
    /// Seconds: the ladder's width at `step`.
    width: i64,
    /// By the number of the stretch since 1970, sorted.
    stretches: Vec<(i64, T)>,
}

impl<T> Default for Series<T> {
    fn default() -> Series<T> {
        Series { step: 0, width: WIDTHS[0], stretches: Vec::new() }
    }
}

impl<T: Sum> Series<T> {
    const MOST: i64 = 120;

    /// Seconds.
    pub fn width(&self) -> i64 {
        self.width
    }

    /// The start of each stretch in which something happened, in seconds since 1970, with its figures.
    pub fn iter(&self) -> impl Iterator<Item = (i64, &T)> {
        self.stretches.iter().map(|(number, figures)| (number.saturating_mul(self.width), figures))
    }

    /// The figures of the stretch that holds a second. Hot: a log goes forwards, so it is mostly the last.
    pub(super) fn at(&mut self, second: i64) -> &mut T {
        let at = self.index(second);
        &mut self.stretches[at].1
    }

    fn index(&mut self, second: i64) -> usize {
        // Without a division: nearly always it is in the last stretch.
        if let Some((last, _)) = self.stretches.last()
            && let Some(from) = last.checked_mul(self.width)
            && (0..self.width).contains(&second.wrapping_sub(from))
        {
            return self.stretches.len() - 1;
        }
        let number = second.div_euclid(self.width);
        match self.find(number) {
            Ok(at) => return at,
            Err(at) => self.stretches.insert(at, (number, T::default())),
        }
        while let (Some((low, _)), Some((high, _))) = (self.stretches.first(), self.stretches.last())
            && high - low >= Series::<T>::MOST
        {
            self.widen();
        }
        self.find(second.div_euclid(self.width)).unwrap_or_else(|at| at.saturating_sub(1))
    }

    fn find(&self, number: i64) -> Result<usize, usize> {
        match self.stretches.last() {
            Some((last, _)) if *last == number => Ok(self.stretches.len() - 1),
            _ => self.stretches.binary_search_by_key(&number, |(number, _)| *number),
        }
    }

    fn widen(&mut self) {
        let narrow = std::mem::take(&mut self.stretches);
        let before = self.width;
        self.step += 1;
        self.width = WIDTHS.get(self.step).copied().unwrap_or_else(|| before.saturating_mul(4));
        let factor = (self.width / before).max(2);
        for (number, figures) in narrow {
            let number = number.div_euclid(factor);
            match self.stretches.last_mut() {
                Some((last, sum)) if *last == number => sum.add(&figures),
                _ => self.stretches.push((number, figures)),
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Series<T>) {
        while self.step < other.step {
            self.widen();
        }
        for (second, figures) in other.iter() {
            self.at(second).add(figures);
        }
    }
}

/// Executions of a stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    pub calls: u64,
    /// Microseconds, of those whose duration is known.
    pub total_us: u64,
}

impl Sum for Load {
    fn add(&mut self, other: &Load) {
        self.calls += other.calls;
        self.total_us += other.total_us;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(calls: u64) -> Load {
        Load { calls, total_us: 0 }
    }

    #[test]
    fn stretches_do_not_depend_on_the_order() {
        let seconds = [0, 119, 120, 300_000, -3, 77, 240_000];
        let mut forwards: Series<Load> = Series::default();
        let mut backwards: Series<Load> = Series::default();
        for (at, &second) in seconds.iter().enumerate() {
            forwards.at(second).add(&one(at as u64 + 1));
        }
        for (at, &second) in seconds.iter().enumerate().rev() {
            let mut single: Series<Load> = Series::default();
            single.at(second).add(&one(at as u64 + 1));
            single.merge(&backwards);
            backwards = single;
        }
        assert_eq!(forwards, backwards);
        assert_eq!(forwards.iter().map(|(_, load)| load.calls).sum::<u64>(), 28);
        assert_eq!(forwards.width(), 3600);
    }

    #[test]
    fn any_clock_fits() {
        let mut series: Series<Load> = Series::default();
        for second in [i64::MIN / 1_000_000, i64::MAX / 1_000_000, 0] {
            series.at(second).add(&one(1));
        }
        assert!(series.iter().count() <= 120);
        assert_eq!(series.iter().map(|(_, load)| load.calls).sum::<u64>(), 3);
    }
}
