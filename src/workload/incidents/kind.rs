//! What sort of trouble a message is about.

use serde::{Deserialize, Serialize};

/// As the JSON report names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    // Of the server; the gravest first.
    Corruption,
    Crash,
    Wraparound,
    DiskFull,
    OutOfMemory,
    Archiver,
    Replication,
    // Of sessions.
    ConnectionLimit,
    Unavailable,
    Login,
    Terminated,
    IdleTimeout,
    ClientLost,
    // Of statements.
    Deadlock,
    Serialization,
    LockTimeout,
    StatementTimeout,
    Cancelled,
    RecoveryConflict,
    ReadOnly,
    Constraint,
    Data,
    Transaction,
    Missing,
    Syntax,
    Privilege,
    Other,
    // What is no trouble by itself.
    Stop,
    Start,
    Reload,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Corruption => "corruption",
            Kind::Crash => "crash",
            Kind::Wraparound => "wraparound",
            Kind::DiskFull => "disk_full",
            Kind::OutOfMemory => "out_of_memory",
            Kind::Archiver => "archiver",
            Kind::Replication => "replication",
            Kind::ConnectionLimit => "connection_limit",
            Kind::Unavailable => "unavailable",
            Kind::Login => "login",
            Kind::Terminated => "terminated",
            Kind::IdleTimeout => "idle_timeout",
            Kind::ClientLost => "client_lost",
            Kind::Deadlock => "deadlock",
            Kind::Serialization => "serialization",
            Kind::LockTimeout => "lock_timeout",
            Kind::StatementTimeout => "statement_timeout",
            Kind::Cancelled => "cancelled",
            Kind::RecoveryConflict => "recovery_conflict",
            Kind::ReadOnly => "read_only",
            Kind::Constraint => "constraint",
            Kind::Data => "data",
            Kind::Transaction => "transaction",
            Kind::Missing => "missing",
            Kind::Syntax => "syntax",
            Kind::Privilege => "privilege",
            Kind::Other => "other",
            Kind::Stop => "stop",
            Kind::Start => "start",
            Kind::Reload => "reload",
        }
    }

    /// Worth a line also as LOG or WARNING, which is how the server tells of itself.
    pub(super) fn is_server(self) -> bool {
        self <= Kind::Replication
            || matches!(
                self,
                Kind::ClientLost
                    | Kind::Terminated
                    | Kind::RecoveryConflict
                    | Kind::Stop
                    | Kind::Start
                    | Kind::Reload
            )
    }

    /// What a state says where the message is of no known form.
    pub(super) fn of_sqlstate(sqlstate: &str) -> Kind {
        match sqlstate {
            "40P01" => Kind::Deadlock,
            "57014" => Kind::Cancelled,
            "55P03" => Kind::LockTimeout,
            "25006" => Kind::ReadOnly,
            "25P03" | "25P04" | "57P05" => Kind::IdleTimeout,
            "53100" => Kind::DiskFull,
            "53200" => Kind::OutOfMemory,
            "53300" => Kind::ConnectionLimit,
            "57P01" | "57P02" => Kind::Terminated,
            "57P03" => Kind::Unavailable,
            "XX001" | "XX002" => Kind::Corruption,
            "42501" => Kind::Privilege,
            "42601" => Kind::Syntax,
            _ => match sqlstate.get(..2) {
                Some("08") => Kind::ClientLost,
                Some("22") => Kind::Data,
                Some("23") => Kind::Constraint,
                Some("25") => Kind::Transaction,
                Some("28") => Kind::Login,
                Some("40") => Kind::Serialization,
                Some("42") => Kind::Missing,
                _ => Kind::Other,
            },
        }
    }
}
