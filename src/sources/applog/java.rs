//! What the lines of Java loggers have in common: Logback's, Log4j's and Spring Boot's layouts.
//!
//! ```text
//! 2026-06-10T08:49:19.100+09:00 DEBUG 1 --- [shop] [nio-8080-exec-1] org.hibernate.SQL    : select …
//! 10:49:19.100 [main] DEBUG org.hibernate.SQL - select …
//! 2026-06-10 08:49:19,100 DEBUG [main] SQL:109 - select …
//! ```

use super::lines::{self, Stamp};

/// What stands before a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head<'a> {
    pub(super) stamp: Option<Stamp>,
    /// What the last brackets hold that stand before the logger.
    pub(super) thread: Option<&'a str>,
    pub(super) logger: &'a str,
    pub(super) message: &'a str,
}

/// Reads the head of a line whose message begins with one of the given words, or whose logger is one of
/// the given names.
pub(super) fn head<'a>(line: &'a str, wanted: &dyn Fn(&str, &str) -> bool) -> Option<Head<'a>> {
    let mut from = 0;
    // The logger's name ends in ` : ` or ` - `; so may other things before it.
    while let Some(at) = line[from..].find([':', '-']).map(|at| from + at) {
        from = at + 1;
        // Layouts that keep an empty message leave a space or nothing at the end.
        let after = &line[at + 1..];
        if !line[..at].ends_with(' ') || !(after.starts_with(' ') || after.is_empty()) {
            continue;
        }
        let before = line[..at].trim_end();
        let logger = before.rsplit(' ').next().unwrap_or(before);
        // `SQL:109`
        let logger = logger.split(':').next().unwrap_or(logger);
        let message = after.strip_prefix(' ').unwrap_or(after);
        if !wanted(logger, message) {
            continue;
        }
        let thread = before.rfind(']').and_then(|close| {
            let open = before[..close].rfind('[')?;
            Some(before[open + 1..close].trim())
        });
        return Some(Head { stamp: lines::stamp(line).map(|(stamp, _)| stamp), thread, logger, message });
    }
    None
}

/// Whether a line begins as an entry does: with a time or a level.
pub(super) fn begins_entry(line: &str) -> bool {
    // `10:49:19.100`
    let clock = line.as_bytes().first_chunk::<8>().is_some_and(|clock| {
        (0..8).all(|at| if at == 2 || at == 5 { clock[at] == b':' } else { clock[at].is_ascii_digit() })
    });
    lines::stamp(line).is_some()
        || clock
        || ["DEBUG ", "TRACE ", "INFO ", "WARN ", "ERROR ", "[DEBUG]", "[INFO]", "[WARN]", "[ERROR]"]
            .iter()
            .any(|level| line.trim_start().starts_with(level))
}
