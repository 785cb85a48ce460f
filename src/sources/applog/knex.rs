//! Knex: `DEBUG=knex:query,knex:bindings`, or the objects that `debug: true` prints.
//!
//! The line is written before the statement runs. `+3ms` is the time since the line before, not a
//! duration. At the line's end stands the id of the transaction (`trx7`), or `undefined`.

use super::{
    Kind, Reader,
    lines::{self, Draft, Sink, Stamp},
    node::{self, Object},
    placeholders::Style,
    values,
};
use crate::{
    sources::pglog::Tally,
    workload::{Evidence, UnitId},
};

pub(super) const KIND: Kind = Kind { name: "knex", fits, reader: || Box::<Knex>::default() };

fn fits(lines: &[&[u8]]) -> usize {
    let ours = |line: &&&[u8]| {
        let text = lines::text(line);
        Tagged::of(&text).is_some() || text.trim_start().starts_with("__knexQueryUid: ")
    };
    lines.iter().filter(ours).count()
}

/// `knex:query … undefined +3ms`.
struct Tagged<'a> {
    stamp: Option<Stamp>,
    name: &'a str,
    text: &'a str,
    transaction: Option<&'a str>,
}

impl Tagged<'_> {
    fn of(line: &str) -> Option<Tagged<'_>> {
        let stamp = lines::stamp(line);
        let rest = stamp.map_or(line, |(_, rest)| rest).trim_start().strip_prefix("knex:")?;
        let (name, text) = rest.split_once(' ')?;
        let mut text = text.trim_end();
        if let Some((before, last)) = text.rsplit_once(" +")
            && last.starts_with(|c: char| c.is_ascii_digit())
            && last.ends_with(|c: char| c.is_ascii_alphabetic())
        {
            text = before.trim_end();
        }
        let mut transaction = None;
        if let Some((before, last)) = text.rsplit_once(' ')
            && (last == "undefined" || last.starts_with("trx"))
        {
            transaction = (last != "undefined").then_some(last);
            text = before;
        }
        Some(Tagged { stamp: stamp.map(|(stamp, _)| stamp), name, text, transaction })
    }
}

#[derive(Debug, Default)]
struct Knex {
    open: Option<Draft>,
    /// Bind values that go on over several lines.
    bindings: Option<String>,
    object: Option<Object>,
}

/// Bytes of bind values that are read.
const LONGEST_BINDINGS: usize = 1 << 20;

impl Knex {
    fn flush(&mut self, tally: &mut Tally, sink: Sink<'_>) {
        self.bindings = None;
        if let Some(open) = self.open.take() {
            open.emit(tally, sink);
        }
    }

    fn bind(&mut self, text: &str, tally: &mut Tally, sink: Sink<'_>) {
        let tail = text.strip_suffix("undefined").unwrap_or(text);
        let whole = values::list(tail).or_else(|| match values::read(text) {
            Some((value, rest)) if rest.trim().starts_with("trx") || rest.trim().is_empty() => {
                values::binds(&value)
            }
            _ => None,
        });
        match (&mut self.open, whole) {
            (Some(open), Some(binds)) => {
                open.binds = Some(binds);
                self.flush(tally, sink);
            }
            (Some(_), None) if text.starts_with('[') && text.len() < LONGEST_BINDINGS => {
                self.bindings = Some(text.to_owned());
            }
            _ => self.flush(tally, sink),
        }
    }

    fn object(object: &Object, tally: &mut Tally, sink: Sink<'_>) {
        let Some(entries) = object.entries() else {
            tally.skip(object.line, b"{");
            return;
        };
        let Some(sql) = node::text(&entries, "sql") else {
            tally.foreign += 1;
            return;
        };
        let transaction = node::text(&entries, "__knexTxId");
        let draft = Draft {
            line: object.line,
            sql: sql.to_owned(),
            style: Some(Style::Question),
            binds: node::get(&entries, "bindings").and_then(values::binds),
            session: transaction.map(|id| lines::session(id.as_bytes())),
            unit: transaction.map(|id| UnitId::new(Evidence::Transaction, id.as_bytes())),
            ..Draft::default()
        };
        draft.emit(tally, sink);
    }
}

impl Reader for Knex {
    fn line(&mut self, number: u64, line: &[u8], tally: &mut Tally, sink: Sink<'_>) {
        let text = lines::text(line);
        if let Some(mut object) = self.object.take() {
            let fits = object.push(&text);
            if text.starts_with('}') {
                Knex::object(&object, tally, sink);
            } else if fits {
                self.object = Some(object);
            } else {
                tally.skip(number, line);
            }
            return;
        }
        if let Some(tagged) = Tagged::of(&text) {
            match tagged.name {
                "query" => {
                    self.flush(tally, sink);
                    self.open = Some(Draft {
                        line: number,
                        sql: tagged.text.to_owned(),
                        end: tagged.stamp,
                        session: tagged.transaction.map(|id| lines::session(id.as_bytes())),
                        unit: tagged.transaction.map(|id| UnitId::new(Evidence::Transaction, id.as_bytes())),
                        ..Draft::default()
                    });
                }
                // Colours repeat the name on every line.
                "bindings" => {
                    let mut all = self.bindings.take().unwrap_or_default();
                    if !all.is_empty() {
                        all.push('\n');
                    }
                    all.push_str(tagged.text.trim());
                    self.bind(&all, tally, sink);
                }
                _ => tally.foreign += 1,
            }
            return;
        }
        if let Some(mut all) = self.bindings.take() {
            all.push('\n');
            all.push_str(&text);
            self.bind(&all, tally, sink);
            return;
        }
        if text == "{" {
            self.flush(tally, sink);
            self.object = Some(Object::begin(number));
            return;
        }
        match self.open.as_mut().filter(|open| node::goes_on(&open.sql, &text)) {
            Some(open) => {
                if !open.push(text.strip_suffix(" undefined").unwrap_or(&text)) {
                    tally.skip(number, line);
                }
            }
            None => tally.foreign += 1,
        }
    }

    fn end(&mut self, tally: &mut Tally, sink: Sink<'_>) {
        self.flush(tally, sink);
        if let Some(object) = self.object.take() {
            tally.skip(object.line, b"{");
        }
    }
}
