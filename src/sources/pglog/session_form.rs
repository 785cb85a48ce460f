//! Records of csvlog and jsonlog known again by their session.
//!
//! Two records of one session differ in their time, their number, command tag, transaction and message, and
//! in what follows the message only by a detail and a query id. All that stands between is the same to the
//! byte: it is compared, which takes a fraction of finding where its dozens of fields end. What does not fit
//! is read in full, and kept.

use std::ops::Range;

use super::{Entry, severity::Severity};

type Stretch = Box<[u8]>;

/// A session's stretches, in the order in which they stand.
#[derive(Debug)]
struct Form {
    /// From the end of the time to the record's number: user, database, process, host, session.
    head: Stretch,
    /// Then, up to the command tag, the virtual transaction, the transaction, and the message.
    before: [Stretch; 4],
    /// From the message to the query id, in records without a detail.
    bare: Stretch,
    /// From the message to the detail, and from the detail to the query id.
    detailed: Option<(Stretch, Stretch)>,
    facts: Facts,
}

/// What the stretches say: [`Entry`] tells the meaning of each.
#[derive(Clone, Debug)]
struct Facts {
    pid: Option<u32>,
    severity: Severity,
    user: Option<Box<[u8]>>,
    database: Option<Box<[u8]>>,
    application: Option<Box<[u8]>>,
    host: Option<Box<[u8]>>,
    sqlstate: Option<Box<[u8]>>,
    who: u64,
}

/// Where the values stand that differ from record to record, without their quotes.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub time_end: usize,
    pub number: Range<usize>,
    pub tag: Range<usize>,
    pub vxid: Range<usize>,
    pub txid: Range<usize>,
    pub message: Range<usize>,
    pub detail: Option<Range<usize>>,
    /// Empty, at the record's end, where it has none.
    pub query_id: Range<usize>,
}

/// How a format writes.
pub(super) struct Style {
    /// What ends a command tag and a virtual transaction id.
    pub tag_ends: u8,
    pub vxid_ends: u8,
    /// The length of the string whose inside begins here, and whether it holds escapes.
    pub string: fn(&[u8]) -> Option<(usize, bool)>,
}

/// The values of a record that was known again.
pub(super) struct Recalled<'a> {
    form: &'a Form,
    vxid: &'a [u8],
    /// With its escapes, if it has any.
    pub message: (&'a [u8], bool),
    pub detail: Option<(&'a [u8], bool)>,
    /// Bytes up to the end of the query id.
    pub len: usize,
}

impl<'a> Recalled<'a> {
    pub(super) fn entry(
        &self,
        line: u64,
        time: i64,
        message: &'a [u8],
        detail: Option<&'a [u8]>,
    ) -> Entry<'a> {
        let facts = &self.form.facts;
        Entry {
            line,
            time: Some(time),
            coarse: false,
            pid: facts.pid,
            severity: facts.severity,
            user: facts.user.as_deref(),
            database: facts.database.as_deref(),
            application: facts.application.as_deref(),
            host: facts.host.as_deref(),
            vxid: Some(self.vxid).filter(|vxid| !vxid.is_empty()),
            sqlstate: facts.sqlstate.as_deref(),
            message,
            detail,
            context: None,
            statement: None,
            who: facts.who,
        }
    }
}

/// Sessions, each in the one slot that its process id gives it: the last one stays.
const SLOTS: usize = 256;
/// Longer stretches are not kept.
const LONGEST: usize = 2048;

#[derive(Debug, Default)]
pub(super) struct Forms {
    /// Empty until the first is kept.
    slots: Vec<Option<Form>>,
}

impl Forms {
    /// Reads the record at the front, whose time ends at `time_end`, if it is one like those of its session
    /// before. `pid` need only look like one: a wrong guess finds nothing.
    pub(super) fn recall<'a>(
        &'a self,
        text: &'a [u8],
        time_end: usize,
        pid: u32,
        style: &Style,
    ) -> Option<Recalled<'a>> {
        let form = self.slots.get(pid as usize % SLOTS)?.as_ref()?;
        let mut at = time_end;
        skip(text, &mut at, &form.head)?;
        digits(text, &mut at);
        let [tag, vxid, txid, message] = &form.before;
        skip(text, &mut at, tag)?;
        until(text, &mut at, style.tag_ends)?;
        skip(text, &mut at, vxid)?;
        let vxid = until(text, &mut at, style.vxid_ends)?;
        skip(text, &mut at, txid)?;
        digits(text, &mut at);
        skip(text, &mut at, message)?;
        let message = string(text, &mut at, style)?;
        let detail = if !form.bare.is_empty() && skip(text, &mut at, &form.bare).is_some() {
            None
        } else {
            let (before, after) = form.detailed.as_ref()?;
            skip(text, &mut at, before)?;
            let detail = string(text, &mut at, style)?;
            skip(text, &mut at, after)?;
            Some(detail)
        };
        digits(text, &mut at);
        Some(Recalled { form, vxid, message, detail, len: at })
    }

    /// Keeps how a record is written that was read in full, and has neither context nor statement.
    pub(super) fn learn(&mut self, text: &[u8], layout: &Layout, entry: &Entry<'_>) {
        let Layout { time_end, number, tag, vxid, txid, message, detail, query_id } = layout;
        let stretch = |from: usize, to: usize| text.get(from..to).filter(|bytes| bytes.len() <= LONGEST);
        let stretches = || {
            let head = stretch(*time_end, number.start)?.into();
            let before = [
                stretch(number.end, tag.start)?.into(),
                stretch(tag.end, vxid.start)?.into(),
                stretch(vxid.end, txid.start)?.into(),
                stretch(txid.end, message.start)?.into(),
            ];
            let (bare, detailed) = match detail {
                None => (stretch(message.end, query_id.start)?.into(), None),
                Some(detail) => {
                    let before = stretch(message.end, detail.start)?.into();
                    (Box::default(), Some((before, stretch(detail.end, query_id.start)?.into())))
                }
            };
            Some((head, before, bare, detailed))
        };
        let Some((head, before, bare, detailed)) = stretches() else { return };
        let owned = |text: Option<&[u8]>| text.map(Box::from);
        let facts = Facts {
            pid: entry.pid,
            severity: entry.severity,
            user: owned(entry.user),
            database: owned(entry.database),
            application: owned(entry.application),
            host: owned(entry.host),
            sqlstate: owned(entry.sqlstate),
            who: entry.who,
        };
        if self.slots.is_empty() {
            self.slots.resize_with(SLOTS, || None);
        }
        let slot = &mut self.slots[entry.pid.unwrap_or(0) as usize % SLOTS];
        let mut form = Form { head, before, bare, detailed, facts };
        if let Some(known) = slot.take()
            && known.head == form.head
            && known.before == form.before
            && known.facts.who == form.facts.who
        {
            if form.bare.is_empty() {
                form.bare = known.bare;
            }
            form.detailed = form.detailed.or(known.detailed);
        }
        *slot = Some(form);
    }
}

fn skip(text: &[u8], at: &mut usize, stretch: &[u8]) -> Option<()> {
    let end = *at + stretch.len();
    let fits = text.get(*at..end)? == stretch;
    fits.then(|| *at = end)
}

/// Over a number: a query id may be negative.
fn digits(text: &[u8], at: &mut usize) {
    while text.get(*at).is_some_and(|byte| byte.is_ascii_digit() || *byte == b'-') {
        *at += 1;
    }
}

/// A short value without escapes, of which `end` is no part.
fn until<'a>(text: &'a [u8], at: &mut usize, end: u8) -> Option<&'a [u8]> {
    const LONGEST: usize = 64;
    let rest = text.get(*at..)?;
    let len = rest.iter().take(LONGEST).position(|byte| matches!(*byte, b'\n' | b'\\') || *byte == end)?;
    *at += len;
    (rest[len] == end).then_some(&rest[..len])
}

fn string<'a>(text: &'a [u8], at: &mut usize, style: &Style) -> Option<(&'a [u8], bool)> {
    let rest = text.get(*at..)?;
    let (len, escaped) = (style.string)(rest)?;
    *at += len;
    Some((&rest[..len], escaped))
}

/// Where a value stands in the text that it is a part of.
pub(super) fn place(value: &[u8], text: &[u8]) -> Option<Range<usize>> {
    let start = value.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    (start + value.len() <= text.len()).then_some(start..start + value.len())
}

#[cfg(test)]
mod tests {
    use super::super::{Entry, Tally, csv, json};

    /// Each entry as it is shown, whatever hash the reader found for its sender.
    fn shown(lines: &mut Vec<String>) -> impl FnMut(&Entry<'_>) {
        |entry| lines.push(format!("{:?}", Entry { who: 0, ..*entry }))
    }

    type Scan = fn(&[u8], u64, &mut Tally, &mut dyn FnMut(&Entry<'_>));

    /// Reads the records in one go, in which sessions come back, and each as if it were the only one.
    #[track_caller]
    fn check(scan: Scan, records: &[&str]) {
        let log: Vec<&str> = records.iter().chain(records).chain(records.iter().rev()).copied().collect();
        let (mut together, mut alone) = (Vec::new(), Vec::new());
        let mut tally = Tally::default();
        scan(log.concat().as_bytes(), 1, &mut tally, &mut shown(&mut together));
        let mut line = 1;
        for record in log {
            scan(record.as_bytes(), line, &mut Tally::default(), &mut shown(&mut alone));
            line += record.lines().count() as u64;
        }
        assert_eq!(together, alone);
        assert_eq!(tally.skipped, 0);
    }

    #[test]
    fn csv_records_of_one_session_differ_in_little() {
        let head = "2026-11-23 04:22:29.056 UTC,\"o\",\"shop\",7,\"[local]\",69a.7";
        let start = "2026-11-23 04:22:00 UTC";
        let one =
            |number: u32, rest: &str| format!("{head},{number},\"SELECT\",{start},3/1,0,LOG,00000,{rest}\n");
        let records = [
            one(1, "\"duration: 1.0 ms  statement: SELECT 1\",,,,,,,,,\"web\",\"client backend\",,0"),
            one(
                2,
                "\"duration: 1.5 ms  statement: SELECT \"\"a\"\"\nFROM t\",,,,,,,,,\"web\",\"client backend\",,-77",
            ),
            one(
                30,
                "\"execute x: SELECT $1\",\"parameters: $1 = '\"\"'\",,,,,,,,\"web\",\"client backend\",,12",
            ),
            one(
                31,
                "\"execute x: SELECT $1\",\"parameters: $1 = '2'\",,,,,,,,\"job\",\"client backend\",,12",
            ),
            one(32, "\"x\",,\"a hint\",,,,,,,\"web\",\"client backend\",,12"),
            one(33, "\"x\",,,,,\"PL/pgSQL function f()\",,,,\"web\",\"client backend\",,12"),
            one(34, "\"x\",,,,,,,,,\"web\""),
            one(35, "\"x\",,,,,,,,,\"web\",\"client backend\""),
            one(36, "\"x\",,,,,,,,,\"web\",\"client backend\",,0").replace('\n', "\r\n"),
            one(37, "\"x\",,,,,,,,,\"web\",\"client backend\",,0").replace("LOG,00000", "ERROR,42601"),
            one(38, "\"x\",,,,,,,,,\"web\",\"client backend\",,0").replace("\"o\"", "\"o\"\"o\""),
            one(39, "\"x\",,,,,,,,,\"web\",\"client backend\",,0").replace(",7,", ",263,"),
            one(40, "\"x\",,,,,,,,,\"\",\"checkpointer\",,0").replace("\"o\",\"shop\"", ","),
        ];
        let records: Vec<&str> = records.iter().map(String::as_str).collect();
        check(|chunk, line, tally, sink| csv::scan(chunk, line, tally, sink), &records);
    }

    #[test]
    fn json_objects_of_one_session_differ_in_little() {
        let head = r#"{"timestamp":"2026-11-23 04:22:29.056 UTC","user":"o","dbname":"shop","pid":7,"remote_host":"[local]","session_id":"69a.7""#;
        let one = |number: u32, rest: &str| {
            let middle = r#""ps":"SELECT","session_start":"2026-11-23 04:22:00 UTC","vxid":"3/1","txid":0,"error_severity":"LOG""#;
            format!("{head},\"line_num\":{number},{middle},{rest}}}\n")
        };
        let tail = r#""application_name":"web","backend_type":"client backend","query_id":"#;
        let records = [
            one(1, &format!(r#""message":"duration: 1.0 ms  statement: SELECT 1",{tail}0"#)),
            one(2, &format!(r#""message":"SELECT \"a\"\nFROM t",{tail}-77"#)),
            one(30, &format!(r#""message":"execute x","detail":"parameters: $1 = '\"'",{tail}12"#)),
            one(
                31,
                &format!(r#""message":"execute x","detail":"parameters: $1 = '2'",{tail}12"#)
                    .replace("web", "job"),
            ),
            one(32, &format!(r#""message":"x","hint":"a hint",{tail}12"#)),
            one(33, &format!(r#""message":"x","context":"PL/pgSQL function f()",{tail}12"#)),
            one(34, r#""message":"x","application_name":"web""#),
            one(35, &format!(r#""message":"x",{tail}0"#)).replace('\n', "\r\n"),
            one(36, &format!(r#""message":"x",{tail}0"#))
                .replace("\"LOG\"", "\"ERROR\",\"state_code\":\"42601\""),
            one(37, &format!(r#""message":"x",{tail}0"#)).replace("\"o\"", "\"o\\\"o\""),
            one(38, &format!(r#""message":"x",{tail}0"#)).replace("\"pid\":7", "\"pid\":263"),
        ];
        let records: Vec<&str> = records.iter().map(String::as_str).collect();
        check(|chunk, line, tally, sink| json::scan(chunk, line, tally, sink), &records);
    }
}
