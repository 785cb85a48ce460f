//! EXPLAIN on a user's server, with every promise about it kept here.
//!
//! - What is sent is decided by [`safety`]. ANALYZE, which runs the statement, only for
//!   what it lets run.
//! - Always in a read-only transaction with time limits that is rolled back, and by the extended
//!   protocol, which takes one statement and keeps bind values apart from the text.
//! - A statement that runs into a limit gets its plain plan, and a note says so.

use std::time::Duration;

use tokio_postgres::types::{Format, FromSql, IsNull, ToSql, Type};

use super::{
    Server,
    safety::{self, Verdict},
    session::{Failure, Parameter, Session},
};
use crate::{
    plan::{Plan, Probe},
    sql::Shape,
};

/// How long one statement may take, and whom to trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub statement_timeout: Duration,
    /// Waiting for another session's lock.
    pub lock_timeout: Duration,
    /// Take the word of user-defined functions for their volatility (`--trust-functions`).
    pub trust_functions: bool,
    /// What is left of the run's time; the caller keeps it. It caps `statement_timeout`.
    pub budget: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            statement_timeout: Duration::from_secs(5),
            lock_timeout: Duration::from_millis(500),
            trust_functions: false,
            budget: None,
        }
    }
}

impl Limits {
    fn statement(&self) -> Duration {
        self.budget.map_or(self.statement_timeout, |left| left.min(self.statement_timeout))
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The plan only.
    Plan,
    /// Run it as well, where that is safe.
    Analyze,
}

/// How a plan was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// By running the statement: actual rows and times.
    Analyzed,
    /// With its values, not run.
    Planned,
    /// Without its values, which are not known.
    Generic,
}

/// The answer about one statement.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it mostly is a plan")]
pub enum Explained {
    Plan {
        plan: Plan,
        how: How,
        /// Why it is less than what was asked for.
        note: Option<String>,
    },
    /// Not sent, since it might not be safe.
    Refused {
        why: String,
    },
    Failed {
        why: String,
    },
}

/// The server's words for "you took too long": `query_canceled` and `lock_not_available`.
const TIMEOUT: &str = "57014";
const LOCKED: &str = "55P03";

impl Server {
    /// Explains one statement. Never an error: what could not be explained says why.
    pub fn explain(
        &mut self,
        probe: &Probe,
        shape: Option<&Shape>,
        limits: &Limits,
        wanted: Wanted,
    ) -> Explained {
        if limits.budget.is_some_and(|left| left.is_zero()) {
            return Explained::Failed { why: "the time for EXPLAIN is used up".to_owned() };
        }
        let mut note = match self.verdict(&probe.sql, shape, limits) {
            Err(failure) => {
                return Explained::Failed { why: failed("while checking its names", &failure, limits) };
            }
            Ok(Verdict::Refuse(why)) => return Explained::Refused { why },
            Ok(Verdict::Plan(why)) => Some(format!("not run: {why}")),
            Ok(Verdict::Run) => None,
        };
        let values = Values::of(probe);
        if wanted == Wanted::Analyze && note.is_none() {
            match &values {
                Values::Unknown(_) => note = Some("not run: its bind values are not known".to_owned()),
                Values::Known(values) => {
                    match self.ask_plan("FORMAT JSON, ANALYZE, BUFFERS", &probe.sql, values, limits) {
                        Ok(plan) => return Explained::Plan { plan, how: How::Analyzed, note: None },
                        Err(failure) if failure.code == TIMEOUT => {
                            let limit = limits.statement();
                            note = Some(format!("stopped after {}: plan without ANALYZE", seconds(limit)));
                        }
                        Err(failure) if failure.code == LOCKED => {
                            note = Some("not run: another session holds a lock".to_owned());
                        }
                        Err(failure) => {
                            return Explained::Failed { why: failed("while running", &failure, limits) };
                        }
                    }
                }
            }
        }
        if wanted == Wanted::Plan {
            note = None;
        }
        let (how, plan) = self.plan(probe, limits);
        match plan {
            Ok((plan, more)) => {
                let note = match (note, more) {
                    (Some(note), Some(more)) => Some(format!("{note}; {more}")),
                    (note, more) => note.or(more),
                };
                Explained::Plan { plan, how, note }
            }
            Err(failure) => Explained::Failed { why: failed("while planning", &failure, limits) },
        }
    }

    /// What may be done with a statement; remembered, since advice asks about one statement many times.
    pub(super) fn verdict(
        &mut self,
        sql: &str,
        shape: Option<&Shape>,
        limits: &Limits,
    ) -> Result<Verdict, Failure> {
        let key = (sql.to_owned(), shape.is_some(), limits.trust_functions);
        if let Some(verdict) = self.verdicts.get(&key) {
            return Ok(verdict.clone());
        }
        let limit = limits.statement_timeout;
        let verdict = self.session.read_only(limit, limits.lock_timeout, |session| {
            // Compiling our questions takes longer than answering them.
            session.run("SET LOCAL jit = off", limit)?;
            safety::judge(session, sql, shape, limits.trust_functions, limit)
        })?;
        self.verdicts.insert(key, verdict.clone());
        Ok(verdict)
    }

    /// The plain plan of a statement that may be planned, with a remark on it.
    fn plan(&mut self, probe: &Probe, limits: &Limits) -> (How, Result<(Plan, Option<String>), Failure>) {
        match Values::of(probe) {
            Values::Known(values) => {
                let plan = self.ask_plan("FORMAT JSON", &probe.sql, &values, limits);
                // Values of an application log need not have the types that the server infers.
                match plan {
                    Err(failure) if !values.is_empty() && failure.code.starts_with("22") => {
                        let note = format!("its bind values do not fit: {}", failure.why);
                        let plan = self.generic(&probe.sql, values.len(), limits);
                        (How::Generic, plan.map(|(plan, _)| (plan, Some(note))))
                    }
                    plan => (How::Planned, plan.map(|plan| (plan, None))),
                }
            }
            Values::Unknown(count) => (How::Generic, self.generic(&probe.sql, count, limits)),
        }
    }

    fn ask_plan(
        &mut self,
        options: &str,
        sql: &str,
        values: &[TextValue<'_>],
        limits: &Limits,
    ) -> Result<Plan, Failure> {
        let limit = limits.statement();
        self.session.read_only(limit, limits.lock_timeout, |session| {
            session.use_role_path(limit)?;
            explain(session, &format!("EXPLAIN ({options}) {sql}"), values, limit)
        })
    }

    /// The plan that holds for any values.
    fn generic(
        &mut self,
        sql: &str,
        count: usize,
        limits: &Limits,
    ) -> Result<(Plan, Option<String>), Failure> {
        let (limit, version) = (limits.statement(), self.version);
        let plan = self.session.read_only(limit, limits.lock_timeout, |session| {
            session.use_role_path(limit)?;
            explain_generic(session, version, sql, count, limit)
        })?;
        // NULL is in no partition, so the executor drops them all from the plan that it shows.
        let pruned = version < 160_000 && plan.json.to_string().contains("\"Subplans Removed\"");
        let note = pruned
            .then(|| "without values, before PostgreSQL 16, partitions are missing from the plan".to_owned());
        Ok((plan, note))
    }
}

/// Asks for the plan that holds for any values, inside a transaction.
///
/// A prepared statement stands in for the text, with NULL for each parameter: PREPARE by the extended protocol
/// still takes no second statement, where `GENERIC_PLAN` on a text with parameters would need the simple
/// one. From 16 on `GENERIC_PLAN` keeps the executor from dropping the partitions that NULL is not in.
pub(super) fn explain_generic(
    session: &mut Session,
    version: u32,
    sql: &str,
    count: usize,
    limit: Duration,
) -> Result<Plan, Failure> {
    let options = if version >= 160_000 { "FORMAT JSON, GENERIC_PLAN" } else { "FORMAT JSON" };
    session.run("SET LOCAL plan_cache_mode = force_generic_plan", limit)?;
    session.rows(&format!("PREPARE sargable_probe AS {sql}"), &[], limit)?;
    let nulls = vec!["NULL"; count].join(", ");
    session.then("DEALLOCATE sargable_probe", |session| {
        explain(session, &format!("EXPLAIN ({options}) EXECUTE sargable_probe({nulls})"), &[], limit)
    })
}

/// Asks for one plan, inside a transaction.
pub(super) fn explain(
    session: &mut Session,
    sql: &str,
    values: &[TextValue<'_>],
    limit: Duration,
) -> Result<Plan, Failure> {
    let parameters: Vec<Parameter<'_>> =
        values.iter().map(|value| (value as &(dyn ToSql + Sync), Type::UNKNOWN)).collect();
    let rows = session.rows(sql, &parameters, limit)?;
    let unread = |why: String| Failure { code: String::new(), why, gone: false };
    let Some(row) = rows.first() else { return Err(unread("EXPLAIN gave nothing".to_owned())) };
    let Text(text) = row.try_get(0).map_err(|error| unread(error.to_string()))?;
    Plan::from_text(text).map_err(|not| unread(format!("the plan is not understood: {}", not.why)))
}

/// The bind values of a probe.
pub(super) enum Values<'a> {
    /// One for each parameter.
    Known(Vec<TextValue<'a>>),
    /// How many there are.
    Unknown(usize),
}

impl Values<'_> {
    pub(super) fn of(probe: &Probe) -> Values<'_> {
        let count = safety::parameters(&probe.sql);
        match probe.binds.get(..count) {
            Some(values) => Values::Known(values.iter().map(|value| TextValue(value.as_deref())).collect()),
            None => Values::Unknown(count),
        }
    }
}

/// A bind value in text form, of whatever type the server infers; `None` is NULL.
#[derive(Debug)]
pub(super) struct TextValue<'a>(Option<&'a str>);

impl ToSql for TextValue<'_> {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut tokio_postgres::types::private::BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        Ok(match self.0 {
            None => IsNull::Yes,
            Some(text) => {
                out.extend_from_slice(text.as_bytes());
                IsNull::No
            }
        })
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    tokio_postgres::types::to_sql_checked!();
}

/// A result of type json, as its text.
struct Text<'a>(&'a str);

impl<'a> FromSql<'a> for Text<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Text<'a>, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Text(std::str::from_utf8(raw)?))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn failed(when: &str, failure: &Failure, limits: &Limits) -> String {
    match failure.code.as_str() {
        LOCKED => format!(
            "{when}: another session holds a lock on one of its tables (waited {})",
            seconds(limits.lock_timeout)
        ),
        TIMEOUT => format!("{when}: stopped after {}", seconds(limits.statement())),
        _ if failure.gone => failure.why.clone(),
        _ => format!("{when}: {}", failure.why),
    }
}

fn seconds(limit: Duration) -> String {
    format!("{} s", limit.as_secs_f64())
}
