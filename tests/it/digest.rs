//! Digests: logs of many hosts or days, added up later.

use std::{fs, path::PathBuf, process::Command};

use sargable::{
    sources::{self, Ingested, Literals, Options, digest},
    workload::Digest,
};

fn read(paths: &[PathBuf], literals: Option<Literals>) -> Ingested {
    let options = Options { digest: literals, ..Options::default() };
    sources::ingest(paths, &options, &mut |_| ()).expect("logs")
}

/// Everything that adds up, as text: positions and samples, which name files and hold literals, left out.
fn figures(read: &Ingested) -> String {
    let workload = &read.workload;
    let mut told = format!("{:#?}\n{:#?}\n", workload.totals(), workload.concurrency());
    for query in workload.ranked() {
        told.push_str(&format!(
            "{} {} {:?} {} {} {} {} {} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {}\n",
            query.id,
            query.text,
            query.kind,
            query.calls,
            query.timed,
            query.total_us,
            query.min_us,
            query.max_us,
            query.sketch,
            query.rows,
            query.series,
            query.databases,
            query.users,
            query.applications,
            query.first,
            query.last,
            query.errors
        ));
    }
    told
}

fn fixture(name: &str) -> PathBuf {
    PathBuf::from("fixtures/logs").join(name)
}

#[test]
fn digests_add_up_as_their_logs_do() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let logs = [fixture("shop.log"), fixture("debian.log"), fixture("verbose.log")];
    let mut digests = Vec::new();
    for log in &logs {
        let path = folder.path().join(log.file_name().expect("a file")).with_extension("digest");
        let made = read(std::slice::from_ref(log), Some(Literals::Forget));
        digest::save(&made.digest.expect("asked for"), &path).expect("a file");
        digests.push(path);
    }
    let from_logs = read(&logs, None);
    assert_eq!(figures(&read(&digests, None)), figures(&from_logs));
    let mixed = [digests[0].clone(), logs[1].clone(), digests[2].clone()];
    let mixed = read(&mixed, None);
    assert_eq!(figures(&mixed), figures(&from_logs));
    let entries = |read: &Ingested| read.inputs.iter().map(|input| input.entries).sum::<u64>();
    assert_eq!(entries(&mixed), entries(&from_logs));

    // A digest of digests and logs is one more of the same kind.
    let again = folder.path().join("again.digest");
    let both = read(&[digests[0].clone(), logs[1].clone()], Some(Literals::Forget));
    digest::save(&both.digest.expect("asked for"), &again).expect("a file");
    assert_eq!(figures(&read(&[again, digests[2].clone()], None)), figures(&from_logs));
}

#[test]
fn a_digest_holds_no_literal_unless_asked() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let log = folder.path().join("a.log");
    let lines = "2026-11-23 10:00:00.000 UTC [7] app@shop LOG:  duration: 1.000 ms  execute S_1: SELECT 1 FROM users WHERE email = $1 AND name = 'hunter2'\n\
                 2026-11-23 10:00:00.000 UTC [7] app@shop DETAIL:  parameters: $1 = 'ada@example.org'\n\
                 2026-11-23 10:00:01.000 UTC [7] app@shop ERROR:  duplicate key value violates unique constraint \"users_email_key\"\n\
                 2026-11-23 10:00:01.000 UTC [7] app@shop DETAIL:  Key (email)=(hunter2) already exists.\n\
                 2026-11-23 10:00:01.000 UTC [7] app@shop STATEMENT:  INSERT INTO users (email) VALUES ('hunter2')\n\
                 a line of its own: hunter2\n";
    fs::write(&log, lines).expect("a log");
    let bytes = |literals| {
        let digest = read(std::slice::from_ref(&log), Some(literals)).digest.expect("asked for");
        let mut bytes = Vec::new();
        digest.write(&mut bytes).expect("memory");
        bytes
    };
    let holds = |bytes: &[u8], word: &str| memchr::memmem::find(bytes, word.as_bytes()).is_some();
    let (without, with) = (bytes(Literals::Forget), bytes(Literals::Keep));
    assert!(holds(&without, "users") && !holds(&without, "hunter2") && !holds(&without, "ada@"));
    assert!(holds(&with, "hunter2") && holds(&with, "ada@example.org"));
}

#[test]
fn a_damaged_or_newer_digest_is_an_error() {
    let made = read(&[fixture("shop.log")], Some(Literals::Forget)).digest.expect("asked for");
    let mut bytes = Vec::new();
    made.write(&mut bytes).expect("memory");
    for end in [0, 5, 17, 19, bytes.len() / 2, bytes.len() - 1] {
        Digest::read(&mut &bytes[..end]).expect_err("it is cut");
    }
    let newer = [b"sargable.digest/2\n", &bytes[18..]].concat();
    let error = Digest::read(&mut newer.as_slice()).expect_err("another version").to_string();
    assert!(error.contains("version 2"), "{error}");
}

#[test]
fn the_program_saves_and_reads_digests() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = |args: &[&str]| {
        let ran = Command::new(env!("CARGO_BIN_EXE_sargable")).args(args).env_remove("DATABASE_URL").output();
        let ran = ran.expect("the program");
        let stdout: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap_or_default();
        (ran.status.code(), stdout, String::from_utf8_lossy(&ran.stderr).into_owned())
    };
    let path = folder.path().join("shop.digest");
    let name = path.to_str().expect("a plain path");
    let (code, direct, _) = run(&["logs", "fixtures/logs/shop.log", "--format", "json", "--save", name]);
    assert_eq!(code, Some(0));
    let (code, later, _) = run(&["logs", name, "--format", "json"]);
    assert_eq!(code, Some(0));
    assert_eq!(later["totals"], direct["totals"]);
    assert_eq!(later["inputs"][0]["entries"], direct["inputs"][0]["entries"]);
    assert_eq!(later["inputs"][0]["name"], format!("{name}:fixtures/logs/shop.log"));
    fs::write(&path, b"sargable.digest/1\nbroken").expect("a file");
    let (code, _, stderr) = run(&["logs", name]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("damaged"), "{stderr}");
}
