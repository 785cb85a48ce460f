//! What an entry's message says about statements.
//!
//! The forms come from `check_log_duration` and its callers in PostgreSQL's `tcop/postgres.c`, and
//! from `auto_explain`. Anything else is of no concern here.

use memchr::memmem;

use super::{Entry, severity::Severity};
use crate::workload::{Binds, PlanFormat};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
        Severity::Other => Message::Nothing,
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
        return timed(rest, entry).unwrap_or(Message::Nothing);
    }
    if let Some(sql) = message.strip_prefix(b"statement: ") {
        return Message::Started { sql, binds: Binds::Unknown };
    }
    if let Some(rest) = message.strip_prefix(b"execute ") {
        return named(rest).map_or(Message::Nothing, |sql| Message::Started { sql, binds: binds(entry) });
    }
    if message.starts_with(b"connection received: ") {
        Message::Received
    } else if message.starts_with(b"connection authorized: ") {
        Message::Authorized
    } else if message.starts_with(b"disconnection: ") {
        Message::Disconnected
    } else if TRANSLATED.iter().any(|word| message.starts_with(word.as_bytes())) {
        Message::Translated
    } else {
        Message::Nothing
    }
}

/// How messages about statements begin in PostgreSQL's translations (`lc_messages`): `duration`,
/// `statement`, `execute`.
#[rustfmt::skip]
const TRANSLATED: &[&str] = &[
    "Dauer: ", "Anweisung: ", "Ausführen ",
    "duración: ", "sentencia: ", "ejecutar ",
    "durée : ", "instruction : ", "exécute ",
    "durata: ", "istruzione: ", "esecuzione di ",
    "期間: ", "文: ", "実行 ",
    "ხანგრძლივობა: ", "ოპერატორი: ", "გაშვება ",
    "실행시간: ", "수행시간: ", "명령 구문: ", "쿼리실행 ",
    "czas trwania: ", "wyrażenie: ", "wykonanie ",
    "duração: ", "comando: ", "executar ",
    "продолжительность: ", "оператор: ", "выполнение ",
    "varaktighet", "sats: ", "kör ",
    "süre: ", "ifade: ",
    "тривалість: ", "виконувати ",
    "执行时间: ", "语句: ", "执行 ",
];

fn timed<'a>(text: &'a [u8], entry: &Entry<'a>) -> Option<Message<'a>> {
    let (duration, rest) = milliseconds(text)?;
    let rest = rest.strip_prefix(b" ms")?;
    if rest.trim_ascii().is_empty() {
        return Some(Message::Duration(duration));
    }
    let rest = rest.strip_prefix(b"  ")?;
    if let Some(sql) = rest.strip_prefix(b"statement: ") {
        return Some(Message::Timed { duration, sql, binds: Binds::Unknown });
    }
    if let Some(rest) = rest.strip_prefix(b"execute ") {
        return Some(Message::Timed { duration, sql: named(rest)?, binds: binds(entry) });
    }
    if let Some(rest) = rest.strip_prefix(b"parse ").or_else(|| rest.strip_prefix(b"bind ")) {
        return Some(Message::ParseOrBind { duration, sql: named(rest)? });
    }
    let text = rest.strip_prefix(b"plan:")?.trim_ascii_start();
    Some(Message::Plan { duration, format: plan_format(text), text })
}

/// The text after `name: ` (`fetch from name: `, `name/portal: `).
fn named(text: &[u8]) -> Option<&[u8]> {
    let colon = memchr::memchr_iter(b':', text).find(|colon| text.get(colon + 1) == Some(&b' '))?;
    Some(&text[colon + 2..])
}

/// `1.234` as microseconds, and what follows.
fn milliseconds(text: &[u8]) -> Option<(u64, &[u8])> {
    let whole = text.iter().take_while(|b| b.is_ascii_digit()).count();
    if whole == 0 {
        return None;
    }
    let digit = |b: &u8| u64::from(b - b'0');
    let mut micros =
        text[..whole].iter().fold(0_u64, |sum, b| sum.saturating_mul(10).saturating_add(digit(b)));
    micros = micros.saturating_mul(1000);
    let mut rest = &text[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let len = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
        let mut unit = 100;
        for b in &fraction[..len] {
            micros = micros.saturating_add(digit(b) * unit);
            unit /= 10;
        }
        rest = &fraction[len..];
    }
    Some((micros, rest))
}

/// The DETAIL of an execution: `parameters: …`, and `Parameters: …` since PostgreSQL 16.
fn binds<'a>(entry: &Entry<'a>) -> Binds<'a> {
    let list = entry.detail.and_then(|detail| {
        let (_, detail) = without_sqlstate(detail);
        detail.strip_prefix(b"parameters: ").or_else(|| detail.strip_prefix(b"Parameters: "))
    });
    list.map_or(Binds::Unknown, Binds::Postgres)
}

fn plan_format(text: &[u8]) -> PlanFormat {
    match text.first() {
        Some(b'{' | b'[') => PlanFormat::Json,
        Some(b'<') => PlanFormat::Xml,
        // YAML quotes the query and puts the tree under `Plan:`; the text form does neither.
        _ if text.starts_with(b"Query Text: \"") && memmem::find(text, b"\nPlan:").is_some() => {
            PlanFormat::Yaml
        }
        _ if text.starts_with(b"Plan:") => PlanFormat::Yaml,
        _ => PlanFormat::Text,
    }
}
