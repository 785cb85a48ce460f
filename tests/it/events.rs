//! Events as lines of text, for tests to compare.

use sargable::{
    sources::Collector,
    workload::{Binds, Event, EventKind},
};

/// Every event of a run, in the order in which it was read.
#[derive(Debug, Default)]
pub(crate) struct Lines(pub(crate) Vec<Line>);

#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) session: Option<u32>,
    pub(crate) number: u64,
    pub(crate) sqlstate: Option<String>,
    /// Everything that each format carries: not the position, the virtual transaction and the SQLSTATE.
    pub(crate) text: String,
}

impl Collector for Lines {
    type Tools = ();

    fn event(&mut self, event: &Event<'_>, (): &mut ()) {
        // They have tests of their own.
        if matches!(event.kind, EventKind::Incident(_)) {
            return;
        }
        let sqlstate = match &event.kind {
            EventKind::Error { sqlstate: Some(state), .. } => Some(state.escape_ascii().to_string()),
            _ => None,
        };
        let (session, number) = (event.session, event.position.line);
        self.0.push(Line { session, number, sqlstate, text: text(event) });
    }

    fn append(&mut self, mut later: Lines) {
        self.0.append(&mut later.0);
    }
}

/// One line an event; the events of one session in their order, the sessions by number.
pub(crate) fn by_session(mut lines: Lines) -> String {
    lines.0.sort_by_key(|line| line.session);
    lines.0.into_iter().map(|line| line.text + "\n").collect()
}

fn text(event: &Event<'_>) -> String {
    let shown = |text: Option<&[u8]>| text.map_or("-".into(), |text| text.escape_ascii().to_string());
    let what = match &event.kind {
        EventKind::Execution { sql, binds: Binds::Unknown } => format!("executes {}", sql.escape_ascii()),
        EventKind::Execution { sql, binds: Binds::Postgres(list) } => {
            format!("executes {} with {}", sql.escape_ascii(), list.escape_ascii())
        }
        EventKind::Execution { sql, binds: Binds::Values(values) } => {
            format!("executes {} with {values:?}", sql.escape_ascii())
        }
        EventKind::ParseOrBind { sql, .. } => format!("parses or binds {}", sql.escape_ascii()),
        EventKind::Plan { format, nested, text } => {
            let nested = if *nested { "nested " } else { "" };
            format!("plans {nested}as {format:?} {}", text.escape_ascii())
        }
        EventKind::Error { message, sql, .. } => format!("fails {}: {}", message.escape_ascii(), shown(*sql)),
        EventKind::SessionStart => "begins".to_owned(),
        EventKind::SessionEnd => "ends".to_owned(),
        EventKind::Incident(incident) => format!("{incident:?}"),
        EventKind::Pooler(told) => format!("{told:?}"),
    };
    format!(
        "{} {} [{}] {}|{}|{}|{} {what}",
        event.end.map_or("-".to_owned(), |end| end.to_string()),
        event.duration.map_or("-".to_owned(), |duration| format!("{duration} µs")),
        event.session.map_or("-".to_owned(), |session| session.to_string()),
        shown(event.database),
        shown(event.user),
        shown(event.application),
        shown(event.host),
    )
}
