//! One connection behind a synchronous face: each call runs the runtime until its answer is there,
//! the connection has died, or the call's own time is up. Nothing waits for ever, and once
//! the connection is gone every later call says so at once.

use std::{
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::runtime::Runtime;
use tokio_postgres::{
    Client, Row,
    types::{ToSql, Type},
};

use super::{
    OWN_LIMIT,
    connect::{Target, open},
};
use crate::error::Error;

/// Time that a call gets beyond what the server itself enforces.
const GRACE: Duration = Duration::from_secs(10);

pub(super) struct Session {
    runtime: Runtime,
    client: Client,
    pub(super) label: String,
    pub(super) local: bool,
    /// Why the connection ended, told by the task that drives it.
    ended: Arc<Mutex<Option<String>>>,
    /// Why no call is made any more.
    pub(super) gone: Option<String>,
    /// `search_path` as the role has it, as text and as the schemas that exist; set by [`Session::learn_path`].
    search_path: String,
    pub(super) schemas: Vec<String>,
    /// What ends a statement that runs, and where the order to end it goes.
    stopped_by: Option<(Target, Arc<AtomicBool>)>,
    /// The server's process, once it was asked.
    process: Option<i32>,
}

/// Why one call failed.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// The SQLSTATE, when the server refused; empty otherwise.
    pub(super) code: String,
    pub(super) why: String,
    /// No later call can succeed.
    pub(super) gone: bool,
}

impl Failure {
    pub(super) fn into_error(self, doing: &str) -> Error {
        let hint = self.gone.then(|| "the connection is lost: run again when the server is back".to_owned());
        Error::Server { doing: doing.to_owned(), why: self.why, hint }
    }
}

/// Begins a transaction that cannot write, with every limit that PostgreSQL has for it. In
/// milliseconds; 0 would mean "no limit" there, so a limit is at least one. Names mean what `pg_catalog` has: in
/// a schema of the role's own path, somebody's function could fit our questions better than the built-in one.
/// Every setting is local to the transaction, since a pooler may give the session to somebody else after it.
pub(super) fn begin(statement_timeout: Duration, lock_timeout: Duration) -> String {
    format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
         SET LOCAL statement_timeout = {}; SET LOCAL lock_timeout = {}; \
         SET LOCAL idle_in_transaction_session_timeout = 60000; \
         SET LOCAL application_name = 'sargable'; \
         SET LOCAL standard_conforming_strings = on; \
         SET LOCAL search_path = pg_catalog, pg_temp",
        statement_timeout.as_millis().max(1),
        lock_timeout.as_millis().max(1),
    )
}

pub(super) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

impl Session {
    pub(super) fn open(target: &Target) -> Result<Session, Error> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
                Error::Connect { target: target.to_string(), why: error.to_string(), hint: None }
            })?;
        let opened = runtime.block_on(open::open(target))?;
        let ended = Arc::new(Mutex::new(None));
        let told = Arc::clone(&ended);
        runtime.spawn(async move {
            let why = match opened.connection.await {
                Ok(()) => "the server closed the connection".to_owned(),
                Err(error) => open::reason(&error),
            };
            *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
        });
        Ok(Session {
            runtime,
            client: opened.client,
            label: opened.label,
            local: opened.local,
            ended,
            gone: None,
            search_path: String::new(),
            schemas: Vec::new(),
            stopped_by: None,
            process: None,
        })
    }

    /// One statement by the extended protocol, which refuses more than one.
    pub(super) fn rows(
        &mut self,
        sql: &str,
        parameters: &[Parameter<'_>],
        limit: Duration,
    ) -> Result<Vec<Row>, Failure> {
        self.alive()?;
        let client = &self.client;
        let statement = client.query_typed(sql, parameters);
        let stop = self.stopped_by.as_ref().zip(self.process);
        let call = async { tokio::time::timeout(limit + GRACE, until_stopped(statement, stop)).await };
        let answer = self.runtime.block_on(call);
        self.judge(answer, limit)
    }

    /// Statements of our own, never a user's text.
    pub(super) fn run(&mut self, sql: &str, limit: Duration) -> Result<(), Failure> {
        self.alive()?;
        let client = &self.client;
        let statement = client.batch_execute(sql);
        let stop = self.stopped_by.as_ref().zip(self.process);
        let call = async { tokio::time::timeout(limit + GRACE, until_stopped(statement, stop)).await };
        let answer = self.runtime.block_on(call);
        self.judge(answer, limit)
    }

    /// From here on the flag, once it is up, ends the statement that runs, by an order over another connection.
    pub(super) fn stopped_by(&mut self, flag: Option<(Target, Arc<AtomicBool>)>) {
        if flag.is_some() && self.process.is_none() {
            let rows = self.rows("SELECT pg_catalog.pg_backend_pid()", &[], OWN_LIMIT).unwrap_or_default();
            self.process = rows.first().map(|row| row.get(0));
        }
        self.stopped_by = flag;
    }

    /// Runs `work` in a read-only transaction that sees one snapshot and is rolled back whatever happens.
    pub(super) fn read_only<T>(
        &mut self,
        statement_timeout: Duration,
        lock_timeout: Duration,
        work: impl FnOnce(&mut Session) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.run(&begin(statement_timeout, lock_timeout), OWN_LIMIT)?;
        let outcome = work(self);
        let ended = self.run("ROLLBACK", OWN_LIMIT);
        let value = outcome?;
        ended.map(|()| value)
    }

    /// Runs `work` inside a transaction, and then `cleanup` whatever came of it: what a rollback does
    /// not remove must go before the transaction ends, or a pooler would hand it on.
    pub(super) fn then<T>(
        &mut self,
        cleanup: &str,
        work: impl FnOnce(&mut Session) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.run("SAVEPOINT sargable", OWN_LIMIT)?;
        let outcome = work(self);
        let back = match &outcome {
            Ok(_) => Ok(()),
            Err(_) => self.run("ROLLBACK TO SAVEPOINT sargable", OWN_LIMIT),
        };
        let cleaned = back.and_then(|()| self.run(cleanup, OWN_LIMIT));
        let value = outcome?;
        cleaned.map(|()| value)
    }

    /// Asks what the role's `search_path` is, before the first transaction puts it aside.
    pub(super) fn learn_path(&mut self) -> Result<(), Failure> {
        let sql = "SELECT pg_catalog.current_setting('search_path'::pg_catalog.text), pg_catalog.current_schemas(false)::pg_catalog.text[]";
        let rows = self.rows(sql, &[], OWN_LIMIT)?;
        if let Some(row) = rows.first() {
            (self.search_path, self.schemas) = (row.get(0), row.get(1));
        }
        Ok(())
    }

    /// From here to the end of the transaction names mean what they mean to the role.
    pub(super) fn use_role_path(&mut self, limit: Duration) -> Result<(), Failure> {
        let path = self.search_path.clone();
        let set = "SELECT pg_catalog.set_config('search_path', $1, true)";
        self.rows(set, &[(&path, Type::TEXT)], limit).map(|_| ())
    }

    /// Whether the connection still stands. What the server said last, before it hung up, is read here: a
    /// write would only meet a broken pipe.
    fn alive(&mut self) -> Result<(), Failure> {
        if self.gone.is_none() {
            self.runtime.block_on(async {
                tokio::task::yield_now().await;
                tokio::task::yield_now().await;
            });
            let told = self.ended.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(why) = told {
                return Err(self.lose(String::new(), &why));
            }
        }
        match &self.gone {
            Some(why) => Err(Failure { code: String::new(), why: why.clone(), gone: true }),
            None => Ok(()),
        }
    }

    fn judge<T>(
        &mut self,
        answer: Result<Result<T, tokio_postgres::Error>, tokio::time::error::Elapsed>,
        limit: Duration,
    ) -> Result<T, Failure> {
        let error = match answer {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => error,
            Err(_) => {
                let why = format!("no answer within {} s", (limit + GRACE).as_secs());
                return Err(self.lose(String::new(), &why));
            }
        };
        let code = error.code().map_or("", |code| code.code()).to_owned();
        // Class 57P is the server taking its connections away; without a code the wire broke.
        let broken =
            error.as_db_error().is_none_or(|db| db.severity() == "FATAL" || db.severity() == "PANIC");
        if !broken && !self.client.is_closed() {
            return Err(Failure { code, why: open::reason(&error), gone: false });
        }
        if error.as_db_error().is_some() {
            return Err(self.lose(code, &open::reason(&error)));
        }
        // The task knows the reason better than "connection closed".
        self.runtime.block_on(async { tokio::task::yield_now().await });
        let told = self.ended.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let why = told.unwrap_or_else(|| open::reason(&error));
        Err(self.lose(code, &why))
    }

    fn lose(&mut self, code: String, why: &str) -> Failure {
        let why = format!("the server went away: {why}");
        self.gone = Some(why.clone());
        Failure { code, why, gone: true }
    }
}

/// Waits for a statement's answer; once the flag is up, has the server end that statement.
async fn until_stopped<T>(
    statement: impl Future<Output = Result<T, tokio_postgres::Error>>,
    stop: Option<(&(Target, Arc<AtomicBool>), i32)>,
) -> Result<T, tokio_postgres::Error> {
    /// How often the flag is looked at.
    const TICK: Duration = Duration::from_millis(50);
    let Some(((target, flag), process)) = stop else { return statement.await };
    let mut statement = pin!(statement);
    loop {
        if let Ok(answer) = tokio::time::timeout(TICK, &mut statement).await {
            return answer;
        }
        if flag.load(Ordering::Relaxed) {
            break;
        }
    }
    if let Ok(other) = open::open(target).await {
        let driver = tokio::spawn(other.connection);
        let cancel = format!("SELECT pg_catalog.pg_cancel_backend({process})");
        // What cannot be ended is waited for.
        let _ = other.client.batch_execute(&cancel).await;
        drop(other.client);
        let _ = driver.await;
    }
    statement.await
}
