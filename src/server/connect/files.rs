//! The files beside a connection string: the password file and the connection service file, as
//! the PostgreSQL documentation pages "The Password File" and "The Connection Service File" have them.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use super::conninfo::Options;

/// The password of the first line that matches, or why the file was not used.
pub(super) fn password(
    path: &Path,
    host: &str,
    port: u16,
    database: &str,
    user: &str,
) -> Result<Option<String>, String> {
    let Ok(metadata) = fs::metadata(path) else { return Ok(None) };
    if !metadata.is_file() {
        return Err(format!("password file `{}` is not a plain file: ignored", path.display()));
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(format!(
            "password file `{0}` is readable by group or others: ignored (run `chmod 0600 {0}`)",
            path.display()
        ));
    }
    let text = fs::read_to_string(path)
        .map_err(|error| format!("password file `{}` cannot be read: {error}: ignored", path.display()))?;
    // A socket's folder is called `localhost` there.
    let host = if host.starts_with('/') { "localhost" } else { host };
    let port = port.to_string();
    Ok(text.lines().find_map(|line| match_line(line, &[host, &port, database, user])))
}

/// `host:port:database:user:password`, each `*` or exact, `\` before `:` and `\`.
fn match_line(line: &str, wanted: &[&str; 4]) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields = vec![String::new()];
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => fields.last_mut()?.extend(chars.next()),
            ':' if fields.len() < 5 => fields.push(String::new()),
            c => fields.last_mut()?.push(c),
        }
    }
    let password = fields.pop().filter(|_| fields.len() == 4)?;
    let same = fields.iter().zip(wanted).all(|(field, wanted)| field == "*" || field == wanted);
    same.then_some(password)
}

/// The options of `[name]` in a service file; `None` when it has no such section.
pub(super) fn service(text: &str, name: &str) -> Option<Options> {
    let mut lines = text
        .lines()
        .map(str::trim)
        .skip_while(|line| line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) != Some(name));
    lines.next()?;
    Some(
        lines
            .take_while(|line| !line.starts_with('['))
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once('='))
            .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_lines() {
        let wanted = ["db", "5432", "shop", "me"];
        for (line, password) in [
            ("db:5432:shop:me:s3cret", Some("s3cret")),
            ("*:*:*:me:with:colon", Some("with:colon")),
            (r"*:*:*:*:a\:b\\c", Some(r"a:b\c")),
            ("#db:5432:shop:me:no", None),
            ("db:5433:shop:me:no", None),
            ("db:5432:shop", None),
            ("", None),
        ] {
            assert_eq!(match_line(line, &wanted).as_deref(), password, "{line}");
        }
    }

    #[test]
    fn sections_of_a_service_file() {
        let text = "# ours\n[a]\nhost=one\n\n[b]\n host = two \n#port=1\nport=6\n[c]\nhost=three\n";
        let options = service(text, "b").expect("the section b");
        assert_eq!(options, [("host".into(), "two".into()), ("port".into(), "6".into())]);
        assert_eq!(service(text, "d"), None);
    }
}
