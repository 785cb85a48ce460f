//! Query text cut to the room there is, so that what tells two queries apart stays.
//!
//! The list of a SELECT is long and says little; tables and predicates stand behind it. So the list is
//! cut first, and only then the end.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::page::{clean, wrap};

/// How much of a long SELECT list is kept.
const LIST: usize = 24;

/// The text on one line of at most `room` columns, with `…` where something was left out.
pub(super) fn shorten(sql: &str, room: usize) -> String {
    let sql = clean(sql);
    let sql = sql.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if sql.width() <= room {
        return sql;
    }
    match from_at(&sql) {
        Some(from) if from > LIST => {
            let list = cut(&sql[..from], LIST.max((from + room).saturating_sub(sql.len()).min(from)));
            let list = match list.rfind(", ") {
                Some(comma) => format!("{} …", &list[..=comma]),
                None => list,
            };
            cut(&format!("{list}{}", &sql[from..]), room)
        }
        _ => cut(&sql, room),
    }
}

/// `lead`, then the text, in at most `lines` lines of at most `room` columns.
pub(super) fn fit(lead: &str, sql: &str, room: usize, lines: usize) -> Vec<String> {
    let left = (room * lines).saturating_sub(lead.width() + 1);
    let mut fitted: Vec<String> = wrap(&format!("{lead} {}", shorten(sql, left)), room);
    if let Some(rest) = fitted.get(lines - 1..).filter(|rest| rest.len() > 1) {
        fitted[lines - 1] = rest.join(" ");
        fitted.truncate(lines);
    }
    fitted.iter().map(|line| cut(line, room)).collect()
}

/// Where ` FROM ` of a SELECT begins, outside of parentheses.
fn from_at(sql: &str) -> Option<usize> {
    if !sql.get(..7)?.eq_ignore_ascii_case("select ") {
        return None;
    }
    let mut depth = 0_usize;
    for (at, byte) in sql.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b' ' if depth == 0 => {
                let word = sql.as_bytes().get(at..at + 6);
                if word.is_some_and(|word| word.eq_ignore_ascii_case(b" from ")) {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// At most `room` columns, `…` included.
pub(super) fn cut(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let mut used = 1;
    let kept: String = text
        .chars()
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= room
        })
        .collect();
    format!("{}…", kept.trim_end_matches([' ', ',']))
}

/// Names that are told together: all, or the first few and how many more there are.
pub(super) fn some_of(names: &[&str]) -> String {
    const SHOWN: usize = 4;
    match names.get(..SHOWN) {
        Some(shown) if names.len() > SHOWN + 1 => {
            format!("{} and {} more", shown.join(", "), names.len() - SHOWN)
        }
        _ => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sql: &str, room: usize, expect: &str) {
        let short = shorten(sql, room);
        assert_eq!(short, expect);
        assert!(short.width() <= room);
    }

    #[test]
    fn the_select_list_goes_first() {
        check("SELECT a FROM t", 40, "SELECT a FROM t");
        check(
            "SELECT id, user_id, status, total, created_at FROM orders WHERE user_id = $1",
            62,
            "SELECT id, user_id, status, … FROM orders WHERE user_id = $1",
        );
        check(
            "SELECT count(DISTINCT (SELECT a FROM b)), aaaaaaaaaaaaaaaaaaaaaa FROM orders WHERE x = 1",
            50,
            "SELECT count(DISTINCT (SE… FROM orders WHERE x = 1",
        );
    }

    #[test]
    fn then_the_end() {
        check("UPDATE orders SET status = $1 WHERE id = $2", 20, "UPDATE orders SET s…");
        check("SELECT a FROM t WHERE aaaaaaaaaaaaaaaa = $1", 20, "SELECT a FROM t WHE…");
        check("größe größe größe", 8, "größe g…");
    }
}
