//! Bind values out of PostgreSQL's `DETAIL:  parameters: $1 = '42', $2 = NULL`.

/// The values in order; `None` stands for NULL. `None` as a whole when the text is not such a list or
/// a value was cut short by `log_parameter_max_length` (it then ends in `...`).
pub fn parse(detail: &[u8]) -> Option<Vec<Option<String>>> {
    let mut values = Vec::new();
    let mut rest = detail;
    loop {
        let digits = rest.strip_prefix(b"$")?.iter().take_while(|b| b.is_ascii_digit()).count();
        rest = rest[1 + digits..].strip_prefix(b" = ")?;
        if let Some(after) = rest.strip_prefix(b"NULL") {
            values.push(None);
            rest = after;
        } else {
            let (value, after) = quoted(rest.strip_prefix(b"'")?)?;
            values.push(Some(value));
            rest = after;
        }
        if rest.iter().all(u8::is_ascii_whitespace) {
            return Some(values);
        }
        rest = rest.strip_prefix(b", ")?;
    }
}

/// A value up to its closing quote, doubled quotes undone, and what follows.
fn quoted(text: &[u8]) -> Option<(String, &[u8])> {
    let mut value = Vec::new();
    let mut rest = text;
    loop {
        let quote = memchr::memchr(b'\'', rest)?;
        value.extend_from_slice(&rest[..quote]);
        rest = &rest[quote + 1..];
        match rest.strip_prefix(b"'") {
            Some(after) => {
                value.push(b'\'');
                rest = after;
            }
            None if rest.starts_with(b"...") || value.ends_with(b"...") => return None,
            None => return Some((String::from_utf8_lossy(&value).into_owned(), rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(detail: &str, expect: Option<&[Option<&str>]>) {
        let expect =
            expect.map(|values| values.iter().map(|value| value.map(str::to_owned)).collect::<Vec<_>>());
        assert_eq!(parse(detail.as_bytes()), expect);
    }

    #[test]
    fn values_with_commas_quotes_and_dollars() {
        check("$1 = '42', $2 = NULL", Some(&[Some("42"), None]));
        check("$1 = 'a, $2 = ''x''', $2 = ''", Some(&[Some("a, $2 = 'x'"), Some("")]));
        check("$1 = 'line\none'", Some(&[Some("line\none")]));
    }

    #[test]
    fn what_is_cut_short_is_not_known() {
        check("$1 = 'abc...', $2 = '1'", None);
        check("$1 = 'abc", None);
        check("nonsense", None);
    }
}
