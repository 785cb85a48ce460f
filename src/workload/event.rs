//! One thing that a log tells, borrowed from the log's own bytes.

/// Where an event stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Index of the input in the run.
    pub input: u32,
    /// From 1.
    pub line: u64,
}

/// What an entry of a log says, in the words that all formats share. A field that the format does
/// not carry is `None`, never zero or empty.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    pub kind: EventKind<'a>,
    /// When the entry was written, which for an execution is its end: microseconds since 1970 (UTC).
    pub end: Option<i64>,
    /// The clock only shows whole seconds (`%t`): gaps and overlaps cannot be measured.
    pub coarse: bool,
    /// Microseconds.
    pub duration: Option<u64>,
    /// Process id of the backend (or whatever number names a session in this log).
    pub session: Option<u32>,
    /// Virtual transaction id as written (`3/17`).
    pub vxid: Option<&'a [u8]>,
    pub database: Option<&'a [u8]>,
    pub user: Option<&'a [u8]>,
    pub application: Option<&'a [u8]>,
    pub host: Option<&'a [u8]>,
    pub position: Position,
}

#[derive(Clone, Debug)]
pub enum EventKind<'a> {
    /// A statement ran to its end (`statement:` and `execute` entries).
    Execution {
        sql: &'a [u8],
        binds: Binds<'a>,
    },
    /// The extended protocol's parse or bind step of a statement: time, but no execution.
    ParseOrBind {
        sql: &'a [u8],
    },
    /// An `auto_explain` plan of an execution that may be logged besides; never a second count.
    Plan {
        format: PlanFormat,
        text: &'a [u8],
    },
    /// ERROR, FATAL or PANIC, with its statement where the log has it.
    Error {
        sqlstate: Option<&'a [u8]>,
        message: &'a [u8],
        sql: Option<&'a [u8]>,
    },
    SessionStart,
    SessionEnd,
}

/// Bind values as the log has them; read only when a sample is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binds<'a> {
    /// The log does not say (or there are none).
    Unknown,
    /// PostgreSQL's DETAIL after `parameters: `: `$1 = '42', $2 = NULL`.
    Postgres(&'a [u8]),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanFormat {
    Text,
    Json,
    Xml,
    Yaml,
}
