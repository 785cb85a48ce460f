//! The facts that a log may tell of a statement, by the names that keys and groups give them.

use std::{
    fmt::{self, Display},
    str::FromStr,
};

use crate::yaml;

/// What a log may tell of a statement. Units belong to the name, since a group has nothing but a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    Statement,
    /// A text with its unit.
    Duration,
    /// A number in microseconds times this many thousandths.
    DurationIn(Unit),
    /// RFC 3339, or as loggers write it.
    Timestamp,
    /// Since 1970.
    TimestampIn(Unit),
    Session,
    Request,
    Trace,
    Application,
    User,
    Database,
    Rows,
    Error,
    Sqlstate,
    Caller,
    CallerLine,
    Binds,
}

/// Of durations and of times since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    Ns,
    Us,
    Ms,
    S,
}

impl Unit {
    /// How many make a second.
    pub fn per_second(self) -> i64 {
        match self {
            Unit::Ns => 1_000_000_000,
            Unit::Us => 1_000_000,
            Unit::Ms => 1_000,
            Unit::S => 1,
        }
    }
}

impl Fact {
    /// All of them with their names.
    pub const ALL: &[(&str, Fact)] = &[
        ("statement", Fact::Statement),
        ("duration", Fact::Duration),
        ("duration_ns", Fact::DurationIn(Unit::Ns)),
        ("duration_us", Fact::DurationIn(Unit::Us)),
        ("duration_ms", Fact::DurationIn(Unit::Ms)),
        ("duration_s", Fact::DurationIn(Unit::S)),
        ("timestamp", Fact::Timestamp),
        ("timestamp_ns", Fact::TimestampIn(Unit::Ns)),
        ("timestamp_us", Fact::TimestampIn(Unit::Us)),
        ("timestamp_ms", Fact::TimestampIn(Unit::Ms)),
        ("timestamp_s", Fact::TimestampIn(Unit::S)),
        ("session", Fact::Session),
        ("request", Fact::Request),
        ("trace", Fact::Trace),
        ("application", Fact::Application),
        ("user", Fact::User),
        ("database", Fact::Database),
        ("rows", Fact::Rows),
        ("error", Fact::Error),
        ("sqlstate", Fact::Sqlstate),
        ("caller", Fact::Caller),
        ("caller_line", Fact::CallerLine),
        ("binds", Fact::Binds),
    ];

    pub(super) fn named(what: &str, name: &str) -> Result<Fact, String> {
        let found = Fact::ALL.iter().find(|(known, _)| *known == name);
        found
            .map(|(_, fact)| *fact)
            .ok_or_else(|| yaml::unknown(what, name, Fact::ALL.iter().map(|(known, _)| *known)))
    }
}

impl Display for Fact {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Fact::ALL.iter().find(|(_, fact)| fact == self).map_or("", |(name, _)| name);
        to.write_str(name)
    }
}

impl FromStr for Fact {
    type Err = String;

    fn from_str(name: &str) -> Result<Fact, String> {
        Fact::named("field", name)
    }
}
