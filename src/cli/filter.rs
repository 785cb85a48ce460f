//! Flags that say what counts, and what they mean.

use std::{sync::Arc, time::Duration};

use clap::Args;
use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};
use regex::Regex;

use crate::{
    error::{Error, NotJudged},
    workload::{Condition, Filter, LeftOut},
};

#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "What counts")]
pub(super) struct FilterArgs {
    /// From this time on: RFC 3339, `2026-11-23`, `2026-11-23 04:00` (UTC), or `2h` before now
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Moment>,
    /// Until just before this time
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Moment>,
    /// Only this database; repeat it, or give a list with commas, as for the next three
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    database: Vec<String>,
    /// Only this user
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    user: Vec<String>,
    /// Only this `application_name`
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    application: Vec<String>,
    /// Only this client host
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    host: Vec<String>,
    /// Only executions that took at least this long
    #[arg(long, value_name = "TIME", value_parser = super::args::duration)]
    min_duration: Option<Duration>,
    /// Only statements whose normalised text matches; repeat it for others
    #[arg(long, value_name = "REGEX")]
    query: Vec<Regex>,
    /// No statement whose normalised text matches; repeat it for others
    #[arg(long, value_name = "REGEX")]
    exclude_query: Vec<Regex>,
}

/// A point in time, with the words that named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// Microseconds since 1970.
    us: i64,
    text: String,
}

impl FilterArgs {
    /// `None` when everything counts.
    pub(super) fn filter(&self) -> Option<Arc<Filter>> {
        let filter = Filter {
            since: self.since.as_ref().map(|moment| moment.us),
            until: self.until.as_ref().map(|moment| moment.us),
            databases: self.database.clone(),
            users: self.user.clone(),
            applications: self.application.clone(),
            hosts: self.host.clone(),
            min_duration: self.min_duration.map(|least| u64::try_from(least.as_micros()).unwrap_or(u64::MAX)),
            queries: self.query.clone(),
            excluded: self.exclude_query.clone(),
        };
        (!filter.is_empty()).then(|| Arc::new(filter))
    }

    /// The flags as they were given, in a fixed order.
    pub(super) fn conditions(&self) -> Vec<String> {
        let mut conditions = Vec::new();
        for (flag, moment) in [("--since", &self.since), ("--until", &self.until)] {
            conditions.extend(moment.as_ref().map(|moment| format!("{flag} {}", moment.text)));
        }
        for (flag, names) in [
            ("--database", &self.database),
            ("--user", &self.user),
            ("--application", &self.application),
            ("--host", &self.host),
        ] {
            if !names.is_empty() {
                conditions.push(format!("{flag} {}", names.join(",")));
            }
        }
        let least =
            self.min_duration.map(|least| format!("--min-duration {}ms", least.as_secs_f64() * 1000.0));
        conditions.extend(least);
        conditions.extend(self.query.iter().map(|pattern| format!("--query {pattern}")));
        conditions.extend(self.exclude_query.iter().map(|pattern| format!("--exclude-query {pattern}")));
        conditions
    }
}

/// What the log does not say, and was asked for. An error when nothing is left because of it.
pub(super) fn complain_of_unknown(
    left_out: &LeftOut,
    executions: u64,
    not_judged: &mut NotJudged,
) -> Result<(), Error> {
    for condition in Condition::ALL {
        let unknown = left_out.unknown[condition as usize];
        let (lacking, remedy) = match condition {
            Condition::Time => ("time", "log_line_prefix needs %m"),
            Condition::Database => ("database", "log_line_prefix needs %d"),
            Condition::User => ("user", "log_line_prefix needs %u"),
            Condition::Application => ("application", "log_line_prefix needs %a"),
            Condition::Host => ("host", "log_line_prefix needs %h"),
            Condition::Duration => ("duration", "log_min_duration_statement = 0, or log_duration = on"),
            Condition::Query => ("statement", "log_min_error_statement = error"),
        };
        if executions == 0 && unknown > 0 && unknown == left_out.total() {
            return Err(Error::NothingUnderstood {
                what: format!("the log gives no execution a {lacking}, so that none can be chosen by it"),
                hint: format!("{remedy}; csvlog and jsonlog need no prefix"),
            });
        }
        not_judged.add_many(
            "filter",
            format!("left out, since the log does not give their {lacking} ({remedy})"),
            unknown,
        );
    }
    Ok(())
}

/// A time, a date, or how long ago.
fn moment(text: &str) -> Result<Moment, String> {
    let utc = |time: civil::DateTime| time.to_zoned(TimeZone::UTC).map(|time| time.timestamp());
    let parsed = match text.parse::<Timestamp>() {
        Ok(time) => Ok(time),
        Err(_) => match (text.parse::<civil::DateTime>(), ago(text)) {
            (Ok(time), _) => utc(time).map_err(|err| err.to_string()),
            (_, Some(ago)) => Timestamp::now().checked_sub(ago).map_err(|err| err.to_string()),
            _ => Err(format!(
                "`{text}` is no time such as 2026-11-23T04:00:00Z, 2026-11-23, `2026-11-23 04:00` or 2h"
            )),
        },
    };
    parsed.map(|time| Moment { us: time.as_microsecond(), text: text.to_owned() })
}

/// `30s`, `15min`, `2h`, `7d`.
fn ago(text: &str) -> Option<SignedDuration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: i64 = text[..digits].parse().ok()?;
    let seconds = match text[digits..].trim() {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    Some(SignedDuration::from_secs(number.checked_mul(seconds)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_every_form() {
        let us = |text: &str| moment(text).map(|moment| moment.us);
        let four = 1_795_406_400_000_000;
        for text in
            ["2026-11-23T04:00:00Z", "2026-11-23T05:00:00+01:00", "2026-11-23 04:00", "2026-11-23T04:00:00"]
        {
            assert_eq!(us(text), Ok(four), "{text}");
        }
        assert_eq!(us("2026-11-23"), Ok(four - 4 * 3_600_000_000));
        let ago = us("2h").expect("a time") - us("1h").expect("a time");
        assert!((ago + 3_600_000_000).abs() < 60_000_000, "{ago}");
        for wrong in ["yesterday", "2", "2x", "2026-13-01", ""] {
            assert!(us(wrong).is_err(), "{wrong}");
        }
    }
}
