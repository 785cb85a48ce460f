//! Why a pooler closed a connection: its words, without values, and what kind of reason that is.

/// What is behind a closed connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// A client or the pooler was done with it.
    Ordinary,
    /// No connection to the server became free in time.
    Wait,
    /// A limit on the number of clients was reached.
    Limit,
    /// The server could not be reached, or did not let the pooler in.
    Server,
    /// The pooler did not let the client in.
    Refused,
    /// A time limit of the pooler on statements, transactions or idle clients.
    Timeout,
    /// The connection broke.
    Broken,
    Other,
}

impl Cause {
    /// As the report names it.
    pub fn name(self) -> &'static str {
        match self {
            Cause::Ordinary => "ordinary",
            Cause::Wait => "wait_timeout",
            Cause::Limit => "client_limit",
            Cause::Server => "server_unreachable",
            Cause::Refused => "login_refused",
            Cause::Timeout => "timeout",
            Cause::Broken => "broken",
            Cause::Other => "other",
        }
    }
}

/// By what a reason holds; the first that fits.
const CAUSES: &[(&str, Cause)] = &[
    ("query_wait_timeout", Cause::Wait),
    ("no more connections allowed", Cause::Limit),
    ("max_client_conn", Cause::Limit),
    ("max_db_client_connections", Cause::Limit),
    ("max_user_client_connections", Cause::Limit),
    ("server login", Cause::Server),
    ("login failed", Cause::Server),
    ("connect failed", Cause::Server),
    ("connect timeout", Cause::Server),
    ("DNS lookup failed", Cause::Server),
    ("server down", Cause::Server),
    ("remaining connection slots are reserved", Cause::Server),
    ("too many connections for", Cause::Server),
    ("too many clients already", Cause::Server),
    ("does not exist", Cause::Server),
    ("the database system is", Cause::Server),
    ("authentication failed", Cause::Refused),
    ("no such database", Cause::Refused),
    ("no such user", Cause::Refused),
    ("auth failed", Cause::Refused),
    ("SASL", Cause::Refused),
    ("login rejected", Cause::Refused),
    ("TLS required", Cause::Refused),
    ("certificate", Cause::Refused),
    ("client_login_timeout", Cause::Timeout),
    ("query_timeout", Cause::Timeout),
    ("query timeout", Cause::Timeout),
    ("idle transaction timeout", Cause::Timeout),
    ("idle_transaction_timeout", Cause::Timeout),
    ("transaction timeout", Cause::Timeout),
    ("transaction_timeout", Cause::Timeout),
    ("client_idle_timeout", Cause::Timeout),
    ("unexpected eof", Cause::Broken),
    ("crashed", Cause::Broken),
    ("server connection closed", Cause::Broken),
    ("client disconnect ", Cause::Broken),
    ("unclean server", Cause::Broken),
    ("got dirty", Cause::Broken),
    ("partial pkt", Cause::Broken),
    ("bad pkt", Cause::Broken),
    ("bad packet", Cause::Broken),
    ("broken", Cause::Broken),
    ("client close request", Cause::Ordinary),
    ("client disconnect", Cause::Ordinary),
    ("server idle timeout", Cause::Ordinary),
    ("server lifetime over", Cause::Ordinary),
    ("pause mode", Cause::Ordinary),
    ("obsolete connection", Cause::Ordinary),
    ("database configuration changed", Cause::Ordinary),
    ("database removed", Cause::Ordinary),
    ("idle server", Cause::Ordinary),
    ("admin forced disconnect", Cause::Ordinary),
    ("evicted", Cause::Ordinary),
    ("too many servers in the pool", Cause::Ordinary),
    ("cancel", Cause::Ordinary),
    ("pgbouncer restarting", Cause::Ordinary),
    ("shutting down", Cause::Ordinary),
    ("shut down", Cause::Ordinary),
];

/// What a reason is about.
pub fn cause(reason: &str) -> Cause {
    CAUSES.iter().find(|(words, _)| reason.contains(words)).map_or(Cause::Other, |(_, cause)| *cause)
}

/// Of a longer message the rest is left out.
const LONGEST: usize = 160;
/// After these words comes a name.
const BEFORE_NAMES: &[&str] = &["no such database", "no such user"];

/// A message without what stands in quotes and without numbers.
pub fn plain(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(&message[..message.len().min(4 * LONGEST)]);
    let text = BEFORE_NAMES.iter().find(|words| text.starts_with(*words)).map_or(&*text, |words| *words);
    let mut plain = String::new();
    let mut quote = None;
    let mut number = false;
    let mut kept = 0;
    for c in text.chars() {
        if kept == LONGEST {
            plain.push('…');
            break;
        }
        if let Some(end) = quote {
            if c == end {
                quote = None;
            }
            continue;
        }
        let digit = c.is_ascii_digit();
        if matches!(c, '"' | '\'') {
            quote = Some(c);
            plain.push('…');
        } else if !digit {
            plain.push(if c.is_control() { char::REPLACEMENT_CHARACTER } else { c });
        } else if !number {
            plain.push('…');
        }
        number = digit;
        kept += 1;
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_what_it_is_about() {
        for (reason, expect) in [
            ("query_wait_timeout", Cause::Wait),
            ("cancel request query_wait_timeout", Cause::Wait),
            ("no more connections allowed (max_client_conn)", Cause::Limit),
            ("server login has been failing, try again later (server_login_retry)", Cause::Server),
            ("server DNS lookup failed", Cause::Server),
            ("client_login_timeout (server down)", Cause::Server),
            ("password authentication failed for user …", Cause::Refused),
            ("client disconnect while server was not ready", Cause::Broken),
            ("client unexpected eof", Cause::Broken),
            ("client close request", Cause::Ordinary),
            ("server idle timeout", Cause::Ordinary),
            ("something new", Cause::Other),
        ] {
            assert_eq!(cause(reason), expect, "{reason}");
        }
    }

    #[test]
    fn values_are_left_out() {
        for (message, expect) in [
            (
                "password authentication failed for user \"mallory\"",
                "password authentication failed for user …",
            ),
            ("no such database: unknown_db", "no such database"),
            ("got packet 'E' from server when not linked", "got packet … from server when not linked"),
            ("DNS lookup failed: db.internal: result=0", "DNS lookup failed: db.internal: result=…"),
            ("an open quote \"hunter2", "an open quote …"),
            ("", ""),
        ] {
            assert_eq!(plain(message.as_bytes()), expect);
        }
        assert_eq!(plain(&[b'a'; 5000]).chars().count(), LONGEST + 1);
        assert!(plain(b"\x1b[2J\xff").contains(char::REPLACEMENT_CHARACTER));
    }
}
