//! The words that begin a log line after its prefix: `LOG:  `, `DETAIL:  ` and their kin.

/// How grave an entry is, as far as a reader of statements must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sources) enum Severity {
    Log,
    /// ERROR, FATAL, PANIC.
    Failure,
    /// WARNING, NOTICE, INFO, DEBUG.
    Other,
}

/// What a line begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sources) enum Word {
    Entry(Severity),
    Detail,
    Context,
    Statement,
    /// HINT, QUERY, LOCATION, BACKTRACE: parts of an entry that we do not use.
    Ignored,
}

const WORDS: &[(&[u8], Word)] = &[
    (b"LOG", Word::Entry(Severity::Log)),
    (b"DETAIL", Word::Detail),
    (b"STATEMENT", Word::Statement),
    (b"ERROR", Word::Entry(Severity::Failure)),
    (b"FATAL", Word::Entry(Severity::Failure)),
    (b"PANIC", Word::Entry(Severity::Failure)),
    (b"WARNING", Word::Entry(Severity::Other)),
    (b"NOTICE", Word::Entry(Severity::Other)),
    (b"INFO", Word::Entry(Severity::Other)),
    (b"DEBUG", Word::Entry(Severity::Other)),
    (b"HINT", Word::Ignored),
    (b"QUERY", Word::Ignored),
    (b"CONTEXT", Word::Context),
    (b"LOCATION", Word::Ignored),
    (b"BACKTRACE", Word::Ignored),
];

/// The word at the front, and the length of it with its colon and two spaces.
pub(in crate::sources) fn read(text: &[u8]) -> Option<(Word, usize)> {
    // Nearly all are this one.
    if text.first_chunk() == Some(b"LOG:  ") {
        return Some((Word::Entry(Severity::Log), 6));
    }
    // Most calls are about places where no word stands.
    if !text.first().is_some_and(u8::is_ascii_uppercase) {
        return None;
    }
    WORDS.iter().find_map(|(name, word)| {
        let rest = text.strip_prefix(*name)?;
        let rest = rest.strip_prefix(b":  ")?;
        Some((*word, text.len() - rest.len()))
    })
}

/// The severity in a csvlog or jsonlog; a translated one is known by its SQLSTATE.
pub(in crate::sources) fn of_field(name: &[u8], sqlstate: &[u8]) -> Severity {
    if name == b"LOG" {
        return Severity::Log;
    }
    for (known, word) in WORDS {
        if let Word::Entry(severity) = word
            && name == *known
        {
            return *severity;
        }
    }
    match sqlstate {
        b"" | b"00000" => Severity::Log,
        [b'0', b'1' | b'2', ..] => Severity::Other,
        _ => Severity::Failure,
    }
}
