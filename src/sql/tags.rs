//! Tags that applications write into comments: sqlcommenter (`key='value'`, URL-encoded) and
//! marginalia (`key:value`).

use std::borrow::Cow;

/// The tags of one statement, decoded, in their order: the last of one name counts. Borrowed, where
/// nothing had to be decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

/// Whether a comment's inside begins with a tag: `key='` or `key:value`. Cheap, for every comment of a log.
pub(super) fn looks_like(comment: &[u8]) -> bool {
    let comment = comment.trim_ascii_start();
    let key = comment.iter().take_while(|&&b| key_byte(b)).count();
    key > 0
        && match &comment[key..] {
            [b'=', b'\'', ..] => true,
            [b':', next, ..] => !next.is_ascii_whitespace() && *next != b'/' && *next != b':',
            _ => false,
        }
}

fn key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'%')
}

impl<'a> Tags<'a> {
    /// Reads a comment's inside. Anything that is not a list of tags gives no tags.
    pub fn parse(comment: &'a str) -> Tags<'a> {
        let comment = comment.trim();
        if !looks_like(comment.as_bytes()) {
            return Tags::default();
        }
        let key = comment.bytes().take_while(|&b| key_byte(b)).count();
        let tags = if comment[key..].starts_with('=') { sqlcommenter(comment) } else { marginalia(comment) };
        Tags(tags.unwrap_or_default())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_ref())
    }

    fn first(&self, keys: &[&str]) -> Option<&str> {
        keys.iter().find_map(|key| self.get(key)).filter(|value| !value.is_empty())
    }

    /// The 32 hex digits of `traceparent`'s trace id: one per request, however many spans it has.
    pub fn trace_id(&self) -> Option<&str> {
        // https://www.w3.org/TR/trace-context/#traceparent-header: version-traceid-parentid-flags.
        let id = match self.get("traceparent") {
            Some(header) => header.split('-').nth(1)?,
            None => self.first(&["trace_id", "traceid"])?,
        };
        let valid =
            id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()) && id.bytes().any(|b| b != b'0');
        valid.then_some(id)
    }

    /// What names one request or job, beside a trace: `request_id`, `job_id` and their kin.
    pub fn request_id(&self) -> Option<&str> {
        self.first(&[
            "request_id",
            "requestid",
            "request-id",
            "x-request-id",
            "correlation_id",
            "job_id",
            "jobid",
            "jid",
            "active_job_id",
            "task_id",
        ])
    }

    /// What part of the application sent it: a route, `controller#action`, or a job.
    pub fn route(&self) -> Option<Cow<'_, str>> {
        if let Some(route) = self.first(&["route"]) {
            return Some(route.into());
        }
        let controller = self.first(&["controller_with_namespace", "namespaced_controller", "controller"]);
        match (controller, self.first(&["action"])) {
            (Some(controller), Some(action)) => Some(format!("{controller}#{action}").into()),
            (Some(one), None) | (None, Some(one)) => Some(one.into()),
            (None, None) => self.first(&["job", "job_class", "task", "task_name", "view"]).map(Cow::from),
        }
    }
}

/// `key='value',key='value'`; values URL-encoded, a quote within as `\'`
/// (<https://google.github.io/sqlcommenter/spec/>).
fn sqlcommenter(comment: &str) -> Option<Vec<(Cow<'_, str>, Cow<'_, str>)>> {
    let mut tags = Vec::new();
    let mut rest = comment;
    loop {
        let (key, after) = rest.split_once("='")?;
        let (value, after) = quoted(after)?;
        tags.push((decode(key.trim().into()), decode(value)));
        rest = after.trim();
        if rest.is_empty() {
            return Some(tags);
        }
        rest = rest.strip_prefix(',')?;
    }
}

/// A value up to its closing quote, and what follows.
fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let end = text.find(['\'', '\\'])?;
    if text.as_bytes()[end] == b'\'' {
        return Some((text[..end].into(), &text[end + 1..]));
    }
    let mut value = text[..end].to_owned();
    let mut chars = text[end..].char_indices();
    loop {
        match chars.next()? {
            (at, '\'') => return Some((value.into(), &text[end + at + 1..])),
            (_, '\\') => value.push(chars.next()?.1),
            (_, other) => value.push(other),
        }
    }
}

/// `key:value,key:value`; a value may hold colons.
fn marginalia(comment: &str) -> Option<Vec<(Cow<'_, str>, Cow<'_, str>)>> {
    let mut tags: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::new();
    for part in comment.split(',') {
        match part.split_once(':') {
            Some((key, value)) if !key.trim().is_empty() && key.trim().bytes().all(key_byte) => {
                tags.push((key.trim().into(), value.trim().into()));
            }
            // A comma within a value.
            _ => {
                let (_, value) = tags.last_mut()?;
                value.to_mut().push(',');
                value.to_mut().push_str(part);
            }
        }
    }
    Some(tags)
}

/// Undoes URL encoding; `%%`, which drivers write for `%`, counts as `%`.
fn decode(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains('%') {
        return text;
    }
    let doubled = text.replace("%%", "%");
    let bytes = doubled.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |at: usize| char::from(*bytes.get(at)?).to_digit(16).and_then(|d| u8::try_from(d).ok());
        if bytes[at] == b'%'
            && let (Some(high), Some(low)) = (hex(at + 1), hex(at + 2))
        {
            decoded.push(high << 4 | low);
            at += 3;
        } else {
            decoded.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(decoded).unwrap_or(doubled).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(comment: &str, expect: &[(&str, &str)]) {
        let tags = Tags::parse(comment);
        let mut found: Vec<(&str, &str)> =
            tags.0.iter().map(|(key, value)| (key.as_ref(), value.as_ref())).collect();
        found.sort_unstable();
        assert_eq!(found, expect, "{comment}");
    }

    #[test]
    fn sqlcommenter_decodes() {
        check(r"b='%2Fpolls%%201000', a='it\'s',c=''", &[("a", "it's"), ("b", "/polls 1000"), ("c", "")]);
        check("a='b',nonsense", &[]);
        check("a='open", &[]);
        check("100%='%C3%B6%zz'", &[("100%", "ö%zz")]);
    }

    #[test]
    fn marginalia_keeps_colons_and_commas() {
        check(
            " application:Shop,controller:orders,action:index,line:/app/a.rb:12:in `x, y' ",
            &[
                ("action", "index"),
                ("application", "Shop"),
                ("controller", "orders"),
                ("line", "/app/a.rb:12:in `x, y'"),
            ],
        );
        check("just words", &[]);
        check("see https://example.org", &[]);
    }

    #[test]
    fn requests_and_routes() {
        let tags =
            Tags::parse("traceparent='00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-01',jid='7'");
        assert_eq!(tags.trace_id(), Some("5bd66ef5095369c7b0d1f8f4bd33716a"));
        assert_eq!(tags.request_id(), Some("7"));
        assert_eq!(Tags::parse("traceparent='00-00000000000000000000000000000000-0-01'").trace_id(), None);
        let route = |comment| Tags::parse(comment).route().map(std::borrow::Cow::into_owned);
        assert_eq!(route("route='/orders/%3Aid',action='x'").as_deref(), Some("/orders/:id"));
        assert_eq!(route("controller:orders,action:index").as_deref(), Some("orders#index"));
        assert_eq!(route("job:Mail").as_deref(), Some("Mail"));
        assert_eq!(route("db_driver='pg'"), None);
    }
}
