//! The inputs of a run, without what they say.

use serde::{Deserialize, Serialize};

use crate::workload::InputSummary;

/// One input, see [`InputSummary`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    pub name: String,
    pub format: String,
    pub bytes: u64,
    pub entries: u64,
    pub skipped: u64,
    /// Where a few of the skipped lines stand, such as `line 12`; never what they say.
    pub skipped_at: Vec<String>,
    pub notes: Vec<String>,
}

pub(super) fn input(summary: &InputSummary) -> Input {
    let place = |sample: &String| {
        let (place, _text) = sample.split_once(": ")?;
        place.strip_prefix("line ")?.parse::<u64>().ok()?;
        Some(place.to_owned())
    };
    Input {
        name: summary.name.clone(),
        format: summary.format.clone(),
        bytes: summary.bytes,
        entries: summary.entries,
        skipped: summary.skipped,
        skipped_at: summary.skipped_samples.iter().filter_map(place).collect(),
        notes: summary.notes.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line that was not understood may hold anything, a password too.
    #[test]
    fn of_a_skipped_line_only_its_place_is_kept() {
        let summary = InputSummary {
            skipped: 3,
            skipped_samples: vec![
                "line 12: ALTER USER app PASSWORD 'hunter2'".to_owned(),
                "PASSWORD 'hunter2': line 3".to_owned(),
            ],
            ..InputSummary::default()
        };
        assert_eq!(input(&summary).skipped_at, ["line 12"]);
    }
}
