//! `--verify`: the advised indexes built on a scratch server, the queries timed without and with them.
//!
//! A server that is analysed is only verified on when `--verify` names it as `--database-url` does: then somebody means it.
//! Reached under another name it is refused, since then somebody took it for another one.

use std::{
    sync::{Arc, atomic::AtomicBool, atomic::Ordering},
    time::Instant,
};

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
};

use super::{
    args::ServerArgs,
    gather::{self, Everything},
    planner::Planner,
    tell,
};
use crate::{
    advise::Advice,
    catalog::Catalog,
    error::{Error, NotJudged},
    names::RelName,
    report::verify::{self, Index, Left, NotRun, Set, Time, Verification},
    server::{Environment, Scratch, Server, Target, Timed},
    workload::Workload,
};

/// Runs of each query; the median counts.
const RUNS: usize = 3;

/// A scratch server that is ready.
pub(super) struct Verifier {
    scratch: Scratch,
    stop: Arc<AtomicBool>,
    /// Dropped when it was opened.
    swept: Vec<String>,
}

/// A query that can be timed.
struct Runnable<'a> {
    id: String,
    served: bool,
    gathered: &'a gather::Gathered,
    shape: &'a crate::sql::Shape,
    before: Option<Time>,
}

impl Verifier {
    /// Connects to what `--verify` names, sees that it is no other name of the analysed database, and drops what a
    /// killed verification left there.
    pub(super) fn open(url: &str, args: &ServerArgs, main: Option<&mut Planner>) -> Result<Verifier, Error> {
        // Nothing but the flag says where indexes are built.
        let mut environment = Environment::of_process();
        for name in ["DATABASE_URL", "PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGSERVICE"] {
            environment.variables.remove(name);
        }
        let target = Target::resolve(Some(url), &environment)?;
        for warning in target.warnings() {
            tell(&format!("warning: {warning}"));
        }
        let own = main.filter(|main| main.is_the_analysed_one());
        if let Some(main) = own {
            let same = Server::connect(&target)?.identity()? == main.server.identity()?;
            let on_purpose = target.to_string() == main.server.label();
            if same && !on_purpose {
                return Err(Error::Usage {
                    what: format!("--verify names the database that is analysed, {}, in another way", main.server.label()),
                    hint: Some(
                        "name a copy with its data; or, to build indexes on that very database, give --verify the same \
                         host, port, user and database as --database-url"
                            .to_owned(),
                    ),
                });
            }
            if same {
                tell(
                    "warning: indexes are built on the analysed database itself: each build holds up writes to its table \
                     (SHARE), each drop reads and writes for a moment (ACCESS EXCLUSIVE)",
                );
            }
        }
        let stop = Arc::new(AtomicBool::new(false));
        let (scratch, swept) = Scratch::open(&target, gather::limits(args), Arc::clone(&stop))?;
        if !swept.is_empty() {
            tell(&format!("dropped what a verification that was killed left: {}", swept.join(", ")));
        }
        Ok(Verifier { scratch, stop, swept })
    }

    /// Builds, measures and drops, a set at a time, and puts what it measured into the advice.
    pub(super) fn verify(
        mut self,
        workload: &Workload,
        catalog: &Catalog,
        all: &Everything,
        args: &ServerArgs,
        advice: &mut [Advice],
        not_judged: &mut NotJudged,
    ) -> Result<Verification, Error> {
        // From here on a signal ends the measuring, not the process: there are indexes to drop.
        for signal in [SIGINT, SIGTERM] {
            flag::register(signal, Arc::clone(&self.stop)).map_err(|source| Error::Usage {
                what: format!("signals cannot be handled here: {source}"),
                hint: None,
            })?;
        }
        let mut done = Verification {
            server: self.scratch.label(),
            swept: std::mem::take(&mut self.swept),
            ..Verification::default()
        };
        let began = Instant::now();
        for positions in verify::sets(advice) {
            if self.is_stopped() {
                break;
            }
            let members: Vec<&Advice> = positions.iter().map(|&at| &advice[at]).collect();
            let mut queries = runnable(&members, workload, catalog, all);
            let mut unmeasured = 0;
            queries.retain_mut(|query| {
                // What nothing advised serves is only looked at for harm, as far as the time for EXPLAIN goes.
                if !query.served && began.elapsed() > args.explain_budget {
                    unmeasured += 1;
                    return false;
                }
                query.before = self.time(query, RUNS, args, &mut done.not_run, &[]).map(|(time, _)| time);
                query.before.is_some()
            });
            not_judged.add_many(
                "verify",
                "not measured for harm: the time for EXPLAIN is used up",
                unmeasured,
            );
            let set = self.measured(&members, &queries, args, &mut done);
            done.sets.push(set);
        }
        done.left.extend(self.scratch.drop_all().into_iter().map(|(name, why)| Left { name, why }));
        done.stopped = self.is_stopped();
        done.not_run.sort();
        done.not_run.dedup();
        done.tell(advice);
        let ms = |id: &str| {
            workload
                .ranked()
                .iter()
                .find(|query| query.id.to_string() == id)
                .map_or(0.0, |query| query.total_ms())
        };
        for one in advice
            .iter_mut()
            .filter(|one| one.proof == crate::advise::Proof::Verified && one.ms_before.is_some())
        {
            one.ms_after = done.workload_ms(one, &ms).or(one.ms_after);
        }
        Ok(done)
    }

    /// Builds a set, times its queries, and drops it.
    fn measured(
        &mut self,
        members: &[&Advice],
        queries: &[Runnable<'_>],
        args: &ServerArgs,
        done: &mut Verification,
    ) -> Set {
        let mut set = Set::default();
        let mut names = Vec::new();
        for advice in members {
            let mut index =
                Index { sql: advice.sql.clone(), told_bytes: advice.size_bytes, ..Index::default() };
            if let Some(spec) = advice.index.as_ref().filter(|_| !self.is_stopped()) {
                match self.scratch.build(spec) {
                    Ok(built) => {
                        index.bytes = Some(built.bytes);
                        index.build_ms = Some(built.ms.round());
                        names.push(built.name);
                    }
                    Err(_) if self.is_stopped() => index.why = Some("stopped".to_owned()),
                    Err(why) => index.why = Some(why),
                }
            } else {
                index.why = Some("stopped".to_owned());
            }
            set.indexes.push(index);
        }
        let mut again = Vec::new();
        for query in queries.iter().filter(|_| !names.is_empty()) {
            let Some(before) = query.before else { continue };
            let Some((after, used)) = self.time(query, RUNS, args, &mut done.not_run, &names) else {
                continue;
            };
            if after.is_slower_than(before) {
                again.push((query, set.queries.len()));
            }
            let timed =
                verify::Query { served: query.served, used, ..verify::Query::new(&query.id, before, after) };
            set.queries.push(timed);
        }
        done.left.extend(self.scratch.drop_all().into_iter().map(|(name, why)| Left { name, why }));
        // What seems to be slower is measured once more without: another process may have been at work.
        for (query, at) in again {
            let Some((before, _)) = self.time(query, RUNS, args, &mut done.not_run, &[]) else { continue };
            let timed = &mut set.queries[at];
            let after = Time { ms: timed.ms_after, stopped: timed.stopped_after };
            timed.slower &= after.is_slower_than(before);
        }
        set
    }

    /// The time of one query, and whether its plan takes one of these indexes.
    fn time(
        &mut self,
        query: &Runnable<'_>,
        runs: usize,
        args: &ServerArgs,
        not_run: &mut Vec<NotRun>,
        names: &[String],
    ) -> Option<(Time, bool)> {
        if self.is_stopped() {
            return None;
        }
        let why = match query.gathered.probe.as_ref() {
            None => "it was not planned".to_owned(),
            Some(probe) => match self.scratch.time(probe, Some(query.shape), runs) {
                Timed::Took { ms, indexes } => {
                    // On partitions the index has other names, which the server makes of its table's.
                    let used = indexes.iter().any(|index| names.contains(index));
                    return Some((Time::median(ms)?, used));
                }
                Timed::Stopped if self.is_stopped() => return None,
                Timed::Stopped => {
                    let limit = args.statement_timeout.as_secs_f64() * 1000.0;
                    return Some((Time { ms: limit, stopped: true }, false));
                }
                Timed::NotRun { why } => why,
            },
        };
        not_run.push(NotRun { query: query.id.clone(), why });
        None
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Queries that the indexes serve, and the others that read their tables; the most expensive first, what is served
/// before the rest.
fn runnable<'a>(
    members: &[&Advice],
    workload: &Workload,
    catalog: &Catalog,
    all: &'a Everything,
) -> Vec<Runnable<'a>> {
    let tables: Vec<&RelName> =
        members.iter().filter_map(|advice| Some(&advice.index.as_ref()?.table)).collect();
    let mut queries: Vec<Runnable<'a>> = workload
        .ranked()
        .into_iter()
        .filter_map(|query| {
            let (shape, gathered) = (all.shapes.get(&query.id)?, all.gathered.get(&query.id)?);
            let id = query.id.to_string();
            let served = members.iter().any(|advice| advice.serves.contains(&id));
            let reads = || {
                let known = shape.tables().into_iter().filter_map(|name| catalog.table(name));
                shape.target.is_none() && known.into_iter().any(|table| tables.contains(&&table.name))
            };
            (served || reads()).then_some(Runnable { id, served, gathered, shape, before: None })
        })
        .collect();
    queries.sort_by_key(|query| !query.served);
    queries
}
