//! Times as envelopes write them → microseconds since 1970, and back into a prefix of PostgreSQL's.

use jiff::{Timestamp, civil::Date};

use super::super::pglog::time::Clock;

/// When a record was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Microseconds since 1970, UTC.
    pub micros: i64,
    /// It has no fraction: seconds are all that is known.
    pub coarse: bool,
}

impl Stamp {
    /// As `%m` and `%t` write it, with a space behind.
    pub(super) fn write(self, to: &mut Vec<u8>) {
        let Ok(time) = Timestamp::from_microsecond(self.micros) else { return };
        let form = if self.coarse { "%Y-%m-%d %H:%M:%S UTC " } else { "%Y-%m-%d %H:%M:%S.%6f UTC " };
        to.extend_from_slice(time.strftime(form).to_string().as_bytes());
    }

    pub(super) fn of_micros(micros: i64) -> Stamp {
        Stamp { micros, coarse: false }
    }
}

/// `2026-11-23T10:00:00.123456+01:00`, `…Z`, `…+0100` (a space may stand for the `T`): the time and its length.
pub(super) fn rfc3339(text: &[u8]) -> Option<(Stamp, usize)> {
    let head: &[u8; 19] = text.first_chunk()?;
    if !matches!(head[10], b'T' | b' ' | b't') || !head[0].is_ascii_digit() {
        return None;
    }
    let fraction = text[19..].iter().take_while(|b| **b == b'.' || b.is_ascii_digit()).count();
    let zone_at = 19 + fraction;
    let zone = &text[zone_at..];
    let zone_len = match zone.first() {
        Some(b'Z' | b'z') => 1,
        Some(b'+' | b'-') => {
            let len = zone[1..].iter().take_while(|b| b.is_ascii_digit() || **b == b':').count() + 1;
            if !(3..=6).contains(&len) {
                return None;
            }
            len
        }
        _ => return None,
    };
    // The clock of the logs knows calendars and zones; it wants spaces.
    let mut plain = Vec::with_capacity(40);
    plain.extend_from_slice(&text[..zone_at]);
    plain[10] = b' ';
    plain.push(b' ');
    plain.extend_from_slice(if zone_len == 1 { b"UTC" } else { &zone[..zone_len] });
    let (micros, _) = Clock::default().read(&plain)?;
    Some((Stamp { micros, coarse: fraction == 0 }, zone_at + zone_len))
}

/// A count of seconds, milliseconds, microseconds or nanoseconds since 1970; its size tells which.
pub(super) fn epoch(number: f64) -> Option<Stamp> {
    let micros = match number {
        n if !(1e8..1e19).contains(&n) => return None,
        n if n < 1e11 => n * 1e6,
        n if n < 1e14 => n * 1e3,
        n if n < 1e17 => n,
        n => n / 1e3,
    };
    #[expect(clippy::cast_possible_truncation, reason = "below 10^16")]
    Some(Stamp { micros: micros.round() as i64, coarse: false })
}

/// The last day that a line without a year may be of: a file's date, or today.
#[derive(Clone, Copy, Debug)]
pub(super) struct Newest(pub i64);

const DAY: i64 = 86_400_000_000;

impl Newest {
    /// `Nov 23 10:00:00` (a fraction may follow): the time in the latest year in which it is not in the
    /// future, and its length. Two days of grace, since zones and clocks differ.
    pub(super) fn rfc3164(self, text: &[u8]) -> Option<(Stamp, usize)> {
        let name = text.first_chunk::<3>()?;
        let month = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(name))?;
        let month = i8::try_from(month + 1).ok()?;
        let (day, clock) = (text.get(3..6)?, text.get(6..15)?);
        let day = match day {
            [b' ', b' ' | b'0', ones] => digit(*ones)?,
            [b' ', tens, ones] => digit(*tens)? * 10 + digit(*ones)?,
            _ => return None,
        };
        let [b' ', h1, h2, b':', m1, m2, b':', s1, s2] = clock else { return None };
        let two = |tens: &u8, ones: &u8| Some(i64::from(digit(*tens)?) * 10 + i64::from(digit(*ones)?));
        let second = (two(h1, h2)? * 60 + two(m1, m2)?) * 60 + two(s1, s2)?;
        let mut at = 15;
        let mut fraction = 0;
        if text.get(at) == Some(&b'.') {
            let mut unit = 100_000;
            at += 1;
            while let Some(b) = text.get(at).filter(|b| b.is_ascii_digit()) {
                fraction += i64::from(b - b'0') * unit;
                unit /= 10;
                at += 1;
            }
        }
        let latest = Timestamp::from_microsecond(self.0.saturating_add(2 * DAY)).ok()?;
        let year = latest.strftime("%Y").to_string().parse::<i16>().ok()?;
        // Eight years back there has been a 29 February.
        let micros = (0..=8).find_map(|back| {
            let days = Date::new(year - back, month, day).ok()?.since(Date::constant(1970, 1, 1)).ok()?;
            let micros = (i64::from(days.get_days()) * 86_400 + second) * 1_000_000 + fraction;
            (micros <= self.0.saturating_add(2 * DAY)).then_some(micros)
        })?;
        Some((Stamp { micros, coarse: at == 15 }, at))
    }
}

fn digit(byte: u8) -> Option<i8> {
    byte.is_ascii_digit().then(|| i8::try_from(byte - b'0').unwrap_or(0))
}

const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(text: &str) -> i64 {
        text.parse::<Timestamp>().expect("RFC 3339").as_microsecond()
    }

    #[test]
    fn rfc_3339_in_its_variants() {
        for (text, same, len) in [
            ("2026-11-23T06:48:14.231Z x", "2026-11-23T06:48:14.231Z", 24),
            ("2026-11-23T06:48:14.231456789Z", "2026-11-23T06:48:14.231456Z", 30),
            ("2026-11-23T06:48:14+0100 x", "2026-11-23T05:48:14Z", 24),
            ("2026-11-23 06:48:14.5+01:00", "2026-11-23T05:48:14.5Z", 27),
        ] {
            let (stamp, taken) = rfc3339(text.as_bytes()).expect(text);
            assert_eq!((stamp.micros, taken), (micros(same), len), "{text}");
        }
        for text in ["2026-11-23 06:48:14 UTC", "2026-11-23T06:48:14", "", "2026-13-23T06:48:14Z"] {
            assert_eq!(rfc3339(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn the_year_is_the_latest_that_is_not_in_the_future() {
        let newest = Newest(micros("2027-01-02T10:00:00Z"));
        for (text, same) in [
            ("Jan  2 09:59:59 host", "2027-01-02T09:59:59Z"),
            ("Jan  4 09:00:00 host", "2027-01-04T09:00:00Z"),
            ("Jan 05 10:00:00 host", "2026-01-05T10:00:00Z"),
            ("Dec 31 23:59:59.250 host", "2026-12-31T23:59:59.25Z"),
            ("Feb 29 00:00:00 host", "2024-02-29T00:00:00Z"),
        ] {
            let (stamp, _) = newest.rfc3164(text.as_bytes()).expect(text);
            assert_eq!(stamp.micros, micros(same), "{text}");
        }
        for text in ["Nov 31 10:00:00 host", "Nob 23 10:00:00", "Nov 23", ""] {
            assert_eq!(newest.rfc3164(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn the_unit_of_an_epoch_shows_by_its_size() {
        for number in [1_795_416_494.25, 1_795_416_494_250.0, 1_795_416_494_250_000.0] {
            assert_eq!(epoch(number).map(|stamp| stamp.micros), Some(1_795_416_494_250_000));
        }
        assert_eq!(epoch(42.0), None);
    }

    #[test]
    fn a_stamp_is_written_as_a_prefix() {
        let mut text = Vec::new();
        Stamp::of_micros(1_795_416_494_250_000).write(&mut text);
        Stamp { micros: 1_795_416_494_000_000, coarse: true }.write(&mut text);
        assert_eq!(text, b"2026-11-23 06:48:14.250000 UTC 2026-11-23 06:48:14 UTC ");
    }
}
