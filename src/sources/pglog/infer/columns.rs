//! Lines that were cut alike, laid under each other → what each column of words is.
//!
//! A column is what connection lines say that it is (`connection authorized: user=app database=shop`); else what its
//! values look like (addresses, command tags); else, where values differ from line to line, the user, the database and
//! the application in this order, which is how nearly every prefix has them.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    severity_at,
    skeleton::{Part, parts},
};
use crate::sources::pglog::{
    sessions::{self, Facts},
    severity::{self, Word},
};

/// A prefix that lines suggest.
pub(super) struct Guess {
    pub(super) text: String,
    /// Columns that are taken for values although they say the same in every line.
    pub(super) assumed: usize,
}

/// Ways to cut a line that are followed up: sessions, background processes, names of two words …
const MOST: usize = 8;

/// Lines of one cut.
#[derive(Default)]
struct Alike<'a> {
    lines: usize,
    /// By part: the values of numbers and words, each once.
    values: Vec<BTreeSet<&'a [u8]>>,
    /// By part: how often a connection line says that this is the user, database, application or host.
    told: Vec<[u32; 4]>,
}

const TOLD: [&str; 4] = ["%u", "%d", "%a", "%h"];

/// Prefixes that the lines suggest, each with `%q` at every place where it may stand.
pub(super) fn guesses(lines: &[&[u8]]) -> Vec<Guess> {
    let mut cuts: BTreeMap<Vec<Kind<'_>>, Alike<'_>> = BTreeMap::new();
    for line in lines {
        let Some(at) = severity_at(line) else { continue };
        let Some((word, len)) = severity::read(&line[at..]) else { continue };
        let parts = parts(&line[..at]);
        let alike = cuts.entry(parts.iter().map(Kind::of).collect()).or_default();
        alike.lines += 1;
        alike.values.resize_with(parts.len(), BTreeSet::new);
        alike.told.resize(parts.len(), [0; 4]);
        let told = matches!(word, Word::Entry(_)).then(|| sessions::told(&line[at + len..])).flatten();
        for (column, part) in parts.iter().enumerate() {
            let (Part::Number(value) | Part::Word(value)) = part else { continue };
            alike.values[column].insert(value);
            for (votes, name) in alike.told[column].iter_mut().zip(told.iter().flat_map(Facts::names)) {
                *votes += u32::from(name == Some(value));
            }
        }
    }
    let mut cuts: Vec<_> = cuts.into_iter().collect();
    cuts.sort_by_key(|(_, alike)| std::cmp::Reverse(alike.lines));
    cuts.truncate(MOST);
    cuts.iter().flat_map(|(kinds, alike)| with_quits(&escapes(kinds, alike))).collect()
}

/// What lines have in common that were cut alike: all but the values of numbers and words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind<'a> {
    Literal(&'a [u8]),
    Known(&'static str),
    Number,
    Word,
}

impl<'a> Kind<'a> {
    fn of(part: &Part<'a>) -> Kind<'a> {
        match *part {
            Part::Literal(text) => Kind::Literal(text),
            Part::Known(escape) => Kind::Known(escape),
            Part::Number(_) => Kind::Number,
            Part::Word(_) => Kind::Word,
        }
    }
}

/// What each part is in a `log_line_prefix`, and how many are assumed to be values.
fn escapes(kinds: &[Kind<'_>], alike: &Alike<'_>) -> (Vec<String>, usize) {
    let mut escapes: Vec<Option<&str>> = kinds
        .iter()
        .zip(&alike.values)
        .zip(&alike.told)
        .map(|((kind, values), told)| match kind {
            Kind::Known(escape) => Some(*escape),
            Kind::Word => by_votes(told).or_else(|| by_form(values)),
            Kind::Literal(_) | Kind::Number => None,
        })
        .collect();
    number(kinds, alike, &mut escapes);
    let assumed = name(kinds, alike, &mut escapes);
    // Each by itself, since `%q` may stand between any two.
    let literal = |text: &[u8]| -> Vec<String> {
        String::from_utf8_lossy(text)
            .chars()
            .map(|c| if c == '%' { "%%".to_owned() } else { c.to_string() })
            .collect()
    };
    let parts =
        escapes.into_iter().zip(kinds).zip(&alike.values).flat_map(|((escape, kind), values)| {
            match (kind, escape) {
                (Kind::Literal(text), _) => literal(text),
                (_, Some(escape)) => vec![escape.to_owned()],
                (_, None) => values.first().map_or_else(Vec::new, |value| literal(value)),
            }
        });
    (parts.collect(), assumed)
}

/// What most connection lines say; `None` where they say nothing, or as often the one as the other.
fn by_votes(told: &[u32; 4]) -> Option<&'static str> {
    let most = *told.iter().max()?;
    let mut winners = TOLD.iter().zip(told).filter(|(_, votes)| **votes == most);
    let (winner, _) = winners.next()?;
    (most > 0 && winners.next().is_none()).then_some(*winner)
}

/// Command tags, as far as they are common and of one word.
const TAGS: &[&[u8]] = &[
    b"SELECT",
    b"INSERT",
    b"UPDATE",
    b"DELETE",
    b"MERGE",
    b"BEGIN",
    b"COMMIT",
    b"ROLLBACK",
    b"PARSE",
    b"BIND",
    b"SET",
    b"SHOW",
    b"COPY",
    b"EXECUTE",
    b"FETCH",
    b"SAVEPOINT",
    b"RELEASE",
    b"authentication",
    b"idle",
];

fn by_form(values: &BTreeSet<&[u8]>) -> Option<&'static str> {
    let host = |value: &[u8]| value.split(|byte| *byte == b'(').next().unwrap_or(value).to_vec();
    let is_address = |value: &&[u8]| {
        let host = String::from_utf8(host(value)).unwrap_or_default();
        host == "[local]"
            || host == "localhost"
            || value.ends_with(b")")
            || host.parse::<std::net::IpAddr>().is_ok()
    };
    if values.iter().all(is_address) {
        return Some(if values.iter().any(|value| value.ends_with(b")")) { "%r" } else { "%h" });
    }
    values.iter().all(|value| TAGS.contains(value)).then_some("%i")
}

/// Finds the process id among the numbers: the one in brackets, or else the first. A session id holds it too.
fn number(kinds: &[Kind<'_>], alike: &Alike<'_>, escapes: &mut [Option<&str>]) {
    let numbers: Vec<usize> = (0..kinds.len()).filter(|at| kinds[*at] == Kind::Number).collect();
    let known = escapes.iter().any(|escape| matches!(escape, Some("%p" | "%c")));
    let states = |at: usize| {
        let values = &alike.values[at];
        values.contains(&b"00000"[..]) && values.iter().all(|value| value.len() == 5)
    };
    let bracketed = |at: &&usize| {
        at.checked_sub(1)
            .is_some_and(|before| matches!(kinds[before], Kind::Literal(text) if text.ends_with(b"[")))
    };
    let of_process = || numbers.iter().filter(|at| !states(**at));
    let process = of_process().find(bracketed).or_else(|| of_process().next()).filter(|_| !known);
    for &at in &numbers {
        escapes[at] = Some(match at {
            at if Some(&at) == process => "%p",
            at if states(at) => "%e",
            _ => "%l",
        });
    }
}

/// Gives the columns that are left the names that are left. Where all of them say the same in every line, they
/// are only assumed to be values: how many these are.
fn name(kinds: &[Kind<'_>], alike: &Alike<'_>, escapes: &mut [Option<&str>]) -> usize {
    // `web[7]:` and `host: ` are labels.
    let is_label = |at: usize| {
        alike.values[at].len() == 1
            && matches!(kinds.get(at + 1), Some(Kind::Literal(text)) if matches!(text[0], b'[' | b':' | b'='))
            && !at_sign(kinds, at)
    };
    let left: Vec<usize> = (0..kinds.len())
        .filter(|at| kinds[*at] == Kind::Word && escapes[*at].is_none() && !is_label(*at))
        .collect();
    let differs = |at: &usize| {
        alike.values[*at].len() > 1 || alike.values[*at].contains(&b"[unknown]"[..]) || at_sign(kinds, *at)
    };
    let assumed = if left.iter().any(differs) || escapes_names(escapes) { 0 } else { left.len() };
    for at in left {
        let free = ["%u", "%d", "%a"].into_iter().find(|name| !escapes.contains(&Some(name)));
        // What has no name is not used.
        escapes[at] = Some(free.unwrap_or("%i"));
    }
    assumed
}

/// Whether connection lines or keys named a column.
fn escapes_names(escapes: &[Option<&str>]) -> bool {
    escapes.iter().any(|escape| matches!(escape, Some("%u" | "%d" | "%a")))
}

/// One of `user@database`.
fn at_sign(kinds: &[Kind<'_>], at: usize) -> bool {
    let is =
        |at: Option<usize>| at.and_then(|at| kinds.get(at)).is_some_and(|kind| *kind == Kind::Literal(b"@"));
    is(Some(at + 1)) || is(at.checked_sub(1))
}

/// The prefix as it is, and with `%q` at each place where background processes may stop.
fn with_quits((parts, assumed): &(Vec<String>, usize)) -> Vec<Guess> {
    let guess = |text: String| Guess { text, assumed: *assumed };
    let mut guesses = vec![guess(parts.concat())];
    for quit in 1..parts.len() {
        guesses.push(guess(format!("{}%q{}", parts[..quit].concat(), parts[quit..].concat())));
    }
    guesses
}
