//! What the log of a connection pooler (`PgBouncer`) told, and the waits for a connection that applications
//! logged themselves, added up: a monoid, as the workload is one.
//!
//! In come events; out goes [`Pooler`]. Names of databases, users and hosts are kept; of other values in a
//! message nothing is. Statistics are averages of a period over all pools, so what is wanted, busy and
//! waiting at once is too: shorter bursts are higher.

mod periods;
mod pools;
mod reasons;
mod told;
mod waits;

pub use periods::{Periods, Stretch};
pub use pools::{Closed, Connections, Pool, PoolName, Times};
pub use reasons::{Cause, cause, plain};
pub use told::{Load, Period, Told, Wait};
pub use waits::{PoolWaits, Waits};

use serde::{Deserialize, Serialize};

use super::{
    Event, Names,
    incidents::{Counts, Open},
};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pooler {
    /// Lines that were understood.
    pub lines: u64,
    /// Starts of a process, with the versions that they told.
    pub starts: u64,
    pub versions: Names,
    /// The smallest `max_client_conn` that a start told.
    pub most_clients: Option<u64>,
    pub periods: Periods,
    /// Connections to the server open at once, over all pools.
    servers: Open,
    /// By database and user, where the log names them.
    pub pools: Counts<PoolName, Pool>,
    /// Commands at its console.
    pub console: Counts<String, Times>,
    /// WARNING, ERROR and FATAL, without their values.
    pub warnings: Counts<String, Times>,
}

impl Pooler {
    pub(super) fn add(&mut self, event: &Event<'_>, told: &Told<'_>) {
        self.lines += 1;
        let time = event.end;
        match told {
            Told::Starts { version } => {
                self.starts += 1;
                self.versions.add(version.unwrap_or_default());
                self.servers.reset();
                self.pools.by_key.values_mut().for_each(Pool::restarts);
            }
            Told::MostClients(most) => {
                self.most_clients = Some(self.most_clients.map_or(*most, |known| known.min(*most)));
            }
            Told::Period(period) => self.periods.add(period, time),
            Told::Console { command } => {
                if let Some(times) = self.console.at(plain(command)) {
                    times.add(time);
                }
            }
            Told::Warning { message } => {
                if let Some(times) = self.warnings.at(plain(message)) {
                    times.add(time);
                }
            }
            Told::Besides => {}
            told => {
                match told.change_of_servers() {
                    0 => {}
                    change => self.servers.change(change),
                }
                if let Some(pool) = self.pool(PoolName::of(event)) {
                    pool.add(told, time);
                }
            }
        }
    }

    /// Adds what came after `self` in the log.
    pub(super) fn merge(&mut self, later: Pooler) {
        self.lines += later.lines;
        if later.starts > 0 {
            // Pools that the later part does not name were closed by its start all the same.
            for (name, pool) in &mut self.pools.by_key {
                if !later.pools.by_key.contains_key(name) {
                    pool.restarts();
                }
            }
        }
        for (name, pool) in later.pools.by_key {
            if let Some(ours) = self.pool(name) {
                ours.merge(pool);
            }
        }
        self.pools.others += later.pools.others;
        self.servers.merge(&later.servers);
        self.starts += later.starts;
        self.versions.merge(&later.versions);
        self.most_clients = self.most_clients.into_iter().chain(later.most_clients).min();
        self.periods.merge(&later.periods);
        self.console.merge(later.console, |ours, theirs| ours.merge(&theirs));
        self.warnings.merge(later.warnings, |ours, theirs| ours.merge(&theirs));
    }

    /// A pool, which begins with nothing open where a start came before.
    fn pool(&mut self, name: PoolName) -> Option<&mut Pool> {
        let fresh = self.starts > 0 && !self.pools.by_key.contains_key(&name);
        let pool = self.pools.at(name)?;
        if fresh {
            pool.restarts();
        }
        Some(pool)
    }

    /// The most connections to the server that were open at once; `None` where the log does not tell both
    /// beginnings and ends.
    pub fn servers_peak(&self) -> Option<u64> {
        let told = self.pools.by_key.values().any(|pool| pool.servers.peak().is_some());
        told.then(|| self.servers.peak())
    }

    pub fn is_empty(&self) -> bool {
        self.lines == 0
    }
}
