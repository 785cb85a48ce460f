//! Opens the connection that a [`Target`] describes, and says in words why it could not.

use std::{error::Error as _, io, time::Duration};

use tokio_postgres::{
    Client, Config, NoTls, Socket,
    config::{ChannelBinding, SslMode as Tls},
    error::SqlState,
};

use super::{Endpoint, SslMode, Target, tls};
use crate::error::Error;

/// A connection's two halves: the one to talk to, and the future that does the talking.
pub(in crate::server) struct Opened {
    pub(in crate::server) client: Client,
    pub(in crate::server) connection: Driver,
    /// `user@host:port/database` of the server that answered.
    pub(in crate::server) label: String,
    /// Over a socket or the loopback interface.
    pub(in crate::server) local: bool,
}

/// Drives the connection until it ends; gives the reason when it ended badly.
pub(in crate::server) type Driver =
    std::pin::Pin<Box<dyn Future<Output = Result<(), tokio_postgres::Error>> + Send>>;

/// Tries each server of the target in order.
pub(in crate::server) async fn open(target: &Target) -> Result<Opened, Error> {
    let mut last = None;
    for endpoint in &target.endpoints {
        match open_one(target, endpoint).await {
            Ok(opened) => return Ok(opened),
            Err(error) => last = Some(error),
        }
    }
    Err(last.expect("a target has at least one endpoint"))
}

/// Why one attempt failed, before it is put into words.
enum Failure {
    Setup(String),
    Timeout(Duration),
    Server(tokio_postgres::Error),
}

async fn open_one(target: &Target, endpoint: &Endpoint) -> Result<Opened, Error> {
    let socket = endpoint.host.starts_with('/');
    // As libpq: no TLS over a socket; allow and prefer try the other way when the first one fails.
    let ways: &[Tls] = match target.ssl_mode {
        _ if socket => &[Tls::Disable],
        SslMode::Disable => &[Tls::Disable],
        SslMode::Allow => &[Tls::Disable, Tls::Require],
        SslMode::Prefer => &[Tls::Prefer, Tls::Disable],
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => &[Tls::Require],
    };
    let mut first = None;
    for way in ways {
        let attempt = tokio::time::timeout(target.connect_timeout, attempt(target, endpoint, *way)).await;
        match attempt.unwrap_or(Err(Failure::Timeout(target.connect_timeout))) {
            Ok((client, connection)) => {
                let label = label(target, endpoint);
                let local = socket
                    || endpoint.host == "localhost"
                    || endpoint.address.or(endpoint.host.parse().ok()).is_some_and(|ip| ip.is_loopback());
                return Ok(Opened { client, connection, label, local });
            }
            Err(failure) => {
                let again = match &failure {
                    Failure::Setup(_) | Failure::Timeout(_) => false,
                    // The server answered over TLS or without: another way helps only if it
                    // is pg_hba.conf that refused this one.
                    Failure::Server(error) => match error.code() {
                        Some(code) => *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
                        None => {
                            io_error(error).is_none_or(|io| io.kind() != io::ErrorKind::ConnectionRefused)
                        }
                    },
                };
                first.get_or_insert(failure);
                if !again {
                    break;
                }
            }
        }
    }
    Err(describe(target, endpoint, &first.expect("at least one way was tried")))
}

async fn attempt(target: &Target, endpoint: &Endpoint, way: Tls) -> Result<(Client, Driver), Failure> {
    let mut config = Config::new();
    config
        .host(&endpoint.host)
        .port(endpoint.port)
        .user(&target.user)
        .dbname(&target.database)
        .application_name("sargable")
        .ssl_mode(way)
        .connect_timeout(target.connect_timeout)
        .channel_binding(match target.channel_binding.as_deref() {
            Some("require") => ChannelBinding::Require,
            Some("disable") => ChannelBinding::Disable,
            _ => ChannelBinding::Prefer,
        });
    if let Some(address) = endpoint.address {
        config.hostaddr(address);
    }
    if let Some(password) = &endpoint.password {
        config.password(password);
    }
    if let Some(options) = &target.options {
        config.options(options);
    }
    if way == Tls::Disable {
        let (client, connection) = config.connect(NoTls).await.map_err(Failure::Server)?;
        return Ok((client, drive(connection)));
    }
    let connector = tls::connector(target).map_err(Failure::Setup)?;
    let (client, connection) = config.connect(connector).await.map_err(Failure::Server)?;
    Ok((client, drive(connection)))
}

fn drive<T>(connection: tokio_postgres::Connection<Socket, T>) -> Driver
where
    T: tokio_postgres::tls::TlsStream + Unpin + Send + 'static,
{
    Box::pin(connection)
}

fn label(target: &Target, endpoint: &Endpoint) -> String {
    format!("{}@{}:{}/{}", target.user, endpoint.host, endpoint.port, target.database)
}

fn describe(target: &Target, endpoint: &Endpoint, failure: &Failure) -> Error {
    let (why, hint) = match failure {
        Failure::Setup(why) => (why.clone(), None),
        Failure::Timeout(limit) => (
            format!("no answer within {} s", limit.as_secs()),
            Some("check host, port and firewall; connect_timeout sets the limit".to_owned()),
        ),
        Failure::Server(error) => (reason(error), hint(error, endpoint)),
    };
    Error::Connect { target: label(target, endpoint), why, hint }
}

/// The whole reason: the server's message with its SQLSTATE, detail and hint, or the chain of causes.
pub(in crate::server) fn reason(error: &tokio_postgres::Error) -> String {
    if let Some(db) = error.as_db_error() {
        let mut text = format!("{} (SQLSTATE {})", db.message(), db.code().code());
        for more in [db.detail(), db.hint()].into_iter().flatten() {
            text.push_str("; ");
            text.push_str(more);
        }
        return text;
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = error.source();
    }
    text
}

fn io_error(error: &tokio_postgres::Error) -> Option<&io::Error> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return Some(io);
        }
        cause = error.source();
    }
    None
}

fn hint(error: &tokio_postgres::Error, endpoint: &Endpoint) -> Option<String> {
    if let Some(code) = error.code() {
        let hint = match code.code() {
            "28P01" => "check the password: in the URL, in PGPASSWORD or in ~/.pgpass",
            "28000" => "check the user and pg_hba.conf; a server that insists on TLS needs sslmode=require",
            "3D000" => "name an existing database: the last part of the URL, or PGDATABASE",
            "53300" => "the server has no free connection: try again later, or as a user with reserved ones",
            "57P03" => "the server is starting up or shutting down: try again",
            _ => return None,
        };
        return Some(hint.to_owned());
    }
    let words = reason(error);
    if let Some(io) = io_error(error) {
        match io.kind() {
            io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => {
                return Some(format!(
                    "no server listens at {} port {}: is it running?",
                    endpoint.host, endpoint.port
                ));
            }
            io::ErrorKind::PermissionDenied => {
                return Some("this user may not use the server's socket".to_owned());
            }
            _ => {}
        }
    }
    if words.contains("certificate") {
        Some("check sslrootcert and the host's name, or use a weaker sslmode".to_owned())
    } else if words.contains("does not support TLS") {
        Some("use sslmode=prefer or disable for a server without TLS".to_owned())
    } else if words.contains("password missing") {
        Some("give the password in PGPASSWORD or ~/.pgpass".to_owned())
    } else {
        None
    }
}
