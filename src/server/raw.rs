//! A plain, blocking session with a server that we started ourselves: statements go in as they are,
//! rows come out.
//!
//! Nothing here is for a user's server: there is no protection, no TLS and no password. Waiting is the
//! caller's: every function returns when the server has answered.

use std::{error::Error as StdError, path::Path, pin::pin, time::Duration};

use futures_util::TryStreamExt as _;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{
    Client, Config, NoTls, Row, Statement,
    types::{Format, FromSql, IsNull, ToSql, Type, private::BytesMut, to_sql_checked},
};

use crate::error::Error;

/// Whom to connect to, and as whom.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    pub socket_dir: &'a Path,
    pub port: u16,
    pub user: &'a str,
    pub database: &'a str,
    pub application_name: &'a str,
}

/// One connection.
#[derive(Debug)]
pub struct Session {
    runtime: Runtime,
    client: Client,
}

/// A statement that the server has parsed.
#[derive(Clone, Debug)]
pub struct Prepared(Statement);

/// What an execution sent back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Received {
    pub rows: u64,
    /// Of the `DataRow` messages, their headers included; values travel in binary.
    pub bytes: u64,
}

impl Session {
    pub fn connect(target: &Target<'_>) -> Result<Session, Error> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|err| Error::Connect {
            target: target.database.to_owned(),
            why: err.to_string(),
            hint: None,
        })?;
        let mut config = Config::new();
        config.host_path(target.socket_dir).port(target.port).user(target.user).dbname(target.database);
        config.application_name(target.application_name).connect_timeout(Duration::from_secs(30));
        let (client, connection) = runtime.block_on(config.connect(NoTls)).map_err(|err| Error::Connect {
            target: format!("the private database {}", target.database),
            why: reason(&err),
            hint: None,
        })?;
        // It ends with the client; what went wrong is told to whoever waits for an answer.
        runtime.spawn(async move {
            let _ = connection.await;
        });
        Ok(Session { runtime, client })
    }

    /// Runs statements that need no parameters, all in one message.
    pub fn batch(&self, sql: &str) -> Result<(), Error> {
        self.runtime.block_on(self.client.batch_execute(sql)).map_err(|err| failed(sql, &err))
    }

    pub fn prepare(&self, sql: &str) -> Result<Prepared, Error> {
        self.runtime.block_on(self.client.prepare(sql)).map(Prepared).map_err(|err| failed(sql, &err))
    }

    /// Runs a prepared statement and reads every row to its end, keeping none.
    pub fn execute(&self, prepared: &Prepared, values: &[&str]) -> Result<Received, Error> {
        self.runtime
            .block_on(async {
                let mut received = Received::default();
                let rows =
                    self.client.query_raw(&prepared.0, values.iter().map(|value| AsText(value))).await?;
                let mut rows = pin!(rows);
                while let Some(row) = rows.try_next().await? {
                    received.rows += 1;
                    received.bytes += row_bytes(&row)?;
                }
                Ok(received)
            })
            .map_err(|err| failed("running a prepared statement", &err))
    }

    /// Runs a prepared statement and returns its rows, each value as text. Knows integers, booleans
    /// and every textual type; cast others to text in the statement.
    pub fn rows(&self, prepared: &Prepared, values: &[&str]) -> Result<Vec<Vec<Option<String>>>, Error> {
        let values: Vec<AsText<'_>> = values.iter().map(|value| AsText(value)).collect();
        let values: Vec<&(dyn ToSql + Sync)> =
            values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        let rows = self
            .runtime
            .block_on(self.client.query(&prepared.0, &values))
            .map_err(|err| failed("running a prepared statement", &err))?;
        rows.iter().map(texts).collect::<Result<_, _>>().map_err(|err| failed("reading rows", &err))
    }

    /// Prepares, runs and returns rows: for one-off questions.
    pub fn query(&self, sql: &str, values: &[&str]) -> Result<Vec<Vec<Option<String>>>, Error> {
        self.rows(&self.prepare(sql)?, values)
    }
}

/// What the row took on the wire: type and length (5), number of columns (2), a length for each.
fn row_bytes(row: &Row) -> Result<u64, tokio_postgres::Error> {
    let mut bytes = 7;
    for column in 0..row.len() {
        bytes += 4 + row.try_get::<_, Option<Bytes<'_>>>(column)?.map_or(0, |value| value.0.len() as u64);
    }
    Ok(bytes)
}

fn texts(row: &Row) -> Result<Vec<Option<String>>, tokio_postgres::Error> {
    (0..row.len()).map(|column| Ok(row.try_get::<_, Option<Text>>(column)?.map(|text| text.0))).collect()
}

fn failed(doing: &str, err: &tokio_postgres::Error) -> Error {
    let doing: String = doing.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(80).collect();
    Error::Server { doing, why: reason(err), hint: None }
}

/// The server's own words where there are any: the crate's are only "db error".
fn reason(err: &tokio_postgres::Error) -> String {
    match (err.as_db_error(), err.source()) {
        (Some(server), _) => server.message().to_owned(),
        (None, Some(source)) => format!("{err}: {source}"),
        (None, None) => err.to_string(),
    }
}

/// A parameter as text, whatever its type: the server reads it as it would a literal.
#[derive(Debug)]
struct AsText<'a>(&'a str);

impl ToSql for AsText<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        out.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

/// A value's bytes as they came.
struct Bytes<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Bytes<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Bytes(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A value as the server would print it.
struct Text(String);

impl<'a> FromSql<'a> for Text {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Text(match *ty {
            Type::INT2 => i16::from_sql(ty, raw)?.to_string(),
            Type::INT4 => i32::from_sql(ty, raw)?.to_string(),
            Type::INT8 => i64::from_sql(ty, raw)?.to_string(),
            Type::BOOL => if bool::from_sql(ty, raw)? { "t" } else { "f" }.to_owned(),
            _ => <&str>::from_sql(ty, raw)?.to_owned(),
        }))
    }

    fn accepts(ty: &Type) -> bool {
        [Type::INT2, Type::INT4, Type::INT8, Type::BOOL].contains(ty) || <&str as FromSql>::accepts(ty)
    }
}
