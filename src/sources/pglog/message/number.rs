//! Numbers inside of messages.

use memchr::memmem;

/// `1.234` as microseconds, and what follows.
pub(super) fn milliseconds(text: &[u8]) -> Option<(u64, &[u8])> {
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

/// `1.234` seconds as microseconds.
pub(super) fn seconds(text: &[u8]) -> Option<u64> {
    milliseconds(text).map(|(micros, _)| micros.saturating_mul(1000))
}

/// The whole number at the front, and what follows it.
pub(in crate::sources) fn whole(text: &[u8]) -> Option<(u64, &[u8])> {
    let len = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let number = std::str::from_utf8(&text[..len]).ok()?.parse().ok()?;
    Some((number, &text[len..]))
}

/// What stands after the first `label`.
pub(super) fn after<'a>(text: &'a [u8], label: &[u8]) -> Option<&'a [u8]> {
    memmem::find(text, label).map(|at| &text[at + label.len()..])
}

/// The whole number after `label`.
pub(super) fn whole_after(text: &[u8], label: &[u8]) -> Option<u64> {
    whole(after(text, label)?).map(|(number, _)| number)
}

/// The whole number that ends where `label` begins: `12` of `12 removed`.
pub(super) fn whole_before(text: &[u8], label: &[u8]) -> Option<u64> {
    let head = &text[..memmem::find(text, label)?];
    let len = head.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    std::str::from_utf8(&head[head.len() - len..]).ok()?.parse().ok()
}

/// The seconds after `label`, as microseconds.
pub(super) fn seconds_after(text: &[u8], label: &[u8]) -> Option<u64> {
    seconds(after(text, label)?)
}

/// The milliseconds after `label`, as microseconds.
pub(super) fn milliseconds_after(text: &[u8], label: &[u8]) -> Option<u64> {
    milliseconds(after(text, label)?).map(|(micros, _)| micros)
}
