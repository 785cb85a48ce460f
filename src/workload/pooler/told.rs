//! What one line of a connection pooler's log tells, borrowed from the line.

/// Whose connection it was stands in the event: database, user, and the client's host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told<'a> {
    /// A process of the pooler starts.
    Starts {
        version: Option<&'a [u8]>,
    },
    /// The most clients that it takes (`max_client_conn`), as it says when it starts.
    MostClients(u64),
    /// The statistics of the period that ends.
    Period(Period),
    ClientConnects,
    /// Ages are whole seconds.
    ClientCloses {
        reason: &'a [u8],
        age_s: Option<u64>,
    },
    /// The error that a client was sent; most often its connection is closed for it, by a line of its own.
    ClientFails {
        reason: &'a [u8],
    },
    ServerConnects,
    ServerCloses {
        reason: &'a [u8],
        age_s: Option<u64>,
    },
    /// A connection beyond the pool's size, from its reserve.
    Reserve,
    /// A command at the pooler's console: `PAUSE`, `RELOAD`.
    Console {
        command: &'a [u8],
    },
    /// WARNING, ERROR and FATAL of its own.
    Warning {
        message: &'a [u8],
    },
    /// What other lines tell as well, or nobody needs.
    Besides,
}

/// Averages of one period, over all pools of one process. `None` is what the pooler's version does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    /// How long it was; `None` for a single line.
    pub seconds: Option<u64>,
    /// A second, in whole numbers: a pool with less than one shows 0.
    pub transactions: Option<u64>,
    pub queries: Option<u64>,
    /// Bytes a second, from clients and to them.
    pub received: Option<u64>,
    pub sent: Option<u64>,
    /// Microseconds of one transaction, from its first statement to its end: waiting for a connection is
    /// part of it.
    pub transaction_us: Option<u64>,
    /// Microseconds of one statement, also with the wait.
    pub query_us: Option<u64>,
    pub wait: Option<Wait>,
}

/// Microseconds of waiting for a connection to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Of all clients together in a second (`PgBouncer` before 1.23).
    ASecond(u64),
    /// Of each client that got a connection (since then), which is each transaction where transactions are
    /// pooled.
    Each(u64),
}

impl Told<'_> {
    /// By how much it changes the connections to the server that are open.
    pub(super) fn change_of_servers(&self) -> i64 {
        // Connections that never came about were not told to begin.
        const NEVER_OPEN: &[&[u8]] = &[b"connect failed", b"server DNS lookup failed", b"connect timeout"];
        match self {
            Told::ServerConnects => 1,
            Told::ServerCloses { reason, .. }
                if !NEVER_OPEN.iter().any(|words| reason.starts_with(words)) =>
            {
                -1
            }
            _ => 0,
        }
    }
}

impl Period {
    /// Connections and clients in thousandths, on average over the period.
    pub fn load(&self) -> Option<Load> {
        let transactions = self.transactions?;
        let wanted = transactions.saturating_mul(self.transaction_us?) / 1000;
        let waiting = match self.wait {
            Some(Wait::ASecond(us)) => Some(us / 1000),
            Some(Wait::Each(us)) => Some(us.saturating_mul(transactions) / 1000),
            None => None,
        };
        // Transactions count where they end, waits where they end: one may belong to the period before.
        let waiting = waiting.map(|waiting| waiting.min(wanted));
        Some(Load { wanted, waiting })
    }
}

/// By Little's law: how many are inside is how many come in a second, times how long each stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Transactions under way, those that wait for a connection included; thousandths.
    pub wanted: u64,
    /// Of those, how many waited; `None` where the log does not tell.
    pub waiting: Option<u64>,
}
