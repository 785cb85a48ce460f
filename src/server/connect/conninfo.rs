//! A connection string → its options as `(keyword, value)`, in order: a URL (`postgres://…`) or
//! `keyword=value` pairs, as the PostgreSQL documentation page "Connection Strings" describes them.
//!
//! Only the syntax is judged here. No message repeats a value: it may be a password.

/// Options as they stand in the text; a later one wins.
pub(super) type Options = Vec<(String, String)>;

pub(super) fn parse(text: &str) -> Result<Options, String> {
    let text = text.trim();
    match text.strip_prefix("postgresql://").or_else(|| text.strip_prefix("postgres://")) {
        Some(rest) => url(rest),
        None if text.contains("://") => {
            Err("the URL must begin with `postgres://` or `postgresql://`".to_owned())
        }
        // A bare word is a database name, as for psql.
        None if !text.contains('=') => Ok(vec![("dbname".to_owned(), text.to_owned())]),
        None => pairs(text),
    }
}

fn url(rest: &str) -> Result<Options, String> {
    let mut options = Options::new();
    let (rest, query) = rest.split_once('?').map_or((rest, ""), |(rest, query)| (rest, query));
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    // Else the message about a wrong port or database would show a part of the password.
    if !authority.contains('@') && (database.contains('@') || query.contains('@') && !query.contains('=')) {
        return Err("an `@` stands behind a `/` or `?`: in a password write them as %2F and %3F".to_owned());
    }
    let hosts = match authority.rsplit_once('@') {
        None => authority,
        Some((who, hosts)) => {
            let (user, password) = who.split_once(':').map_or((who, None), |(user, pw)| (user, Some(pw)));
            push(&mut options, "user", user)?;
            push(&mut options, "password", password.unwrap_or(""))?;
            hosts
        }
    };
    let mut names = Vec::new();
    let mut ports = Vec::new();
    for host in hosts.split(',') {
        let (name, port) = match host.strip_prefix('[').map(|host| host.split_once(']')) {
            Some(Some((name, port))) => (name, port.strip_prefix(':').unwrap_or(port)),
            Some(None) => return Err("an IPv6 address lacks its closing `]`".to_owned()),
            None => host.split_once(':').unwrap_or((host, "")),
        };
        names.push(decode(name)?);
        ports.push(port.to_owned());
    }
    if names.iter().any(|name| !name.is_empty()) {
        options.push(("host".to_owned(), names.join(",")));
    }
    if ports.iter().any(|port| !port.is_empty()) {
        options.push(("port".to_owned(), ports.join(",")));
    }
    push(&mut options, "dbname", database)?;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) =
            pair.split_once('=').ok_or_else(|| "an option behind `?` lacks its `=value`".to_owned())?;
        let key = decode(key)?;
        // JDBC's word for it.
        if key == "ssl" && value == "true" {
            options.push(("sslmode".to_owned(), "require".to_owned()));
        } else {
            options.push((key, decode(value)?));
        }
    }
    Ok(options)
}

fn push(options: &mut Options, key: &str, encoded: &str) -> Result<(), String> {
    if !encoded.is_empty() {
        options.push((key.to_owned(), decode(encoded)?));
    }
    Ok(())
}

/// `%20` and its kin. A `+` stays a plus, as in libpq.
fn decode(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        match (digit(), digit()) {
            (Some(high), Some(low)) if high + low > 0 => {
                bytes.push(u8::try_from(high * 16 + low).expect("two hex digits make a byte"));
            }
            _ => return Err("a `%` is not followed by two hex digits (write `%25` for `%`)".to_owned()),
        }
    }
    String::from_utf8(bytes).map_err(|_| "a percent-encoded part is not UTF-8".to_owned())
}

/// `host=db.example user='my name'`: white space around `=` is allowed, quotes and backslashes escape.
fn pairs(text: &str) -> Result<Options, String> {
    let mut options = Options::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').ok_or_else(|| "an option lacks its `=value`".to_owned())?;
        let key = key.trim_end();
        if key.is_empty() || key.contains(char::is_whitespace) {
            return Err("an option lacks its `=value`".to_owned());
        }
        let after = after.trim_start();
        let quoted = after.starts_with('\'');
        let mut value = String::new();
        let mut chars = after.char_indices().skip(usize::from(quoted));
        let end = loop {
            match chars.next() {
                Some((_, '\\')) => value.extend(chars.next().map(|(_, c)| c)),
                Some((at, '\'')) if quoted => break at + 1,
                Some((at, c)) if !quoted && c.is_whitespace() => break at,
                Some((_, c)) => value.push(c),
                None if quoted => return Err(format!("the value of `{key}` lacks its closing quote")),
                None => break after.len(),
            }
        };
        options.push((key.to_owned(), value));
        rest = after[end..].trim_start();
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let got = match parse(text) {
            Ok(options) => options.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(" | "),
            Err(why) => format!("error: {why}"),
        };
        assert_eq!(got, expect, "{text}");
    }

    #[test]
    fn urls() {
        check("postgres://", "");
        check("postgresql://localhost/shop", "host=localhost | dbname=shop");
        check(
            "postgres://me:p%40ss@db:6432/shop?sslmode=require",
            "user=me | password=p@ss | host=db | port=6432 | dbname=shop | sslmode=require",
        );
        check("postgres://[2001:db8::1]:5433/x", "host=2001:db8::1 | port=5433 | dbname=x");
        check("postgres://a:1,b:2/x", "host=a,b | port=1,2 | dbname=x");
        check("postgres://%2Fvar%2Frun/x", "host=/var/run | dbname=x");
        check("postgres:///x?host=/tmp&port=5", "dbname=x | host=/tmp | port=5");
        check("postgres://me@/x", "user=me | dbname=x");
        check("postgres://h/x?ssl=true", "host=h | dbname=x | sslmode=require");
    }

    #[test]
    fn pairs_with_quotes() {
        check(
            "host=db port = 5 user='my \\'name' dbname=x\\ y",
            "host=db | port=5 | user=my 'name | dbname=x y",
        );
        check("shop", "dbname=shop");
        check("password=''", "password=");
    }

    #[test]
    fn messages_hold_no_value() {
        check("mysql://secret@h", "error: the URL must begin with `postgres://` or `postgresql://`");
        check(
            "postgres://u:100%secret@h",
            "error: a `%` is not followed by two hex digits (write `%25` for `%`)",
        );
        let slash = "error: an `@` stands behind a `/` or `?`: in a password write them as %2F and %3F";
        check("postgres://u:secret/1@h/x", slash);
        check("postgres://u:secret?1@h/x", slash);
        check("host=x secret", "error: an option lacks its `=value`");
        check("password='secret", "error: the value of `password` lacks its closing quote");
    }
}
