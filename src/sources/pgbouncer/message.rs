//! The text of an entry → what it tells.

use super::line::{Level, Line, Side};
use crate::workload::pooler::{Period, Told, Wait};

/// `None` for a text that none of its versions is known to write.
pub(super) fn read<'a>(line: &Line<'a>) -> Option<Told<'a>> {
    let text = line.text;
    if line.level == Some(Level::Debug) {
        return Some(Told::Besides);
    }
    let after = |words: &str| text.strip_prefix(words.as_bytes());
    if let Some(rest) = after("stats: ").or_else(|| after("Stats: ")) {
        return period(rest).map(Told::Period);
    }
    if let Some(side) = line.side {
        let told = of_connection(side, text);
        if told.is_some() {
            return told;
        }
    }
    if let Some(rest) = after("process up: ") {
        let version = rest.split(|b| *b == b',').next()?.split(|b| *b == b' ').nth(1);
        return Some(Told::Starts { version });
    }
    if let Some(at) =
        memchr::memmem::find(text, b"max_client_conn: ").filter(|_| text.starts_with(b"kernel file"))
    {
        return number(&text[at + 17..]).map(Told::MostClients);
    }
    if let Some(command) = text.strip_suffix(b" command issued") {
        // `PAUSE 'shop'`
        return Some(Told::Console { command: command.split(|b| *b == b' ').next()? });
    }
    if text.starts_with(b"got SIG") {
        // `got SIGHUP, re-reading config`
        return Some(Told::Console { command: text[4..].split(|b| *b == b',').next()? });
    }
    match line.level {
        Some(Level::Warning | Level::Error | Level::Fatal) => Some(Told::Warning { message: text }),
        _ if BESIDES.iter().any(|words| text.starts_with(words.as_bytes())) => Some(Told::Besides),
        _ => None,
    }
}

const BESIDES: &[&str] = &[
    "listening on",
    "server connections dropped, exiting",
    "launching new connection to satisfy min_pool_size",
    "waiting for old pidfile",
    "old process killed",
    "unix socket",
    "DNS lookup failed",
    "server login failed",
];

fn of_connection(side: Side, text: &[u8]) -> Option<Told<'_>> {
    let after = |words: &str| text.strip_prefix(words.as_bytes());
    if let Some(rest) = after("closing because: ") {
        let (reason, age_s) = aged(rest);
        return Some(match side {
            Side::Client => Told::ClientCloses { reason, age_s },
            Side::Server => Told::ServerCloses { reason, age_s },
        });
    }
    if let Some(reason) = after("pooler error: ") {
        return Some(Told::ClientFails { reason });
    }
    if after("login attempt: ").is_some() {
        return Some(Told::ClientConnects);
    }
    if after("new connection to server").is_some() {
        return Some(Told::ServerConnects);
    }
    if after("taking connection from reserve_pool").is_some() {
        return Some(Told::Reserve);
    }
    // A line of its own says why the client was then closed.
    let besides = ["login failed: ", "no such user: ", "SSL", "TLS", "registered new auto-database"];
    besides.iter().any(|words| after(words).is_some()).then_some(Told::Besides)
}

/// `client close request (age=2s)`; before 1.12 without the unit.
fn aged(text: &[u8]) -> (&[u8], Option<u64>) {
    let age = memchr::memmem::rfind(text, b" (age=").and_then(|at| {
        let digits = text[at + 6..].strip_suffix(b")")?;
        Some((at, exact(digits.strip_suffix(b"s").unwrap_or(digits))?))
    });
    age.map_or((text, None), |(at, age)| (&text[..at], Some(age)))
}

/// The rates and averages of a period: `2 xacts/s, …, in 11 B/s, …, wait 4853 us`. Which of them there are
/// depends on the version.
fn period(text: &[u8]) -> Option<Period> {
    let mut period = Period::default();
    let mut each = false;
    let mut known = 0;
    for part in text.split(|b| *b == b',') {
        let mut words = part.trim_ascii().split(|b| *b == b' ').filter(|word| !word.is_empty());
        let first = words.next()?;
        if let Some(rate) = exact(first) {
            // `2 xacts/s`, `0 client parses/s`
            match words.next_back()? {
                b"xacts/s" | b"req/s" => period.transactions = Some(rate),
                b"queries/s" => period.queries = Some(rate),
                // Since 1.22.
                b"parses/s" | b"binds/s" => {
                    each = true;
                    continue;
                }
                _ => continue,
            }
        } else {
            // `in 11 B/s`, `wait time 8672 us`
            let amount = words.find_map(exact)?;
            match first {
                b"in" => period.received = Some(amount),
                b"out" => period.sent = Some(amount),
                b"xact" => period.transaction_us = Some(amount),
                b"query" => period.query_us = Some(amount),
                b"wait" => period.wait = Some(Wait::ASecond(amount)),
                _ => continue,
            }
        }
        known += 1;
    }
    if let Some(Wait::ASecond(us)) = period.wait.filter(|_| each) {
        period.wait = Some(Wait::Each(us));
    }
    // Before 1.8 a request was a transaction, and it had no name of its own.
    if period.transaction_us.is_none() && period.queries.is_none() {
        period.transaction_us = period.query_us.take();
    }
    (known >= 4).then_some(period)
}

/// `1.18.0` as 1 and 18.
pub(super) fn version(text: &[u8]) -> Option<(u32, u32)> {
    let mut parts = std::str::from_utf8(text).ok()?.split('.').map(|part| {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        part[..digits].parse().ok()
    });
    Some((parts.next()??, parts.next()??))
}

fn exact(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The number that a text begins with.
fn number(text: &[u8]) -> Option<u64> {
    exact(&text[..text.iter().take_while(|b| b.is_ascii_digit()).count()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_of_all_versions() {
        let told = |text: &str| period(text.as_bytes());
        let all =
            told("2 xacts/s, 3 queries/s, in 11 B/s, out 20 B/s, xact 400 us, query 300 us, wait 4853 us");
        assert_eq!(
            all,
            Some(Period {
                seconds: None,
                transactions: Some(2),
                queries: Some(3),
                received: Some(11),
                sent: Some(20),
                transaction_us: Some(400),
                query_us: Some(300),
                wait: Some(Wait::ASecond(4853)),
            })
        );
        let newer = told(
            "2 xacts/s, 3 queries/s, 0 client parses/s, 0 server parses/s, 0 binds/s, in 11 B/s, out 20 B/s, xact 400 us, query 300 us, wait 4853 us",
        );
        assert_eq!(newer, all.map(|all| Period { wait: Some(Wait::Each(4853)), ..all }));
        let timed = told(
            "2 xacts/s, 3 queries/s, in 11 B/s, out 20 B/s, xact 400 us, query 300 us, wait time 4853 us",
        );
        assert_eq!(timed, all);
        let old = told("4284 req/s, in 2736595 b/s, out 25139236 b/s,query 543 us").expect("before 1.8");
        assert_eq!((old.transactions, old.transaction_us), (Some(4284), Some(543)));
        assert_eq!((old.queries, old.query_us, old.wait), (None, None, None));
        for broken in
            ["", "2 xacts/s", "2 xacts/s, x", "2 xacts/s, in B/s, out 1 B/s", "99999999999999999999 xacts/s"]
        {
            assert_eq!(told(broken), None, "{broken}");
        }
    }

    #[test]
    fn ages_with_and_without_a_unit() {
        assert_eq!(aged(b"server idle timeout (age=4s)"), (&b"server idle timeout"[..], Some(4)));
        assert_eq!(aged(b"server idle timeout (age=4)"), (&b"server idle timeout"[..], Some(4)));
        assert_eq!(aged(b"server idle timeout"), (&b"server idle timeout"[..], None));
        assert_eq!(aged(b"x (age=old)"), (&b"x (age=old)"[..], None));
    }

    #[test]
    fn versions_are_two_numbers() {
        assert_eq!(version(b"1.18.0"), Some((1, 18)));
        assert_eq!(version(b"1.24rc1"), Some((1, 24)));
        assert_eq!(version(b"x"), None);
    }
}
