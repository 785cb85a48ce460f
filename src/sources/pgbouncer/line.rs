//! A line → time, process, level, whose connection, and the text.

use crate::sources::pglog::time::{Clock, looks_like_time};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Fatal,
    Error,
    Warning,
    Log,
    /// DEBUG and NOISE.
    Debug,
}

const LEVELS: &[(&[u8], Level)] = &[
    (b"LOG ", Level::Log),
    (b"WARNING ", Level::Warning),
    (b"ERROR ", Level::Error),
    (b"FATAL ", Level::Fatal),
    (b"DEBUG ", Level::Debug),
    (b"NOISE ", Level::Debug),
];

/// Which side of the pooler a connection is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Client,
    Server,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// Microseconds since 1970.
    pub time: Option<i64>,
    pub zoneless: bool,
    pub pid: Option<u32>,
    pub level: Option<Level>,
    pub side: Option<Side>,
    pub database: Option<&'a [u8]>,
    pub user: Option<&'a [u8]>,
    pub host: Option<&'a [u8]>,
    pub text: &'a [u8],
}

impl Line<'_> {
    /// Nothing else writes such a line.
    pub(super) fn is_certain(&self) -> bool {
        const WORDS: &[&[u8]] = &[b"stats: ", b"Stats: ", b"process up: "];
        self.side.is_some() || WORDS.iter().any(|words| self.text.starts_with(words))
    }
}

/// `None` for a line that has neither the prefix nor a connection's name.
pub(super) fn read<'a>(line: &'a [u8], clock: &mut Clock) -> Option<Line<'a>> {
    let mut found = Line {
        time: None,
        zoneless: false,
        pid: None,
        level: None,
        side: None,
        database: None,
        user: None,
        host: None,
        text: line.trim_ascii_end(),
    };
    if looks_like_time(line) {
        prefix(&mut found, clock)?;
    }
    connection(&mut found);
    (found.time.is_some() || found.is_certain()).then_some(found)
}

fn prefix(found: &mut Line<'_>, clock: &mut Clock) -> Option<()> {
    let line = found.text;
    let rest = if let Some((time, taken)) = clock.read(line) {
        found.time = Some(time);
        line.get(taken..)?.strip_prefix(b" ")?
    } else {
        // `2016-02-09 09:00:47.264 27930 LOG …`
        let end = 10 + 1 + line.get(11..)?.iter().position(|b| *b == b' ')?;
        let mut zoned = line.get(..end)?.to_vec();
        zoned.extend_from_slice(b" UTC");
        found.time = Some(clock.read(&zoned)?.0);
        found.zoneless = true;
        line.get(end + 1..)?
    };
    let bracket = rest.starts_with(b"[");
    let end = rest.iter().position(|b| *b == if bracket { b']' } else { b' ' })?;
    let pid = &rest[usize::from(bracket)..end];
    let rest = &rest[end + 1..];
    let rest = if bracket { rest.strip_prefix(b" ")? } else { rest };
    found.pid = Some(std::str::from_utf8(pid).ok()?.parse().ok()?);
    found.text = rest;
    if let Some((word, level)) = LEVELS.iter().find(|(word, _)| rest.starts_with(word)) {
        found.level = Some(*level);
        found.text = &rest[word.len()..];
    } else if found.zoneless {
        return None;
    }
    Some(())
}

/// `C-0x563a5124d630: shop/app@127.0.0.1:36754 …`; `S-` is a connection to the server.
fn connection(found: &mut Line<'_>) {
    let (side, rest) = match found.text.first_chunk::<4>() {
        Some(b"C-0x") => (Side::Client, &found.text[4..]),
        Some(b"S-0x") => (Side::Server, &found.text[4..]),
        _ => return,
    };
    let digits = rest.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    let Some(rest) = rest[digits..].strip_prefix(b": ") else { return };
    if digits == 0 {
        return;
    }
    for at in memchr::memchr_iter(b'@', rest) {
        let address = &rest[at + 1..];
        let end = address.iter().position(|b| *b == b' ').unwrap_or(address.len());
        let Some(colon) = address[..end].iter().rposition(|b| *b == b':') else { continue };
        let port = &address[colon + 1..end];
        if port.is_empty() || !port.iter().all(u8::is_ascii_digit) {
            continue;
        }
        // A user's name may hold an `@`.
        if address[..colon].contains(&b'@') {
            continue;
        }
        let who = &rest[..at];
        let Some(slash) = who.iter().position(|b| *b == b'/') else { continue };
        let name = |name: &'_ [u8]| !name.is_empty() && name != b"(nodb)" && name != b"(nouser)";
        found.side = Some(side);
        found.database = Some(&who[..slash]).filter(|one| name(one));
        found.user = Some(&who[slash + 1..]).filter(|one| name(one));
        // `unix(26956)` names the client's process.
        let host = &address[..colon];
        found.host = Some(if host.starts_with(b"unix") { &host[..4] } else { host });
        found.text = address.get(end + 1..).unwrap_or_default();
        return;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expect: &str) {
        let text = |bytes: Option<&[u8]>| bytes.map_or("-".to_owned(), |one| one.escape_ascii().to_string());
        let found = read(line.as_bytes(), &mut Clock::default());
        let told = found.map_or("nothing".to_owned(), |line| {
            format!(
                "{:?} {:?} {:?} {} {} {} {}",
                line.pid,
                line.level,
                line.side,
                text(line.database),
                text(line.user),
                text(line.host),
                text(Some(line.text))
            )
        });
        assert_eq!(told, expect, "{line}");
    }

    #[test]
    fn prefixes_of_all_versions() {
        check(
            "2026-11-23 12:19:40.917 UTC [26435] LOG stats: 2",
            "Some(26435) Some(Log) None - - - stats: 2",
        );
        check("2016-02-09 09:00:47.264 27930 LOG Stats: 4", "Some(27930) Some(Log) None - - - Stats: 4");
        check("stats: 2 xacts/s", "None None None - - - stats: 2 xacts/s");
        check("2026-11-23 12:19:40 UTC [7] got SIGINT", "Some(7) None None - - - got SIGINT");
        check("2016-02-09 09:00:47.264 27930 something else", "nothing");
        check("2026-11-23 12:19:40.917 UTC", "nothing");
        check("", "nothing");
    }

    #[test]
    fn whose_connection_it_is() {
        check(
            "2026-11-23 12:19:40.917 UTC [1] LOG C-0x5a: shop/app@127.0.0.1:36754 closing because: x (age=2s)",
            "Some(1) Some(Log) Some(Client) shop app 127.0.0.1 closing because: x (age=2s)",
        );
        check("C-0x5a: (nodb)/(nouser)@unix(26956):54818 x", "None None Some(Client) - - unix x");
        check("S-0x5a: my/db/me@there@[::1]:5432 x", "None None Some(Server) my db/me@there [::1] x");
        check("S-0x5a: nowhere/app@(bad-af):0 x", "None None Some(Server) nowhere app (bad-af) x");
        check("C-0x: shop/app@127.0.0.1:36754 x", "nothing");
        check("C-0x5a: shop/app@127.0.0.1 x", "nothing");
    }
}
