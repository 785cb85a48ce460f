//! PostgreSQL's messages: which form a message has, and what of it may be shown.
//!
//! A message holds names (of tables, constraints, roles), which help, and values of the user's data,
//! which no report may hold. So of a message only its form is kept, with the names filled in: `%n` is
//! a name, `%x` anything else. A message of no known form (a function's RAISE, an extension) is never
//! shown; it is known by its SQLSTATE.
//!
//! The forms are those of PostgreSQL 13 to 18. The SQLSTATE is what the server reports with each: stderr
//! logs without `%e` do not carry it.

use memchr::memmem;

use super::{Kind, form_table::FORMS};

/// One message of the server.
#[derive(Debug, PartialEq, Eq)]
pub struct Form {
    pub text: &'static str,
    /// Empty where it depends on the operating system's error.
    pub sqlstate: &'static str,
    pub kind: Kind,
}

/// A message and its form.
#[derive(Debug, PartialEq, Eq)]
pub struct Told {
    pub form: &'static Form,
    /// The form with its names, and `…` for values.
    pub shown: String,
}

/// The form of a message, if we know it.
pub fn find(message: &[u8]) -> Option<Told> {
    let form = candidates(message).iter().find(|form| matches(form.text, message, &mut |_, _| ()))?;
    let mut shown = String::new();
    let mut rest = form.text;
    matches(form.text, message, &mut |wildcard, value| {
        let (before, after) = rest.split_at(rest.find('%').unwrap_or(rest.len()));
        shown.push_str(before);
        rest = after.get(2..).unwrap_or_default();
        match wildcard {
            b'n' if value.len() <= LONGEST_NAME => shown.push_str(&String::from_utf8_lossy(value)),
            _ => shown.push('…'),
        }
    });
    shown.push_str(rest);
    Some(Told { form, shown })
}

/// Whether a LOG or WARNING tells of the server rather than of one statement.
pub fn is_server(message: &[u8]) -> bool {
    candidates(message)
        .iter()
        .any(|form| form.kind.is_server() && matches(form.text, message, &mut |_, _| ()))
}

/// Two names of 63 bytes with their schema, or a function with its arguments.
const LONGEST_NAME: usize = 200;

/// Those that begin with the same byte.
fn candidates(message: &[u8]) -> &'static [Form] {
    let Some(&first) = message.first() else { return &[] };
    let byte = |form: &Form| form.text.as_bytes()[0];
    let from = FORMS.partition_point(|form| byte(form) < first);
    let len = FORMS[from..].partition_point(|form| byte(form) == first);
    &FORMS[from..from + len]
}

/// Whether the message has the form; tells each wildcard's value in order. A value ends where the text
/// after it first stands; the last one where the message ends.
fn matches<'a>(form: &str, message: &'a [u8], wildcard: &mut dyn FnMut(u8, &'a [u8])) -> bool {
    let mut parts = form.split('%');
    let Some(mut rest) = message.strip_prefix(parts.next().unwrap_or_default().as_bytes()) else {
        return false;
    };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let (kind, literal) = (part.as_bytes()[0], &part.as_bytes()[1..]);
        let at = match (literal.is_empty(), parts.peek().is_none()) {
            (true, _) => Some(rest.len()),
            (false, true) => rest.len().checked_sub(literal.len()).filter(|&at| &rest[at..] == literal),
            (false, false) => memmem::find(rest, literal),
        };
        let Some(at) = at else { return false };
        wildcard(kind, &rest[..at]);
        rest = &rest[at + literal.len()..];
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(message: &str, expect: Option<(&str, &str)>) {
        let told = find(message.as_bytes());
        assert_eq!(told.as_ref().map(|told| (told.form.sqlstate, told.shown.as_str())), expect);
    }

    #[test]
    fn names_are_shown_and_values_are_not() {
        check(
            "duplicate key value violates unique constraint \"users_email_key\"",
            Some(("23505", "duplicate key value violates unique constraint \"users_email_key\"")),
        );
        check(
            "invalid input syntax for type integer: \"it's %n a secret\"",
            Some(("22P02", "invalid input syntax for type integer: \"…\"")),
        );
        check(
            "null value in column \"owner\" of relation \"accounts\" violates not-null constraint",
            Some((
                "23502",
                "null value in column \"owner\" of relation \"accounts\" violates not-null constraint",
            )),
        );
        check("syntax error at or near \"'secret'\"", Some(("42601", "syntax error at or near \"…\"")));
        check("order 7 of bob@example.com is closed", None);
        check("division by zero, said bob", None);
        check("", None);
    }

    /// The search for the first byte needs it; a form that begins with a wildcard could never be found.
    #[test]
    fn forms_are_sorted_by_their_first_byte_and_begin_with_a_word() {
        assert!(FORMS.is_sorted_by_key(|form| form.text.as_bytes()[0]));
        for form in FORMS {
            assert!(!form.text.starts_with('%'), "{}", form.text);
            assert!(form.sqlstate.is_empty() || form.sqlstate.len() == 5, "{}", form.text);
            for (at, _) in form.text.match_indices('%') {
                assert!(matches!(form.text.as_bytes().get(at + 1), Some(b'n' | b'x')), "{}", form.text);
            }
            assert_eq!(
                find(form.text.replace('%', "").as_bytes()).map(|told| told.form.text),
                Some(form.text)
            );
        }
    }
}
