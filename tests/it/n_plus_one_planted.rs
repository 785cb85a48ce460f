//! Logs made up at random, with planted loops of every kind, in transactions and under tags, among clean
//! requests: nearly all must be found, as what they are and with their count, and nearly nothing else.

use sargable::sql::Normalizer;

use crate::planted::Log;

/// A stream of numbers that is the same in every run (`SplitMix64`).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From `low` to `high`, both among them.
    fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high - low + 1).expect("a range");
        low + i64::try_from(self.next() % span).expect("a small number")
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let at = usize::try_from(self.next() % all.len() as u64).expect("a small number");
        &all[at]
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Transaction,
    RequestTag,
    /// Spread over the sessions of a pool.
    Trace,
}

/// What was planted in one request.
struct Planted {
    kind: &'static str,
    child: String,
    repeats: u64,
    start: i64,
    end: i64,
    found: bool,
}

struct Writer {
    log: Log,
    chance: Chance,
    mode: Mode,
    /// When each session has answered last.
    free: Vec<i64>,
    session: usize,
    now: i64,
    requests: u64,
    planted: Vec<Planted>,
    /// From when to when the clean requests ran.
    clean: Vec<(i64, i64)>,
}

const ENTITIES: [&str; 8] =
    ["order", "invoice", "ticket", "article", "course", "project", "account", "playlist"];

impl Writer {
    fn new(mode: Mode, seed: u64) -> Writer {
        let start = 1_795_000_000_000_000;
        Writer {
            log: Log::default(),
            chance: Chance(seed),
            mode,
            free: vec![start; 5],
            session: 0,
            now: start,
            requests: 0,
            planted: Vec::new(),
            clean: Vec::new(),
        }
    }

    /// One statement with one value, as a literal or bound.
    fn run(&mut self, sql: &str, value: Option<i64>) {
        if self.mode == Mode::Trace {
            let sessions = self.free.len() as u64;
            self.session = usize::try_from(self.chance.next() % sessions).expect("a small number");
        }
        let think = if self.chance.between(0, 9) == 0 { 60_000 } else { 4_000 };
        let us = self.chance.between(80, 2_500);
        self.now = (self.now + self.chance.between(100, think)).max(self.free[self.session]) + us;
        self.free[self.session] = self.now;
        let tagged = match self.mode {
            Mode::Transaction => sql.to_owned(),
            Mode::RequestTag => format!("{sql} /*request_id='r-{}'*/", self.requests),
            Mode::Trace => {
                format!(
                    "{sql} /*traceparent='00-{:032x}-{:016x}-01'*/",
                    self.requests + 1,
                    self.chance.next() | 1
                )
            }
        };
        let binds: Vec<String> = value.iter().map(ToString::to_string).collect();
        let pid = 500 + u32::try_from(self.session).expect("few sessions");
        self.log.execution(pid, self.now, us, &tagged, &binds);
    }

    /// A child once for each of so many values.
    fn repeat(&mut self, kind: &'static str, child: &str, repeats: i64, same: bool) {
        let start = self.now;
        let first = self.chance.between(1, 100_000);
        for at in 0..repeats {
            self.run(child, Some(if same { first } else { first + at }));
            if self.chance.between(0, 3) == 0 {
                let user = self.chance.between(1, 3);
                self.run("SELECT role FROM permissions WHERE subject = $1", Some(user));
            }
        }
        self.plant(kind, child, repeats, start);
    }

    fn plant(&mut self, kind: &'static str, child: &str, repeats: i64, start: i64) {
        let repeats = u64::try_from(repeats).expect("a count");
        let (child, end) = (child.to_owned(), self.now);
        self.planted.push(Planted { kind, child, repeats, start, end, found: false });
    }

    fn request(&mut self, dirty: bool) {
        self.requests += 1;
        self.session = usize::try_from(self.chance.next() % self.free.len() as u64).expect("few sessions");
        self.now = self.now.max(self.free[self.session]) + self.chance.between(1_000, 80_000);
        let start = self.now;
        if self.mode == Mode::Transaction {
            self.run("BEGIN", None);
        }
        let who = self.chance.between(1, 900);
        self.run("SELECT id, name FROM users WHERE session_key = $1", Some(who));
        if dirty {
            self.dirty();
        } else {
            self.clean();
        }
        if self.mode == Mode::Transaction {
            self.run("COMMIT", None);
        }
        if !dirty {
            self.clean.push((start, self.now));
        }
    }

    fn dirty(&mut self) {
        let entity = *self.chance.one_of(&ENTITIES);
        let repeats = self.chance.between(6, 30);
        self.run(&format!("SELECT id, owner_id FROM {entity}s ORDER BY id DESC LIMIT 30"), None);
        match self.chance.between(0, 6) {
            0 => {
                let child = format!("SELECT name, price FROM {entity}_lines WHERE {entity}_id = $1");
                self.repeat("n-plus-one", &child, repeats, false);
            }
            1 => {
                let child = format!("SELECT id, body FROM {entity}_notes WHERE {entity}_id IN ($1)");
                self.repeat("n-plus-one", &child, repeats, false);
            }
            2 => self.nested(entity),
            3 => {
                let child = format!("SELECT value FROM {entity}_settings WHERE name = $1");
                self.repeat("duplicate-query", &child, repeats, true);
            }
            4 => {
                let child = format!("INSERT INTO {entity}_events (kind) VALUES ($1)");
                self.repeat("insert", &child, repeats, false);
            }
            5 => {
                let child = format!("UPDATE {entity}_lines SET seen = true WHERE id = $1");
                self.repeat("update", &child, repeats, false);
            }
            _ => {
                let child = format!("DELETE FROM {entity}_drafts WHERE id = $1");
                self.repeat("delete", &child, repeats, false);
            }
        }
    }

    fn nested(&mut self, entity: &str) {
        let (outer, inner) = (self.chance.between(5, 9), self.chance.between(2, 4));
        let lines = format!("SELECT id, item_id FROM {entity}_rows WHERE {entity}_id = $1");
        let items = format!("SELECT name FROM {entity}_items WHERE id = $1");
        let (start, first) = (self.now, self.chance.between(1, 100_000));
        for at in 0..outer {
            self.run(&lines, Some(first + at));
            for within in 0..inner {
                self.run(&items, Some(7 * (first + at) + within));
            }
        }
        self.plant("n-plus-one", &lines, outer, start);
        self.plant("n-plus-one", &items, outer * inner, start);
    }

    /// Requests with nothing to find, most of which repeat something.
    fn clean(&mut self) {
        let entity = *self.chance.one_of(&ENTITIES);
        let rounds = self.chance.between(6, 15);
        match self.chance.between(0, 8) {
            0 => {
                for table in ["users", "teams", "plans"] {
                    let id = self.chance.between(1, 500);
                    self.run(&format!("SELECT id, name FROM {table} WHERE id = $1"), Some(id));
                }
            }
            1 => (0..rounds).for_each(|at| {
                self.run(
                    &format!("SELECT id FROM {entity}s WHERE id > $1 ORDER BY id LIMIT 500"),
                    Some(at * 500),
                );
            }),
            2 => (0..rounds).for_each(|at| {
                let sql =
                    format!("SELECT id FROM {entity}s WHERE state = 'open' ORDER BY id LIMIT 50 OFFSET $1");
                self.run(&sql, Some(at * 50));
            }),
            3 => (0..rounds).for_each(|_| {
                self.run(
                    "SELECT id FROM jobs WHERE queue = 'mail' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED",
                    None,
                );
            }),
            4 => (0..rounds).for_each(|at| {
                let ids: Vec<String> = (0..20).map(|id| (at * 20 + id).to_string()).collect();
                self.run(
                    &format!("SELECT id, name FROM {entity}_tags WHERE id IN ({})", ids.join(", ")),
                    None,
                );
            }),
            5 => (0..rounds).for_each(|at| {
                let rows: Vec<String> = (0..10).map(|row| format!("({at}, {row})")).collect();
                self.run(&format!("INSERT INTO {entity}_hits (a, b) VALUES {}", rows.join(", ")), None);
            }),
            6 => (0..rounds).for_each(|at| {
                self.run("SELECT typname FROM pg_catalog.pg_type WHERE oid = $1", Some(at));
            }),
            7 => (0..rounds).for_each(|_| self.run("SELECT 1", None)),
            _ => (0..4).for_each(|at| {
                self.run(&format!("SELECT name FROM {entity}_owners WHERE id = $1"), Some(at));
            }),
        }
    }
}

/// How many were planted, found as what they are, reported elsewhere; and clean requests.
fn scored(mode: Mode, seed: u64) -> (usize, usize, usize, usize) {
    let mut writer = Writer::new(mode, seed);
    for _ in 0..400 {
        let dirty = writer.chance.between(0, 3) == 0;
        writer.request(dirty);
    }
    let judged = writer.log.judged();
    let mut normalizer = Normalizer::default();
    let mut wrong = 0;
    for planted in &mut writer.planted {
        let child = normalizer.scan(planted.child.as_bytes()).fingerprint;
        planted.found = judged.repetitions.iter().any(|(kind, found)| {
            kind == planted.kind
                && found.child == child
                && found.occurrences.iter().any(|one| {
                    // The log's clock shows milliseconds.
                    let (start, end) = (one.start.expect("a time"), one.end.expect("a time"));
                    one.repeats == planted.repeats
                        && start + 1_000 >= planted.start
                        && end <= planted.end + 1_000
                })
        });
    }
    for (_, found) in &judged.repetitions {
        for one in &found.occurrences {
            let (start, end) = (one.start.expect("a time"), one.end.expect("a time"));
            let clean = writer.clean.iter().any(|(from, to)| start + 1_000 >= *from && end <= *to + 1_000);
            wrong += usize::from(clean);
        }
    }
    let found = writer.planted.iter().filter(|planted| planted.found).count();
    (writer.planted.len(), found, wrong, writer.clean.len())
}

#[test]
#[expect(clippy::print_stdout, reason = "what is found, log by log")]
fn planted_loops_are_found_and_clean_requests_are_not() {
    for mode in [Mode::Transaction, Mode::RequestTag, Mode::Trace] {
        for seed in [1, 2, 3] {
            let (planted, found, wrong, clean) = scored(mode, seed);
            println!(
                "{mode:?}, seed {seed}: {found} of {planted} found, {wrong} wrong in {clean} clean requests"
            );
            assert!(planted >= 80 && clean >= 250, "{planted} planted, {clean} clean");
            assert!(found * 100 >= planted * 97, "{mode:?}, seed {seed}: {found} of {planted} found");
            assert!(wrong * 100 <= clean, "{mode:?}, seed {seed}: {wrong} wrong in {clean} clean requests");
        }
    }
}
