//! Which line of the user's file each line of the inner text came from.

use std::sync::{Arc, Mutex, PoisonError};

/// Shared by who unwraps and who hands the text on: both are one thread, but a reader is owned by the other.
#[derive(Clone, Debug, Default)]
pub(in crate::sources) struct Lines(Arc<Mutex<Vec<Run>>>);

/// From line `inner` of the text on, lines count as those of the file do from `outer` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    inner: u64,
    outer: u64,
}

impl Lines {
    /// Line `inner` of the text came from line `outer` of the file. To be called in the order of the text.
    pub(super) fn push(&self, inner: u64, outer: u64) {
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if runs.last().is_none_or(|last| last.outer + (inner - last.inner) != outer) {
            runs.push(Run { inner, outer });
        }
    }

    /// What is known of line `inner` and of those after it; what was before is forgotten.
    pub(in crate::sources) fn from(&self, inner: u64) -> Piece {
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = runs.partition_point(|run| run.inner <= inner).saturating_sub(1);
        runs.drain(..before);
        Piece(runs.clone())
    }

    /// The line of the file for one line of the text; forgets what was before.
    pub(in crate::sources) fn outer(&self, inner: u64) -> u64 {
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = runs.partition_point(|run| run.inner <= inner).saturating_sub(1);
        // Line by line: cut off only when it pays.
        if before > 1000 {
            runs.drain(..before);
        }
        outer(&runs, inner)
    }
}

/// The lines of one chunk.
#[derive(Clone, Debug, Default)]
pub(in crate::sources) struct Piece(Vec<Run>);

impl Piece {
    /// The same line where nothing was unwrapped.
    pub(in crate::sources) fn outer(&self, inner: u64) -> u64 {
        outer(&self.0, inner)
    }
}

fn outer(runs: &[Run], inner: u64) -> u64 {
    let at = runs.partition_point(|run| run.inner <= inner);
    match at.checked_sub(1).and_then(|at| runs.get(at)) {
        Some(run) => run.outer + (inner - run.inner),
        None => inner,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_text_are_found_in_the_file() {
        let lines = Lines::default();
        let outer_of = [1, 2, 3, 5, 5, 5, 9, 7, 8];
        for (inner, outer) in (1..).zip(outer_of) {
            lines.push(inner, outer);
        }
        for (inner, outer) in (1..).zip(outer_of) {
            assert_eq!(lines.outer(inner), outer);
        }
        let rest = lines.from(5);
        assert_eq!((5..10).map(|inner| rest.outer(inner)).collect::<Vec<_>>(), [5, 5, 9, 7, 8]);
        assert_eq!(lines.from(3).outer(7), 9, "what was forgotten came before");
        assert_eq!(Piece::default().outer(7), 7);
    }
}
