//! Facts of a session that the prefix does not repeat on each line, taken from its connection lines.
//!
//! Debian's prefix `%m [%p] %q%u@%d ` names neither application nor host; with `log_connections` the
//! lines `connection received: host=…` and `connection authorized: … application_name=…` do.

use memchr::memmem;
use rustc_hash::FxHashMap;

use super::{Entry, message::without_sqlstate};

/// By process id.
pub(in crate::sources) type Sessions = FxHashMap<u32, Facts>;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::sources) struct Facts {
    host: Option<Vec<u8>>,
    user: Option<Vec<u8>>,
    database: Option<Vec<u8>>,
    application: Option<Vec<u8>>,
}

impl Facts {
    /// User, database, application and host.
    pub(in crate::sources) fn names(&self) -> [Option<&[u8]>; 4] {
        [&self.user, &self.database, &self.application, &self.host].map(|name| name.as_deref())
    }
}

/// What one message tells of its session.
pub(in crate::sources) fn told(message: &[u8]) -> Option<Facts> {
    let mut one = Sessions::default();
    learn(&mut one, 0, message);
    one.remove(&0)
}

/// Takes in one LOG message of a session.
pub(in crate::sources) fn learn(sessions: &mut Sessions, pid: u32, message: &[u8]) {
    let (_, message) = without_sqlstate(message);
    if let Some(rest) = message.strip_prefix(b"connection received: host=") {
        let end = memmem::find(rest, b" port=").unwrap_or(rest.len());
        let host = Some(rest[..end].trim_ascii_end().to_vec());
        // A new backend: what an earlier one of this number said does not hold.
        sessions.insert(pid, Facts { host, ..Facts::default() });
    } else if let Some(rest) = message.strip_prefix(b"connection authorized: user=") {
        let facts = sessions.entry(pid).or_default();
        let rest = without_encryption(rest);
        let (rest, application) = split(rest, b" application_name=");
        let (user, database) = split(rest, b" database=");
        facts.user = Some(user.to_vec());
        facts.database = database.map(<[u8]>::to_vec);
        facts.application = application.map(<[u8]>::to_vec);
    } else if leaves(message) {
        sessions.remove(&pid);
    }
}

/// Whether a message says whose session begins.
pub(in crate::sources) fn begins(message: &[u8]) -> bool {
    // Nearly all entries are ruled out by their first byte.
    matches!(message.first(), Some(b'c' | b'0'))
        && without_sqlstate(message).1.starts_with(b"connection authorized: ")
}

/// Whether a message says that the session ended.
pub(in crate::sources) fn leaves(message: &[u8]) -> bool {
    without_sqlstate(message).1.starts_with(b"disconnection: ")
}

/// Adds what the entry itself does not say.
pub(in crate::sources) fn complete<'a>(sessions: &'a Sessions, entry: Entry<'a>) -> Entry<'a> {
    let Some(facts) = entry.pid.and_then(|pid| sessions.get(&pid)) else { return entry };
    Entry {
        host: entry.host.or(facts.host.as_deref()),
        user: entry.user.or(facts.user.as_deref()),
        database: entry.database.or(facts.database.as_deref()),
        application: entry.application.or(facts.application.as_deref()),
        ..entry
    }
}

fn split<'a>(text: &'a [u8], at: &[u8]) -> (&'a [u8], Option<&'a [u8]>) {
    match memmem::find(text, at) {
        Some(found) => (&text[..found], Some(&text[found + at.len()..])),
        None => (text, None),
    }
}

/// The line ends in ` SSL enabled (…)` or ` GSS (…)` where the connection is encrypted.
fn without_encryption(text: &[u8]) -> &[u8] {
    let end =
        [&b" SSL enabled ("[..], b" GSS ("].into_iter().filter_map(|tail| memmem::rfind(text, tail)).min();
    text[..end.unwrap_or(text.len())].trim_ascii_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(messages: &[&str], expect: &str) {
        let mut sessions = Sessions::default();
        for message in messages {
            learn(&mut sessions, 7, message.as_bytes());
        }
        let shown = sessions.get(&7).map_or("gone".to_owned(), |facts| {
            [&facts.host, &facts.user, &facts.database, &facts.application]
                .map(|fact| fact.as_deref().map_or("-".into(), String::from_utf8_lossy).into_owned())
                .join("|")
        });
        assert_eq!(shown, expect);
    }

    #[test]
    fn connection_lines_tell_who_it_is() {
        let received = "connection received: host=10.0.0.1 port=57370";
        let authorized = "connection authorized: user=app database=my shop application_name=web app 2 SSL enabled (protocol=TLSv1.3, cipher=X, bits=256)";
        check(&[received], "10.0.0.1|-|-|-");
        check(&[received, authorized], "10.0.0.1|app|my shop|web app 2");
        check(&[received, authorized, "connection received: host=[local]"], "[local]|-|-|-");
        check(&[received, authorized, "disconnection: session time: 0:00:00.040 user=app"], "gone");
        check(&["00000: connection authorized: user=app"], "-|app|-|-");
    }
}
