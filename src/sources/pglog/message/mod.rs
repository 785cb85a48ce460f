//! What an entry's message says: of a statement ([`statement`]), or of anything else that a server's
//! log tells ([`incident`]).
//!
//! Statements come first, since nearly all entries are about them. What is neither is of no concern here.

mod checkpoint;
mod incident;
mod lock;
mod maintenance;
mod number;
mod statement;
mod translated;

use super::{Entry, severity::Severity};
use crate::workload::{Binds, PlanFormat, ProtocolStep, incidents::Incident};

#[derive(Clone, Debug, PartialEq)]
pub(in crate::sources) enum Message<'a> {
    /// `duration: 1.234 ms  statement: …` or `… execute name: …`.
    Timed {
        duration: u64,
        sql: &'a [u8],
        binds: Binds<'a>,
    },
    /// `statement: …` or `execute name: …`: written before the statement runs (`log_statement`).
    Started {
        sql: &'a [u8],
        binds: Binds<'a>,
    },
    /// `duration: 1.234 ms` alone.
    Duration(u64),
    /// `duration: 1.234 ms  parse …` or `bind …`.
    ParseOrBind {
        step: ProtocolStep,
        duration: u64,
        sql: &'a [u8],
    },
    Plan {
        duration: u64,
        format: PlanFormat,
        text: &'a [u8],
    },
    Failure {
        sqlstate: Option<&'a [u8]>,
        message: &'a [u8],
        sql: Option<&'a [u8]>,
    },
    Received,
    Authorized,
    Disconnected,
    /// In a box, since it is large and rare.
    Incident(Box<Incident<'a>>),
    /// A statement or a duration, but not in English: we cannot tell which.
    Translated,
    Nothing,
}

pub(in crate::sources) fn read<'a>(entry: &Entry<'a>) -> Message<'a> {
    let (verbose_state, message) = without_sqlstate(entry.message);
    match entry.severity {
        Severity::Failure => {
            let sqlstate = entry.sqlstate.or(verbose_state);
            Message::Failure { sqlstate, message: without_position(message), sql: entry.statement }
        }
        Severity::Other => incident::of_warning(message, entry)
            .map_or(Message::Nothing, |incident| Message::Incident(Box::new(incident))),
        Severity::Log => log(message, entry),
    }
}

/// `log_error_verbosity = verbose` writes the SQLSTATE in front of the message.
pub(in crate::sources) fn without_sqlstate(message: &[u8]) -> (Option<&[u8]>, &[u8]) {
    if let Some((state, rest)) = message.split_first_chunk::<5>()
        && let Some(rest) = rest.strip_prefix(b": ")
        && state.iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
    {
        return (Some(state), rest);
    }
    (None, message)
}

/// stderr appends ` at character 8`, which the other formats have in a field of its own.
fn without_position(message: &[u8]) -> &[u8] {
    let digits = message.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let head = &message[..message.len() - digits];
    if digits == 0 { message } else { head.strip_suffix(b" at character ").unwrap_or(message) }
}

fn log<'a>(message: &'a [u8], entry: &Entry<'a>) -> Message<'a> {
    if let Some(rest) = message.strip_prefix(b"duration: ") {
        return statement::timed(rest, entry).unwrap_or(Message::Nothing);
    }
    if let Some(sql) = message.strip_prefix(b"statement: ") {
        return Message::Started { sql, binds: Binds::Unknown };
    }
    if let Some(rest) = message.strip_prefix(b"execute ") {
        return statement::named(rest)
            .map_or(Message::Nothing, |sql| Message::Started { sql, binds: statement::binds(entry) });
    }
    if message.starts_with(b"connection received: ") {
        Message::Received
    } else if message.starts_with(b"connection authorized: ") {
        Message::Authorized
    } else if message.starts_with(b"disconnection: ") {
        Message::Disconnected
    } else if let Some(incident) = incident::of_log(message, entry) {
        Message::Incident(Box::new(incident))
    } else if translated::is_statement(message) {
        Message::Translated
    } else {
        Message::Nothing
    }
}

pub(in crate::sources) use incident::{of_failure, session_time};
pub(in crate::sources) use number::whole;
