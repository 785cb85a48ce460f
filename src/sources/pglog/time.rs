//! Timestamps of log entries → microseconds since 1970 (UTC).
//!
//! A log writes the zone as an abbreviation, and abbreviations are ambiguous: the table below reads
//! them as PostgreSQL's own default abbreviations do, except IST (India, the most populous zone of
//! that name). An unknown one is read as UTC and reported.

use std::collections::BTreeSet;

/// Reads timestamps; remembers the last second, date and zone, since they hardly ever change.
#[derive(Debug, Default)]
pub(in crate::sources) struct Clock {
    /// Date and time of the last second, and what it is in microseconds before the zone is applied.
    second: [u8; 19],
    micros: i64,
    date: [u8; 10],
    days: i64,
    zone: Vec<u8>,
    /// Microseconds east of Greenwich.
    offset: i64,
    /// Abbreviations that the table does not have.
    pub unknown: BTreeSet<String>,
}

const SECOND: i64 = 1_000_000;

impl Clock {
    /// Reads `2026-11-23 04:22:29.056 UTC` (the fraction may be missing) from the front: the time and
    /// how many bytes it took.
    pub(in crate::sources) fn read(&mut self, text: &[u8]) -> Option<(i64, usize)> {
        let second: &[u8; 19] = text.first_chunk()?;
        if !same(second, &self.second) {
            self.micros = self.micros_of(second)?;
            self.second = *second;
        }
        let mut at = 19;
        let mut micros = self.micros;
        // Nearly always: three digits, and the zone of the line before.
        if let Some([b'.', a, b, c, b' ']) = text.get(19..24)
            && a.is_ascii_digit()
            && b.is_ascii_digit()
            && c.is_ascii_digit()
        {
            micros +=
                i64::from(a - b'0') * 100_000 + i64::from(b - b'0') * 10_000 + i64::from(c - b'0') * 1_000;
            if let Some(len) = self.same_zone(&text[24..]) {
                return Some((micros - self.offset, 24 + len));
            }
            micros = self.micros;
        }
        if text.get(at) == Some(&b'.') {
            at += 1;
            let mut unit = SECOND / 10;
            while let Some(digit) = text.get(at).filter(|b| b.is_ascii_digit()) {
                micros += i64::from(digit - b'0') * unit;
                unit /= 10;
                at += 1;
            }
        }
        if text.get(at) != Some(&b' ') {
            return None;
        }
        at += 1;
        let len = zone_len(&text[at..])?;
        if text[at..at + len] != self.zone[..] {
            self.zone.clear();
            self.zone.extend_from_slice(&text[at..at + len]);
            self.offset = self.offset_of_zone();
        }
        Some((micros - self.offset, at + len))
    }

    fn micros_of(&mut self, second: &[u8; 19]) -> Option<i64> {
        let (date, time) = second.split_first_chunk::<10>()?;
        if *date != self.date {
            self.days = days(date)?;
            self.date = *date;
        }
        if time[0] != b' ' || time[3] != b':' || time[6] != b':' {
            return None;
        }
        let (hour, minute, second) = (two(&time[1..])?, two(&time[4..])?, two(&time[7..])?);
        if hour > 24 || minute > 59 || second > 60 {
            return None;
        }
        Some((((self.days * 24 + hour) * 60 + minute) * 60 + second) * SECOND)
    }

    /// The length of the zone at the front, if it is the last one's name.
    fn same_zone(&self, text: &[u8]) -> Option<usize> {
        let len = self.zone.len();
        let same = self.zone.first()?.is_ascii_alphabetic()
            && text.len() >= len
            && text.iter().zip(&self.zone).all(|(byte, known)| byte == known)
            && !text.get(len).is_some_and(u8::is_ascii_alphabetic);
        same.then_some(len)
    }

    fn offset_of_zone(&mut self) -> i64 {
        let seconds = numeric(&self.zone).or_else(|| {
            let name = std::str::from_utf8(&self.zone).ok()?;
            let minutes = ZONES.iter().find(|(zone, _)| *zone == name)?.1;
            Some(i64::from(minutes) * 60)
        });
        let unknown = &mut self.unknown;
        let zone = &self.zone;
        seconds.unwrap_or_else(|| {
            unknown.insert(String::from_utf8_lossy(zone).into_owned());
            0
        }) * SECOND
    }
}

/// Whether a line begins with a date and a time, whatever follows.
pub(in crate::sources) fn looks_like_time(text: &[u8]) -> bool {
    let Some(head) = text.first_chunk::<19>() else { return false };
    head.iter().zip(b"0000-00-00 00:00:00").all(|(byte, form)| match form {
        b'0' => byte.is_ascii_digit(),
        form => byte == form,
    })
}

/// Seconds since 1970 with a fraction (`%n`): `1795407749.056`.
pub(in crate::sources) fn epoch(text: &[u8]) -> Option<(i64, usize)> {
    let whole = text.iter().take_while(|b| b.is_ascii_digit()).count();
    if !(9..=11).contains(&whole) || text.get(whole) != Some(&b'.') {
        return None;
    }
    let mut micros = text[..whole].iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')) * SECOND;
    let mut unit = SECOND / 10;
    let mut at = whole + 1;
    while let Some(digit) = text.get(at).filter(|b| b.is_ascii_digit()) {
        micros += i64::from(digit - b'0') * unit;
        unit /= 10;
        at += 1;
    }
    Some((micros, at))
}

/// A name (`CET`) or an offset (`+03`, `-0330`, `+05:30`).
fn zone_len(text: &[u8]) -> Option<usize> {
    let digits = |from: usize| text.get(from..from + 2).is_some_and(|two| two.iter().all(u8::is_ascii_digit));
    if matches!(text.first(), Some(b'+' | b'-')) {
        if !digits(1) {
            return None;
        }
        if digits(3) {
            return Some(5);
        }
        // `+03:10.0.0.1(5432)` is an offset, the prefix's own colon and an address.
        let minutes = text.get(3) == Some(&b':')
            && digits(4)
            && !text.get(6).is_some_and(|b| b.is_ascii_digit() || *b == b'.');
        return Some(if minutes { 6 } else { 3 });
    }
    let letters = text.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    (letters > 0).then_some(letters)
}

/// Seconds east of Greenwich.
fn numeric(zone: &[u8]) -> Option<i64> {
    let sign = match zone.first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let minutes = match zone.len() {
        3 => 0,
        length => two(&zone[length - 2..])?,
    };
    Some(sign * (two(&zone[1..])? * 60 + minutes) * 60)
}

/// Whether two texts are equal, in three words that overlap: a call to compare memory would cost more.
fn same(one: &[u8; 19], other: &[u8; 19]) -> bool {
    let word = |text: &[u8; 19], at: usize| {
        text[at..].first_chunk().map_or(0, |word: &[u8; 8]| u64::from_le_bytes(*word))
    };
    let differ = |at: usize| word(one, at) ^ word(other, at);
    // The seconds change first.
    (differ(11) | differ(8) | differ(0)) == 0
}

fn two(text: &[u8]) -> Option<i64> {
    let (&[tens, ones], _) = text.split_first_chunk()?;
    (tens.is_ascii_digit() && ones.is_ascii_digit())
        .then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

/// Days since 1970-01-01 of a `YYYY-MM-DD` in the proleptic Gregorian calendar.
fn days(date: &[u8; 10]) -> Option<i64> {
    if date[4] != b'-' || date[7] != b'-' {
        return None;
    }
    let year = two(date)? * 100 + two(&date[2..])?;
    let (month, day) = (two(&date[5..])?, two(&date[8..])?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // The year begins in March, so that the leap day is its last.
    let year = if month > 2 { year } else { year - 1 };
    let month = (month + 9) % 12;
    Some(
        year * 365 + year.div_euclid(4) - year.div_euclid(100)
            + year.div_euclid(400)
            + (month * 153 + 2) / 5
            + day
            - 719_469,
    )
}

/// Minutes east of Greenwich.
const ZONES: &[(&str, i16)] = &[
    ("UTC", 0),
    ("GMT", 0),
    ("Z", 0),
    ("UCT", 0),
    ("WET", 0),
    ("WEST", 60),
    ("BST", 60),
    ("CET", 60),
    ("CEST", 120),
    ("MET", 60),
    ("MEST", 120),
    ("EET", 120),
    ("EEST", 180),
    ("MSK", 180),
    ("TRT", 180),
    ("SAST", 120),
    ("CAT", 120),
    ("WAT", 60),
    ("EAT", 180),
    ("IDT", 180),
    ("GST", 240),
    ("PKT", 300),
    ("IST", 330),
    ("NPT", 345),
    ("WIB", 420),
    ("WITA", 480),
    ("WIT", 540),
    ("HKT", 480),
    ("SGT", 480),
    ("PHT", 480),
    ("JST", 540),
    ("KST", 540),
    ("AWST", 480),
    ("ACST", 570),
    ("ACDT", 630),
    ("AEST", 600),
    ("AEDT", 660),
    ("NZST", 720),
    ("NZDT", 780),
    ("NST", -210),
    ("NDT", -150),
    ("AST", -240),
    ("ADT", -180),
    ("EST", -300),
    ("EDT", -240),
    ("CST", -360),
    ("CDT", -300),
    ("MST", -420),
    ("MDT", -360),
    ("PST", -480),
    ("PDT", -420),
    ("AKST", -540),
    ("AKDT", -480),
    ("HST", -600),
    ("BRT", -180),
    ("BRST", -120),
    ("ART", -180),
    ("CLT", -240),
    ("CLST", -180),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Option<(&str, usize)>) {
        let read = Clock::default().read(text.as_bytes());
        let expect = expect.map(|(instant, taken)| {
            let instant: jiff::Timestamp = instant.parse().expect("RFC 3339");
            (instant.as_microsecond(), taken)
        });
        assert_eq!(read, expect, "{text}");
    }

    #[test]
    fn zones_become_utc() {
        check("2026-11-23 04:22:29.056 UTC [1]", Some(("2026-11-23T04:22:29.056Z", 27)));
        check("2026-11-23 04:22:29 CET", Some(("2026-11-23T03:22:29Z", 23)));
        check("2024-02-29 23:59:59.999 +0530 x", Some(("2024-02-29T18:29:59.999Z", 29)));
        check("2024-03-01 00:00:00 +05:30", Some(("2024-02-29T18:30:00Z", 26)));
        check("2026-11-23 04:22:29 -03:10.0.0.1(5432)", Some(("2026-11-23T07:22:29Z", 23)));
        check("2026-11-23 04:22:29 PDT:[local]", Some(("2026-11-23T11:22:29Z", 23)));
        check("1969-12-31 23:59:59 UTC", Some(("1969-12-31T23:59:59Z", 23)));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in
            ["", "2026-11-23", "2026-13-23 04:22:29 UTC", "2026-11-23 04:22:29", "2026-11-23T04:22:29 UTC"]
        {
            check(text, None);
        }
    }

    #[test]
    fn an_unknown_zone_is_reported() {
        let mut clock = Clock::default();
        assert!(clock.read(b"2026-11-23 04:22:29 XYZ").is_some());
        assert_eq!(clock.unknown.into_iter().collect::<Vec<_>>(), ["XYZ"]);
    }

    #[test]
    fn epochs_have_a_fraction() {
        assert_eq!(epoch(b"1795407749.056 x"), Some((1_795_407_749_056_000, 14)));
        assert_eq!(epoch(b"42.5"), None);
    }
}
