//! Connecting: each way to fail has its own words.

use std::{
    io::{Read, Write},
    net::TcpListener,
};

use sargable::{
    error::Error,
    server::{Environment, Server, Target},
};

use crate::harness;

/// The message and hint of a connection that must fail.
#[track_caller]
fn refused(url: &str) -> String {
    let target = Target::resolve(Some(url), &Environment::default()).expect("a target");
    let Err(error) = Server::connect(&target) else { panic!("{url} connected") };
    assert!(matches!(error, Error::Connect { .. }), "{error:?}");
    let hint = error.hint().unwrap_or_default();
    let said = format!("{error}\n{hint}").replace(&harness::socket(), "SOCKET");
    assert!(!format!("{said}{error:?}").contains("s3cret"), "{said}");
    said
}

#[test]
fn connects_by_url_pairs_and_environment() {
    let own = harness::database();
    let variables =
        [("PGHOST", harness::socket()), ("PGUSER", "postgres".into()), ("PGDATABASE", own.name.clone())];
    let environment = Environment {
        variables: variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        ..Environment::default()
    };
    let pairs = format!("host='{}' user=postgres dbname={}", harness::socket(), own.name);
    for (url, environment) in [
        (Some(own.url()), &Environment::default()),
        (Some(pairs), &Environment::default()),
        (None, &environment),
    ] {
        let target = Target::resolve(url.as_deref(), environment).expect("a target");
        let server = Server::connect(&target).expect("a connection");
        assert_eq!(server.label(), format!("postgres@{}:5432/{}", harness::socket(), own.name));
        assert!(server.is_local());
        assert!(server.version() >= 130_000, "{}", server.version());
    }
}

#[test]
fn wrong_password() {
    let own = harness::database();
    let said = refused(&own.url_as("locked:s3cret"));
    assert_eq!(
        said.replace(&own.name, "DB"),
        "cannot connect to locked@SOCKET:5432/DB: password authentication failed for user \"locked\" (SQLSTATE 28P01)\n\
         check the password: in the URL, in PGPASSWORD or in ~/.pgpass"
    );
    let right =
        Target::resolve(Some(&own.url_as("locked:opensesame")), &Environment::default()).expect("a target");
    Server::connect(&right).expect("the right password connects");
}

#[test]
fn no_password() {
    let own = harness::database();
    let said = refused(&own.url_as("locked"));
    assert!(said.contains("password missing"), "{said}");
    assert!(said.ends_with("give the password in PGPASSWORD or ~/.pgpass"), "{said}");
}

#[test]
fn no_such_database() {
    let said = refused(&format!("postgres://postgres@{}/nowhere", harness::socket().replace('/', "%2F")));
    assert!(said.contains("database \"nowhere\" does not exist (SQLSTATE 3D000)"), "{said}");
}

#[test]
fn nobody_listens() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its number").port();
    let said = refused(&format!("postgres://me:s3cret@127.0.0.1:{free}/x"));
    assert!(said.contains("Connection refused"), "{said}");
    assert!(said.ends_with(&format!("no server listens at 127.0.0.1 port {free}: is it running?")), "{said}");
}

#[test]
fn nobody_answers() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("its number").port();
    let said = refused(&format!("postgres://me:s3cret@127.0.0.1:{port}/x?connect_timeout=2&sslmode=disable"));
    assert!(said.contains("no answer within 2 s"), "{said}");
}

#[test]
fn a_server_without_tls_is_refused_by_require() {
    let plain = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = plain.local_addr().expect("its number").port();
    let answer = std::thread::spawn(move || {
        let (mut stream, _) = plain.accept().expect("a client");
        let mut request = [0; 8];
        stream.read_exact(&mut request).expect("SSLRequest");
        stream.write_all(b"N").expect("a refusal");
    });
    let said = refused(&format!("postgres://me@127.0.0.1:{port}/x?sslmode=require"));
    answer.join().expect("the stand-in server");
    assert!(said.contains("server does not support TLS"), "{said}");
}
