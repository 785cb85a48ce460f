//! PostgreSQL's arrays as text. <https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO>

/// The elements of the outermost array: `{1,"a,b",NULL}` gives `1`, `a,b`, `NULL`. An element that is
/// itself an array stays as it is written. A text that was cut short loses its last, unfinished element.
pub fn elements(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    // Arrays with unusual bounds begin with them: `[0:2]={…}`.
    let text = if text.starts_with('[') { text.split_once('=').map_or("", |(_, rest)| rest) } else { text };
    let Some(inside) = text.strip_prefix('{') else { return found };
    let mut element = String::new();
    let mut depth = 0_usize;
    let mut quoted = false;
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                if depth > 0 {
                    element.push(c);
                }
                element.extend(chars.next());
            }
            '"' => {
                quoted = !quoted;
                if depth > 0 {
                    element.push(c);
                }
            }
            c if quoted => element.push(c),
            '{' => {
                depth += 1;
                element.push(c);
            }
            '}' if depth == 0 => {
                if !(found.is_empty() && element.is_empty() && inside == "}") {
                    found.push(element);
                }
                return found;
            }
            '}' => {
                depth -= 1;
                element.push(c);
            }
            ',' if depth == 0 => found.push(std::mem::take(&mut element)),
            c => element.push(c),
        }
    }
    found
}

/// The text that [`elements`] reads.
pub fn array(values: &[String]) -> String {
    let element = |value: &String| {
        let plain = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.+".contains(&byte));
        if plain && !value.is_empty() && !value.eq_ignore_ascii_case("null") {
            value.clone()
        } else {
            format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
        }
    };
    format!("{{{}}}", values.iter().map(element).collect::<Vec<_>>().join(","))
}

/// An array with other first and last elements; `None` where the text is no array of one dimension with at least
/// two elements.
pub fn with_ends(text: &str, first: Option<&str>, last: Option<&str>) -> Option<String> {
    let mut elements =
        Some(elements(text)).filter(|elements| elements.len() > 1 && !text.starts_with("{{"))?;
    if let (Some(element), Some(other)) = (elements.first_mut(), first) {
        other.clone_into(element);
    }
    if let (Some(element), Some(other)) = (elements.last_mut(), last) {
        other.clone_into(element);
    }
    Some(array(&elements))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_an_element() {
        for (text, expect) in [
            ("{}", vec![]),
            ("{1,2}", vec!["1", "2"]),
            (r#"{"a,b","say \"hi\"","back\\slash","{x}"}"#, vec!["a,b", "say \"hi\"", "back\\slash", "{x}"]),
            (r#"{{1,2},{"a,b"}}"#, vec!["{1,2}", r#"{"a,b"}"#]),
            ("[0:1]={a,b}", vec!["a", "b"]),
            ("{complete,cut sho", vec!["complete"]),
            (r#"{""}"#, vec![""]),
            ("", vec![]),
        ] {
            assert_eq!(elements(text), expect, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let elements_of: Vec<String> =
            ["a\"b", "c\\d", "", "NULL", "{x}", "a,b", "plain"].map(str::to_owned).into();
        assert_eq!(elements(&array(&elements_of)), elements_of);
        assert_eq!(array(&elements_of[6..]), "{plain}");
    }

    #[test]
    fn ends_are_replaced_and_the_rest_stays() {
        for (text, first, last, expect) in [
            ("{1,2,3}", Some("0"), Some("9"), Some("{0,2,9}")),
            ("{1,3}", None, Some("9"), Some("{1,9}")),
            (r#"{"a,b","c\"d",e}"#, Some(r#"A"\"#), None, Some(r#"{"A\"\\","c\"d",e}"#)),
            ("{1}", Some("0"), None, None),
            ("{{1,2},{3,4}}", Some("0"), None, None),
            ("no array", Some("0"), None, None),
        ] {
            assert_eq!(with_ends(text, first, last).as_deref(), expect, "{text}");
        }
    }
}
