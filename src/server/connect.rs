//! Where to connect, found as libpq finds it: the connection string, then the service file, then the
//! environment, then defaults.
//!
//! In: `--database-url` (or `DATABASE_URL`) and an [`Environment`]. Out: a [`Target`], which never
//! shows its password. Nothing is opened here but the small files that libpq reads as well.
//!
//! Left alone: GSSAPI, `target_session_attrs`, and keep-alive settings, which are accepted and ignored;
//! the application name, which is always `sargable`.

mod conninfo;
mod endpoint;
mod environment;
mod files;
pub(super) mod open;
mod tls;

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
    time::Duration,
};

pub use environment::Environment;

use crate::error::Error;
use endpoint::Endpoint;

/// What TLS is asked for; the words are libpq's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SslMode {
    Disable,
    Allow,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl SslMode {
    fn parse(word: &str) -> Result<SslMode, Error> {
        Ok(match word {
            "disable" => SslMode::Disable,
            "allow" => SslMode::Allow,
            "prefer" => SslMode::Prefer,
            // `no-verify` is node-postgres' word.
            "require" | "no-verify" => SslMode::Require,
            "verify-ca" => SslMode::VerifyCa,
            "verify-full" => SslMode::VerifyFull,
            _ => {
                return Err(usage(
                    format!("sslmode `{word}` is not known"),
                    "use disable, allow, prefer, require, verify-ca or verify-full",
                ));
            }
        })
    }
}

/// Where the certificate authorities come from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Roots {
    /// `sslrootcert=FILE`, or the default file where it exists.
    File(PathBuf),
    /// `sslrootcert=system`.
    System,
    None,
}

/// Where and how to connect.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    endpoints: Vec<Endpoint>,
    user: String,
    database: String,
    ssl_mode: SslMode,
    roots: Roots,
    /// Certificate and key files of the client.
    identity: Option<(PathBuf, PathBuf)>,
    channel_binding: Option<String>,
    /// `options=-c …` for the server.
    options: Option<String>,
    connect_timeout: Duration,
    warnings: Vec<String>,
}

/// `user@host:port/database`.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = self.endpoints.first();
        let (host, port) = endpoint.map_or(("", 0), |endpoint| (endpoint.host.as_str(), endpoint.port));
        write!(f, "{}@{host}:{port}/{}", self.user, self.database)
    }
}

/// Never the password.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self}, {:?})", self.ssl_mode)
    }
}

/// libpq's option, and the environment variable behind it.
const OPTIONS: &[(&str, &str)] = &[
    ("host", "PGHOST"),
    ("hostaddr", "PGHOSTADDR"),
    ("port", "PGPORT"),
    ("user", "PGUSER"),
    ("password", "PGPASSWORD"),
    ("dbname", "PGDATABASE"),
    ("passfile", "PGPASSFILE"),
    ("sslmode", "PGSSLMODE"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslcert", "PGSSLCERT"),
    ("sslkey", "PGSSLKEY"),
    ("channel_binding", "PGCHANNELBINDING"),
    ("options", "PGOPTIONS"),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("service", "PGSERVICE"),
    ("servicefile", "PGSERVICEFILE"),
];

/// Options of libpq and of common drivers that change nothing for us.
const IGNORED: &[&str] = &[
    "application_name",
    "client_encoding",
    "connection_limit",
    "fallback_application_name",
    "gssdelegation",
    "gssencmode",
    "gsslib",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "krbsrvname",
    "load_balance_hosts",
    "pgbouncer",
    "pool_timeout",
    "prepare_threshold",
    "prepareThreshold",
    "schema",
    "socket_timeout",
    "sslcompression",
    "sslsni",
    "statement_cache_size",
    "target_session_attrs",
    "tcp_user_timeout",
];

impl Target {
    /// Resolves a connection string (or `DATABASE_URL`, or nothing) against an environment.
    pub fn resolve(url: Option<&str>, environment: &Environment) -> Result<Target, Error> {
        let text = url.or_else(|| environment.variable("DATABASE_URL")).unwrap_or("");
        let mut options: BTreeMap<String, String> = BTreeMap::new();
        if !text.trim().is_empty() {
            let given = conninfo::parse(text).map_err(|why| {
                usage(
                    format!("the database URL is not understood: {why}"),
                    "postgres://user@host:5432/database",
                )
            })?;
            for (key, value) in given {
                if OPTIONS.iter().any(|(name, _)| *name == key) {
                    options.insert(key, value);
                } else if !IGNORED.contains(&key.as_str()) {
                    return Err(usage(
                        format!("the database URL has an option that is not known: `{key}`"),
                        "see the PostgreSQL documentation, Parameter Key Words, for the ones there are",
                    ));
                }
            }
        }
        options.retain(|_, value| !value.is_empty());
        read_service(&mut options, environment)?;
        for (key, variable) in OPTIONS {
            if let Some(value) = environment.variable(variable) {
                options.entry((*key).to_owned()).or_insert_with(|| value.to_owned());
            }
        }
        build(&options, environment)
    }

    /// What a person should know, such as a password file that was ignored.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// Adds what the service section says, where the connection string does not say it already.
fn read_service(options: &mut BTreeMap<String, String>, environment: &Environment) -> Result<(), Error> {
    let named = options.get("service").map(String::as_str).or_else(|| environment.variable("PGSERVICE"));
    let Some(name) = named.map(str::to_owned) else { return Ok(()) };
    let own = options
        .get("servicefile")
        .map(String::as_str)
        .or_else(|| environment.variable("PGSERVICEFILE"))
        .map(PathBuf::from)
        .or_else(|| environment.home.as_ref().map(|home| home.join(".pg_service.conf")));
    let system = environment.variable("PGSYSCONFDIR").unwrap_or("/etc/postgresql-common");
    let files = own.into_iter().chain([Path::new(system).join("pg_service.conf")]);
    let section =
        files.filter_map(|path| fs::read_to_string(path).ok()).find_map(|text| files::service(&text, &name));
    let Some(section) = section else {
        return Err(usage(
            format!("no service file defines the service `{name}`"),
            "look at ~/.pg_service.conf, or set PGSERVICEFILE",
        ));
    };
    for (key, value) in section {
        options.entry(key).or_insert(value);
    }
    Ok(())
}

fn build(options: &BTreeMap<String, String>, environment: &Environment) -> Result<Target, Error> {
    let option = |name: &str| options.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let user = option("user").or(environment.os_user.as_deref()).unwrap_or("postgres").to_owned();
    let database = option("dbname").unwrap_or(&user).to_owned();
    let ssl_mode = option("sslmode").map_or(Ok(SslMode::Prefer), SslMode::parse)?;
    let in_home = |name: &str| environment.home.as_ref().map(|home| home.join(name));
    let roots = match option("sslrootcert") {
        Some("system") => Roots::System,
        Some(file) => Roots::File(PathBuf::from(file)),
        None => in_home(".postgresql/root.crt").filter(|file| file.exists()).map_or(Roots::None, Roots::File),
    };
    if roots == Roots::System && ssl_mode != SslMode::VerifyFull && option("sslmode").is_some() {
        return Err(usage(
            "sslrootcert=system needs sslmode=verify-full".to_owned(),
            "anybody can get a certificate from a public authority: the name must be checked as well",
        ));
    }
    let ssl_mode = if roots == Roots::System { SslMode::VerifyFull } else { ssl_mode };

    let mut warnings = Vec::new();
    let password_file = option("passfile").map(PathBuf::from).or_else(|| in_home(".pgpass"));
    let mut endpoints = endpoint::endpoints(option("host"), option("hostaddr"), option("port"))?;
    for endpoint in &mut endpoints {
        endpoint.password = option("password").map(str::to_owned);
        if let (None, Some(file)) = (&endpoint.password, &password_file) {
            match files::password(file, &endpoint.host, endpoint.port, &database, &user) {
                Ok(password) => endpoint.password = password,
                Err(warning) if warnings.contains(&warning) => {}
                Err(warning) => warnings.push(warning),
            }
        }
    }
    let connect_timeout = match option("connect_timeout").map(|seconds| seconds.trim().parse::<u64>()) {
        None | Some(Ok(0)) => Duration::from_secs(30),
        // libpq rounds 1 up to 2.
        Some(Ok(seconds)) => Duration::from_secs(seconds.max(2)),
        Some(Err(_)) => {
            return Err(usage(
                "connect_timeout is not a number of seconds".to_owned(),
                "write connect_timeout=10",
            ));
        }
    };
    let identity = match (option("sslcert"), option("sslkey")) {
        (Some(certificate), Some(key)) => Some((PathBuf::from(certificate), PathBuf::from(key))),
        _ => None,
    };
    Ok(Target {
        endpoints,
        user,
        database,
        ssl_mode,
        roots,
        identity,
        channel_binding: option("channel_binding").map(str::to_owned),
        options: option("options").map(str::to_owned),
        connect_timeout,
        warnings,
    })
}

fn usage(what: String, hint: &str) -> Error {
    Error::Usage { what, hint: Some(hint.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment {
            variables: variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            home: None,
            os_user: Some("ada".to_owned()),
        }
    }

    #[track_caller]
    fn check(url: Option<&str>, variables: &[(&str, &str)], expect: &str) {
        let got = match Target::resolve(url, &environment(variables)) {
            Ok(target) => target.to_string(),
            Err(error) => format!("error: {error}"),
        };
        assert_eq!(got, expect);
    }

    #[test]
    fn the_string_wins_over_the_environment() {
        check(Some("postgres://me@db:1/x"), &[("PGHOST", "no"), ("PGUSER", "no")], "me@db:1/x");
        check(None, &[("PGHOST", "db"), ("PGPORT", "7"), ("PGDATABASE", "x")], "ada@db:7/x");
        check(None, &[("DATABASE_URL", "postgres://u@h/d")], "u@h:5432/d");
        check(Some("host=db user=me"), &[], "me@db:5432/me");
    }

    #[test]
    fn driver_options_are_ignored_and_unknown_ones_are_errors() {
        check(Some("postgres://u@h/d?schema=public&pgbouncer=true"), &[], "u@h:5432/d");
        check(
            Some("postgres://u@h/d?sslmod=verify-full"),
            &[],
            "error: the database URL has an option that is not known: `sslmod`",
        );
        check(Some("postgres://u@h/d?sslmode=on"), &[], "error: sslmode `on` is not known");
        check(Some("postgres://u@h:99999/d"), &[], "error: `99999` is not a port number");
    }

    #[test]
    fn nothing_shows_the_password() {
        let environment = environment(&[("PGPASSWORD", "s3cret")]);
        let target = Target::resolve(Some("postgres://u@h/d"), &environment).expect("a target");
        assert_eq!(target.endpoints[0].password.as_deref(), Some("s3cret"));
        assert!(!format!("{target:?} {target:#?} {target} {environment:?}").contains("s3cret"));
    }

    #[test]
    fn password_file_is_ignored_when_others_may_read_it() {
        let home = tempfile::tempdir().expect("a folder");
        let file = home.path().join(".pgpass");
        fs::write(&file, "h:*:d:u:s3cret\n").expect("a password file");
        let environment = Environment { home: Some(home.path().to_owned()), ..Environment::default() };
        for (mode, password, warned) in [(0o600, Some("s3cret"), 0), (0o640, None, 1)] {
            fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(mode)).expect("its mode");
            let target = Target::resolve(Some("postgres://u@h/d"), &environment).expect("a target");
            assert_eq!(target.endpoints[0].password.as_deref(), password);
            assert_eq!(target.warnings().len(), warned, "{:?}", target.warnings());
        }
    }

    #[test]
    fn service_file() {
        let home = tempfile::tempdir().expect("a folder");
        let file = home.path().join("services");
        fs::write(&file, "[shop]\nhost=db\nport=6\nuser=svc\n").expect("a service file");
        let file = file.display().to_string();
        let variables = [("PGSERVICE", "shop"), ("PGSERVICEFILE", file.as_str()), ("PGUSER", "late")];
        check(None, &variables, "svc@db:6/svc");
        check(Some("service=none"), &variables, "error: no service file defines the service `none`");
    }
}
