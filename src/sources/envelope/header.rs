//! What stands in front of a message on a syslog line, in the forms that daemons and tools write.
//!
//! ```text
//! Nov 23 10:00:00 host postgres[123]: message                          RFC 3164, journalctl -o short
//! <134>Nov 23 10:00:00 host postgres[123]: message                     as it goes over the wire
//! 2026-11-23T10:00:00.123456+00:00 host postgres[123]: message         rsyslog's own, -o short-iso
//! Mon 2026-11-23 10:00:00 UTC host postgres[123]: message              -o short-full
//! 1795416494.231000 host postgres[123]: message                        -o short-unix
//! <134>1 2026-11-23T10:00:00Z host postgres 123 - - message            RFC 5424
//! 2026-11-23T10:00:00.123456+00:00 app[postgres.123]: message          Heroku
//! ```

use super::{
    super::pglog::{prefix, time::Clock},
    stamp::{self, Newest, Stamp},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header<'a> {
    pub time: Option<Stamp>,
    /// The line itself names no year.
    pub yearless: bool,
    /// Host and program, as far as they are named: who wrote it.
    pub program: &'a [u8],
    pub host: &'a [u8],
    pub pid: Option<u32>,
    /// Where the message begins.
    pub at: usize,
}

/// `None` when the line does not begin as one of the forms.
pub(super) fn read(line: &[u8], newest: Newest) -> Option<Header<'_>> {
    let wire = priority(line).unwrap_or(0);
    if wire > 0
        && let Some(rest) = line[wire..].strip_prefix(b"1 ")
    {
        return rfc5424(line, line.len() - rest.len());
    }
    let (time, yearless, len) = time(&line[wire..], newest)?;
    let rest = line[wire + len..].strip_prefix(b" ")?;
    let at = line.len() - rest.len();
    // Heroku names no host.
    let named = |host: &'static [u8], at: usize| {
        let (program, pid, len) = tag(&line[at..])?;
        Some(Header { time: Some(time), yearless, program, host, pid, at: at + len })
    };
    if let Some(header) = named(b"", at) {
        return Some(header);
    }
    let host = word(rest)?;
    let header = named(b"", at + host.len() + 1)?;
    Some(Header { host, ..header })
}

/// `<134>`, perhaps after the number of bytes that follow (RFC 6587).
fn priority(line: &[u8]) -> Option<usize> {
    let count = line.iter().take_while(|b| b.is_ascii_digit()).count();
    let at = if count > 0 && line.get(count) == Some(&b' ') { count + 1 } else { 0 };
    let rest = line[at..].strip_prefix(b"<")?;
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    ((1..=3).contains(&digits) && rest.get(digits) == Some(&b'>')).then_some(at + digits + 2)
}

fn time(text: &[u8], newest: Newest) -> Option<(Stamp, bool, usize)> {
    if let Some((time, len)) = newest.rfc3164(text) {
        return Some((time, true, len));
    }
    if text.get(10) == Some(&b'T')
        && let Some((time, len)) = stamp::rfc3339(text)
    {
        return Some((time, false, len));
    }
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    if (9..=10).contains(&digits) && text.get(digits) == Some(&b'.') {
        let fraction = text[digits + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
        let len = digits + 1 + fraction;
        let seconds: f64 = std::str::from_utf8(&text[..len]).ok()?.parse().ok()?;
        return Some((stamp::epoch(seconds)?, false, len));
    }
    // A day's name before the date of short-full.
    let day = text.first_chunk::<4>()?;
    if day[3] == b' ' && day[..3].iter().all(u8::is_ascii_alphabetic) {
        let (micros, len) = Clock::default().read(&text[4..])?;
        return Some((Stamp { micros, coarse: text.get(23) != Some(&b'.') }, false, len + 4));
    }
    None
}

/// `postgres[123]: `, `postgres: `: the program, its process and the length with the space.
fn tag(text: &[u8]) -> Option<(&[u8], Option<u32>, usize)> {
    let name = text.iter().take(80).take_while(|b| b.is_ascii_graphic() && !matches!(b, b'[' | b':')).count();
    if name == 0 {
        return None;
    }
    let mut at = name;
    let mut pid = None;
    if text.get(at) == Some(&b'[') {
        let len = text[at + 1..].iter().take(80).position(|b| *b == b']')?;
        pid = process(&text[at + 1..at + 1 + len]);
        at += len + 2;
    }
    if text.get(at) != Some(&b':') {
        return None;
    }
    at += 1;
    match text.get(at) {
        Some(b' ') => at += 1,
        None => {}
        Some(_) => return None,
    }
    Some((&text[..name], pid, at))
}

/// `123`, and Heroku's `postgres.123`.
fn process(text: &[u8]) -> Option<u32> {
    let digits = text.iter().rposition(|b| !b.is_ascii_digit()).map_or(0, |at| at + 1);
    prefix::number(&text[digits..])
}

fn word(text: &[u8]) -> Option<&[u8]> {
    let len = text.iter().take(256).position(|b| *b == b' ')?;
    (len > 0 && text[..len].iter().all(u8::is_ascii_graphic)).then(|| &text[..len])
}

/// Everything after `<134>1 `.
fn rfc5424(line: &[u8], at: usize) -> Option<Header<'_>> {
    let mut words = [&b""[..]; 5];
    let mut at = at;
    for word_of in &mut words {
        *word_of = word(&line[at..])?;
        at += word_of.len() + 1;
    }
    let [time, host, program, process_id, _] = words;
    let time = if time == b"-" { None } else { Some(stamp::rfc3339(time)?.0) };
    at += structured_data(&line[at..]);
    for skipped in [&b" "[..], b"\xef\xbb\xbf"] {
        if line[at..].starts_with(skipped) {
            at += skipped.len();
        }
    }
    Some(Header { time, yearless: false, program, host, pid: process(process_id), at })
}

/// `-` or `[id name="value"]…`. Heroku leaves it out, and PostgreSQL's `[5-1]` is none.
fn structured_data(text: &[u8]) -> usize {
    if text.first() == Some(&b'-') && matches!(text.get(1), Some(b' ') | None) {
        return 1;
    }
    let mut at = 0;
    while text.get(at) == Some(&b'[') {
        let mut quoted = false;
        let mut escaped = false;
        let mut named = false;
        let end = text[at..].iter().position(|byte| {
            let was_escaped = std::mem::take(&mut escaped);
            match byte {
                b'\\' if quoted && !was_escaped => escaped = true,
                b'"' if !was_escaped => quoted = !quoted,
                b'=' | b'@' if !quoted => named = true,
                b']' if !quoted => return true,
                _ => {}
            }
            false
        });
        match end {
            Some(end) if named => at += end + 1,
            _ => break,
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expect: &str) {
        let newest = Newest(1_795_500_000_000_000);
        let shown = read(line.as_bytes(), newest).map_or("none".to_owned(), |header| {
            let mut time = Vec::new();
            if let Some(stamp) = header.time {
                stamp.write(&mut time);
            }
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let pid = header.pid.map_or("-".to_owned(), |pid| pid.to_string());
            let (host, program) = (text(header.host), text(header.program));
            format!("{}|{host}|{program}|{pid}|{}", text(time.trim_ascii_end()), &line[header.at..])
        });
        assert_eq!(shown, expect, "{line}");
    }

    #[test]
    fn every_form_of_syslog() {
        let at = "2026-11-23 06:48:14 UTC";
        check("Nov 23 06:48:14 db1 postgres[7]: [5-1] x", &format!("{at}|db1|postgres|7|[5-1] x"));
        check("<134>Nov 23 06:48:14 db1 postgres[7]: x", &format!("{at}|db1|postgres|7|x"));
        check("Nov 23 06:48:14 db1 kernel: x", &format!("{at}|db1|kernel|-|x"));
        check("2026-11-23T06:48:14+0000 db1 postgres[7]: x", &format!("{at}|db1|postgres|7|x"));
        check("Mon 2026-11-23 06:48:14 UTC db1 postgres[7]: x", &format!("{at}|db1|postgres|7|x"));
        check("1795416494.5 db1 postgres[7]: x", "2026-11-23 06:48:14.500000 UTC|db1|postgres|7|x");
        check(
            "<134>1 2026-11-23T06:48:14Z db1 postgres 7 - - [5-1] x",
            &format!("{at}|db1|postgres|7|[5-1] x"),
        );
        check(
            r#"<134>1 2026-11-23T06:48:14Z db1 postgres 7 - [a@1 b="\"]="][c@1 d=""] x"#,
            &format!("{at}|db1|postgres|7|x"),
        );
        check(
            "83 <40>1 2026-11-23T06:48:14+00:00 host app postgres.7 - [10-1] x",
            &format!("{at}|host|app|7|[10-1] x"),
        );
        check(
            "2026-11-23T06:48:14+00:00 app[postgres.7]: [DATABASE] x",
            &format!("{at}||app|7|[DATABASE] x"),
        );
        check("<134>1 - - postgres - - - x", "|-|postgres|-|x");
    }

    #[test]
    fn other_logs_are_none() {
        for line in [
            "2026-11-23 06:48:14.231 UTC [7]: user=,db=,app=,client= LOG:  x",
            "2026-06-10T08:49:19.100+09:00 DEBUG 1 --- [nio-1] org.hibernate.SQL : select 1",
            "2026-09-23T18:14:09.892536Z  INFO sqlx::query: summary=x",
            "2026-09-23T18:14:09.892536Z DEBUG sqlx::query: summary=x",
            "prisma:query SELECT 1",
            "",
        ] {
            check(line, "none");
        }
    }
}
