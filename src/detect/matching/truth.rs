//! Holds, does not hold, or nobody knows; and what a condition that holds says of its case.

use std::{collections::BTreeMap, ops::Range};

use crate::rules::matching::Placeholder;

/// What a condition that holds says of its case.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Filled {
    pub words: BTreeMap<Placeholder, String>,
    /// Where in the statement's text, in bytes.
    pub at: Option<Range<usize>>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Truth {
    No,
    Unknown,
    Yes(Filled),
}

impl Truth {
    pub(super) fn of(holds: bool) -> Truth {
        if holds { Truth::Yes(Filled::default()) } else { Truth::No }
    }

    pub(super) fn known(holds: Option<bool>) -> Truth {
        holds.map_or(Truth::Unknown, Truth::of)
    }

    /// Known not to hold, without its words.
    pub(super) fn negated(self) -> Truth {
        match self {
            Truth::No => Truth::of(true),
            Truth::Unknown => Truth::Unknown,
            Truth::Yes(_) => Truth::No,
        }
    }

    /// Both; the first to fill a placeholder keeps it.
    pub(super) fn and(self, other: impl FnOnce() -> Truth) -> Truth {
        if self == Truth::No {
            return Truth::No;
        }
        match (self, other()) {
            (_, Truth::No) => Truth::No,
            (Truth::Yes(mut filled), Truth::Yes(more)) => {
                for (place, word) in more.words {
                    filled.words.entry(place).or_insert(word);
                }
                filled.at = filled.at.or(more.at);
                Truth::Yes(filled)
            }
            _ => Truth::Unknown,
        }
    }

    /// A condition that a rule may leave out.
    pub(super) fn and_if<T>(self, asked: Option<&T>, test: impl FnOnce(&T) -> Truth) -> Truth {
        match asked {
            Some(asked) => self.and(|| test(asked)),
            None => self,
        }
    }

    /// The first that holds.
    pub(super) fn any(truths: impl IntoIterator<Item = Truth>) -> Truth {
        let mut unknown = false;
        for truth in truths {
            match truth {
                Truth::Yes(_) => return truth,
                Truth::Unknown => unknown = true,
                Truth::No => {}
            }
        }
        if unknown { Truth::Unknown } else { Truth::No }
    }

    /// With a word, where it holds.
    pub(super) fn fill(mut self, place: Placeholder, word: impl FnOnce() -> String) -> Truth {
        if let Truth::Yes(filled) = &mut self {
            filled.words.entry(place).or_insert_with(word);
        }
        self
    }

    /// With its place, where it holds and the place is known.
    pub(super) fn at(mut self, place: &Range<usize>) -> Truth {
        if let Truth::Yes(filled) = &mut self
            && filled.at.is_none()
        {
            filled.at = crate::detect::known(place);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::Truth;

    /// Kleene's logic: what is not known never makes a finding, by way of `not` neither.
    #[test]
    fn unknown_stays_unknown() {
        let yes = || Truth::of(true);
        assert_eq!(Truth::Unknown.negated(), Truth::Unknown);
        assert_eq!(Truth::Unknown.and(yes), Truth::Unknown);
        assert_eq!(Truth::Unknown.and(|| Truth::No), Truth::No);
        assert_eq!(yes().and(|| Truth::Unknown), Truth::Unknown);
        assert_eq!(Truth::any([Truth::Unknown, yes()]), yes());
        assert_eq!(Truth::any([Truth::Unknown, Truth::No]), Truth::Unknown);
        assert_eq!(Truth::any([]), Truth::No);
    }
}
