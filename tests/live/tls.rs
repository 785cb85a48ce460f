//! TLS with a real server: what each `sslmode` accepts, and what it does not.

use std::{
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
};

use sargable::{
    cluster::{Cluster, Settings},
    server::{Environment, Server, Target},
};

/// An authority, a certificate of it for `localhost` (and not for 127.0.0.1), and another authority.
const CERTIFICATES: &str = r#"
    set -e; cd "$0"
    for ca in right wrong; do
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$ca" -keyout $ca.key -out $ca.crt
    done
    openssl req -newkey rsa:2048 -nodes -subj /CN=server -keyout server.key -out server.csr
    printf 'subjectAltName=DNS:localhost\n' >extensions
    openssl x509 -req -in server.csr -CA right.crt -CAkey right.key -CAcreateserial -days 2 -extfile extensions -out server.crt
    chmod 600 server.key; chmod 755 .
    [ "$(id -u)" != 0 ] || chown postgres server.key
"#;

/// `ok`, or why there is no connection.
fn connect(port: u16, host: &str, mode: &str, root: Option<&Path>) -> String {
    let root = root.map_or_else(String::new, |root| format!("&sslrootcert={}", root.display()));
    let url = format!("postgres://postgres@{host}:{port}/postgres?sslmode={mode}{root}");
    let target = Target::resolve(Some(&url), &Environment::default()).expect("a target");
    Server::connect(&target).map_or_else(|error| error.to_string(), |_| "ok".to_owned())
}

#[test]
fn each_mode_against_good_and_bad_certificates() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = Command::new("sh")
        .args(["-c", CERTIFICATES])
        .arg(folder.path())
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .expect("sh starts");
    assert!(made.success(), "openssl makes certificates: run `apt-get install openssl`");
    let file = |name: &str| folder.path().join(name);
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its number").port();
    let set = [
        ("listen_addresses", "127.0.0.1".to_owned()),
        ("port", port.to_string()),
        ("ssl", "on".to_owned()),
        ("ssl_cert_file", file("server.crt").display().to_string()),
        ("ssl_key_file", file("server.key").display().to_string()),
    ];
    let settings = Settings {
        set: set.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        ..Settings::default()
    };
    let _cluster = Cluster::start(&settings).expect("a server with TLS");

    let (right, wrong) = (file("right.crt"), file("wrong.crt"));
    for (host, mode, root) in [
        ("127.0.0.1", "disable", None),
        ("127.0.0.1", "prefer", None),
        ("127.0.0.1", "require", None),
        ("127.0.0.1", "require", Some(&right)),
        ("127.0.0.1", "verify-ca", Some(&right)),
        ("localhost", "verify-full", Some(&right)),
        // A server's own certificate may be listed as a root.
        ("localhost", "verify-full", Some(&file("server.crt"))),
    ] {
        assert_eq!(
            connect(port, host, mode, root.map(std::path::PathBuf::as_path)),
            "ok",
            "{host} {mode} {root:?}"
        );
    }
    for (host, mode, root, why) in [
        ("127.0.0.1", "verify-full", Some(&right), "not valid for name"),
        ("127.0.0.1", "verify-full", Some(&file("server.crt")), "not valid for name"),
        ("localhost", "require", Some(&wrong), "invalid peer certificate"),
        ("localhost", "verify-ca", Some(&wrong), "invalid peer certificate"),
        ("localhost", "verify-full", Some(&wrong), "invalid peer certificate"),
        ("localhost", "verify-full", None, "no root certificate is given"),
    ] {
        let said = connect(port, host, mode, root.map(std::path::PathBuf::as_path));
        assert!(said.contains(why), "{host} {mode} {root:?}: {said}");
    }
}
