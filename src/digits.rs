//! Numbers as people read them.

/// The thousands of a whole number's digits apart, a sign before them included: `-1,234,567`.
pub fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if text.ends_with(|c: char| c.is_ascii_digit()) && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_stand_apart() {
        for (digits, expect) in [
            ("", ""),
            ("0", "0"),
            ("999", "999"),
            ("1000", "1,000"),
            ("-123456", "-123,456"),
            ("1234567", "1,234,567"),
        ] {
            assert_eq!(grouped(digits), expect);
        }
    }
}
