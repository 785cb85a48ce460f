//! The text of a PostgreSQL array → its elements as text.

/// The elements of the outermost array: `{1,"a,b",NULL}` gives `1`, `a,b`, `NULL`. An element that is
/// itself an array stays as it is written. A text that was cut short loses its last, unfinished element.
/// <https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO>
pub(in crate::server) fn elements(text: &str) -> Vec<String> {
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

#[cfg(test)]
mod tests {
    use super::elements;

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
}
