//! The text of a PostgreSQL array with other first and last elements.
//! <https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO>

/// `None` where the text is no array of one dimension with at least two elements.
pub(super) fn with_ends(text: &str, first: Option<&str>, last: Option<&str>) -> Option<String> {
    let inside = text.strip_prefix('{')?.strip_suffix('}')?;
    let commas = commas(inside)?;
    let (&before, &after) = (commas.first()?, commas.last()?);
    let first = first.map_or_else(|| inside[..before].to_owned(), element);
    let last = last.map_or_else(|| inside[after + 1..].to_owned(), element);
    let middle = if before == after { "," } else { &inside[before..=after] };
    Some(format!("{{{first}{middle}{last}}}"))
}

/// An element that is read back whatever it holds.
fn element(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Where the commas between elements stand.
fn commas(inside: &str) -> Option<Vec<usize>> {
    let mut commas = Vec::new();
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in inside.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'}' if !quoted => return None,
            b',' if !quoted => commas.push(at),
            _ => {}
        }
    }
    Some(commas)
}

#[cfg(test)]
mod tests {
    use super::with_ends;

    #[test]
    fn ends_are_replaced_and_the_rest_stays() {
        for (text, first, last, expect) in [
            ("{1,2,3}", Some("0"), Some("9"), Some(r#"{"0",2,"9"}"#)),
            ("{1,3}", None, Some("9"), Some(r#"{1,"9"}"#)),
            (r#"{"a,b","c\"d",e}"#, Some(r#"A"\"#), None, Some(r#"{"A\"\\","c\"d",e}"#)),
            ("{1}", Some("0"), None, None),
            ("{{1,2},{3,4}}", Some("0"), None, None),
            ("no array", Some("0"), None, None),
        ] {
            assert_eq!(with_ends(text, first, last).as_deref(), expect, "{text}");
        }
    }
}
