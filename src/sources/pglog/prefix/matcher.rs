//! The matcher: a line → the values of its prefix, going back where a value holds what separates values.

use super::{Field, Fields, Head, Prefix, Step, backend_len, number, pid_of_session};
use crate::sources::pglog::{
    severity::{self, Word},
    time::{self, Clock},
};

/// The longest value that a prefix holds: names have 63 bytes, command tags and host names somewhat more.
const LONGEST_VALUE: usize = 300;

/// What a search found, and how.
#[derive(Debug)]
pub(super) struct Search<'a> {
    pub head: Head<'a>,
    /// A step whose place in the line is wanted, and that place.
    pub watched: usize,
    pub reached: Option<usize>,
    /// A value could have ended elsewhere: only what follows decided.
    pub went_back: bool,
}

impl Default for Search<'_> {
    fn default() -> Self {
        let head = Head { fields: Fields::default(), word_at: 0, word: Word::Ignored, text_at: 0 };
        Search { head, watched: usize::MAX, reached: None, went_back: false }
    }
}

/// What the first prefix reads whose values look like single ones, or else what any reads.
pub(super) fn better<'a>(
    own: Option<Head<'a>>,
    later: impl Iterator<Item = Option<Head<'a>>>,
) -> Option<Head<'a>> {
    let clean = |head: &Head<'_>| !head.fields.look_merged();
    if own.as_ref().is_some_and(clean) {
        return own;
    }
    let mut any = own;
    for head in later.flatten() {
        if clean(&head) {
            return Some(head);
        }
        any = any.or(Some(head));
    }
    any
}

impl Prefix {
    /// Reads the beginning of a line (without its newline); `None` when the line does not begin with
    /// this prefix and a severity.
    pub(in crate::sources) fn head<'a>(&self, line: &'a [u8], clock: &mut Clock) -> Option<Head<'a>> {
        let mut search = Search::default();
        let own = self.step(0, line, 0, clock, &mut search).then_some(search.head);
        if self.later.is_empty() {
            own
        } else {
            better(own, self.later.iter().map(|one| one.head(line, clock)))
        }
    }

    pub(super) fn step<'a>(
        &self,
        index: usize,
        line: &'a [u8],
        at: usize,
        clock: &mut Clock,
        search: &mut Search<'a>,
    ) -> bool {
        if index == search.watched {
            search.reached = Some(at);
        }
        let Some(step) = self.steps.get(index) else {
            return finish(line, at, &mut search.head);
        };
        match step {
            Step::Literal(literal) => {
                if !begins_with(&line[at..], literal) {
                    return false;
                }
                let fits = self.step(index + 1, line, at + literal.len(), clock, search);
                search.went_back |= !fits;
                fits
            }
            Step::Quit => finish(line, at, &mut search.head) || self.step(index + 1, line, at, clock, search),
            Step::Field { what, padded } => {
                let spaces = |from: usize| line[from..].iter().take_while(|b| **b == b' ').count();
                let from = if *padded { at + spaces(at) } else { at };
                let Some(len) = fixed(*what, &line[from..], clock, &mut search.head.fields) else {
                    return self.text(index, *what, line, at, clock, search);
                };
                let Some(len) = len else { return false };
                let end = from + len;
                // Padding on the right may be followed by a space that is the prefix's own.
                if *padded && spaces(end) > 0 {
                    return (end..=end + spaces(end))
                        .rev()
                        .any(|end| self.step(index + 1, line, end, clock, search));
                }
                self.step(index + 1, line, end, clock, search)
            }
        }
    }

    /// A value of any text: ends before the next literal, at the first place where the rest fits.
    fn text<'a>(
        &self,
        index: usize,
        what: Field,
        line: &'a [u8],
        at: usize,
        clock: &mut Clock,
        search: &mut Search<'a>,
    ) -> bool {
        let stop = line.len().min(at + LONGEST_VALUE);
        // Without a literal behind it, where it ends is a matter of trying.
        search.went_back |= !matches!(self.steps.get(index + 1), Some(Step::Literal(_)));
        let mut end = at;
        while end <= stop {
            if let Some(Step::Literal(literal)) = self.steps.get(index + 1) {
                // Values are short: finding the byte one by one beats setting up a search.
                match line[end..line.len().min(stop + 1)].iter().position(|byte| *byte == literal[0]) {
                    Some(skip) => end += skip,
                    None => return false,
                }
            }
            // A host is an address or a name, and neither holds a space.
            if matches!(what, Field::Host | Field::HostAndPort) && line[at..end].contains(&b' ') {
                return false;
            }
            if self.step(index + 1, line, end, clock, search) {
                store(what, &line[at..end], &mut search.head.fields);
                return true;
            }
            end += 1;
        }
        false
    }
}

/// For the few bytes between two values, which a call to compare memory would cost more than.
pub(super) fn begins_with(text: &[u8], literal: &[u8]) -> bool {
    text.len() >= literal.len() && text.iter().zip(literal).all(|(byte, wanted)| byte == wanted)
}

fn finish(line: &[u8], at: usize, head: &mut Head<'_>) -> bool {
    let Some((word, len)) = severity::read(&line[at..]) else { return false };
    head.word_at = at;
    head.word = word;
    head.text_at = at + len;
    true
}

/// Values of a form of their own: `None` when the field is plain text, `Some(None)` when the form is not met.
#[expect(clippy::option_option, reason = "two different kinds of no")]
pub(super) fn fixed<'a>(
    what: Field,
    text: &'a [u8],
    clock: &mut Clock,
    fields: &mut Fields<'a>,
) -> Option<Option<usize>> {
    let run = |accept: fn(&u8) -> bool| text.iter().take_while(|b| accept(b)).count();
    Some(match what {
        // `%m` always has a fraction and `%t` never, so that one is not taken for the other.
        Field::Millis | Field::Seconds if (text.get(19) == Some(&b'.')) != (what == Field::Millis) => None,
        Field::Millis | Field::Seconds => clock.read(text).map(|(time, len)| {
            if fields.time.is_none() || what == Field::Millis {
                fields.time = Some(time);
                fields.coarse = what == Field::Seconds;
            }
            len
        }),
        Field::Epoch => time::epoch(text).map(|(time, len)| {
            fields.time = Some(time);
            fields.coarse = false;
            len
        }),
        Field::SessionStart => Some(clock.read(text).map_or(0, |(_, len)| len)),
        Field::Pid => {
            let len = run(u8::is_ascii_digit);
            fields.pid = number(&text[..len]);
            (len > 0).then_some(len)
        }
        Field::SessionId => {
            let len = run(|b| b.is_ascii_hexdigit() || *b == b'.');
            if fields.pid.is_none() {
                fields.pid = pid_of_session(&text[..len]);
            }
            (len > 0).then_some(len)
        }
        Field::Number => {
            let sign = usize::from(text.first() == Some(&b'-'));
            Some(sign + text[sign..].iter().take_while(|b| b.is_ascii_digit()).count())
        }
        Field::Vxid => {
            let len = run(|b| b.is_ascii_digit() || *b == b'/');
            fields.vxid = (len > 0).then_some(&text[..len]);
            Some(len)
        }
        Field::SqlState => {
            fields.sqlstate = text.get(..5).filter(|state| state.iter().all(u8::is_ascii_alphanumeric));
            fields.sqlstate.map(<[u8]>::len)
        }
        Field::Backend => Some(backend_len(text)?),
        _ => return None,
    })
}

fn store<'a>(what: Field, value: &'a [u8], fields: &mut Fields<'a>) {
    let value = value.trim_ascii();
    if value.is_empty() || value == b"[unknown]" {
        return;
    }
    match what {
        Field::User => fields.user = Some(value),
        Field::Database => fields.database = Some(value),
        Field::Application => fields.application = Some(value),
        Field::Host => fields.host = Some(value),
        Field::HostAndPort => {
            let host = value.iter().position(|b| *b == b'(').map_or(value, |port| &value[..port]);
            fields.host = Some(host);
        }
        _ => {}
    }
}
