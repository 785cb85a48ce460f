//! The program as a user runs it: whole screens, stderr and exit codes.

use std::{
    ffi::OsStr,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use unicode_width::UnicodeWidthStr as _;

/// What one run gave.
pub(crate) struct Ran {
    code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A run in a folder of its own, with nothing of the environment but what the test sets.
pub(crate) struct Run {
    command: Command,
    folder: tempfile::TempDir,
    stdin: Vec<u8>,
}

pub(crate) fn sargable(args: &[&str]) -> Run {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sargable"));
    command
        .args(args)
        .env_clear()
        .env("HOME", folder.path())
        .env("COLUMNS", "100")
        .current_dir(folder.path());
    Run { command, folder, stdin: Vec::new() }
}

impl Run {
    pub(crate) fn env(mut self, name: &str, value: &str) -> Run {
        self.command.env(name, value);
        self
    }

    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Run {
        self.stdin = bytes.into();
        self
    }

    /// Started in a folder of the folder.
    pub(crate) fn within(mut self, folder: &str) -> Run {
        self.command.current_dir(self.folder.path().join(folder));
        self
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// A file in the folder of the run.
    pub(crate) fn file(self, name: &str, bytes: impl AsRef<[u8]>) -> Run {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("room");
        std::fs::write(path, bytes).expect("room");
        self
    }

    /// A file of the fixtures, in the folder of the run under its own name.
    pub(crate) fn fixture(self, path: &str) -> Run {
        let bytes = std::fs::read(fixture(path)).expect("a fixture");
        let name = Path::new(path).file_name().and_then(OsStr::to_str).expect("a name").to_owned();
        self.file(&name, bytes)
    }

    /// As [`Run::ends`]; the folder stays.
    #[track_caller]
    pub(crate) fn keep(mut self, code: i32) -> Ran {
        let empty = tempfile::tempdir().expect("a temporary folder");
        let _ = std::mem::replace(&mut self.folder, empty).keep();
        self.ends(code)
    }

    #[track_caller]
    pub(crate) fn ends(mut self, code: i32) -> Ran {
        let mut child = self
            .command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        // It may end without reading.
        let _ = child.stdin.take().expect("a pipe").write_all(&self.stdin);
        let out = child.wait_with_output().expect("the program ends");
        let inputs = fixture("").display().to_string();
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8").replace(&inputs, "@@INPUT@@/");
        let ran = Ran { code: out.status.code(), stdout: text(out.stdout), stderr: text(out.stderr) };
        assert_eq!(ran.code, Some(code), "stdout:\n{}\nstderr:\n{}", ran.stdout, ran.stderr);
        ran
    }
}

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(path)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(bytes).expect("memory");
    packed.finish().expect("memory")
}

fn log() -> Vec<u8> {
    std::fs::read(fixture("logs/shop.log")).expect("a fixture")
}

/// An error on stderr, and nothing on stdout.
#[track_caller]
fn refused(run: Run) -> String {
    let ran = run.ends(2);
    assert_eq!(ran.stdout, "");
    ran.stderr
}

#[test]
fn help_and_version() {
    let ran = sargable(&["--help"]).ends(0);
    insta::assert_snapshot!(ran.stdout);
    assert_eq!(ran.stderr, "");
    assert_eq!(sargable(&["analyze", "--help"]).ends(0).stderr, "");
    let version = sargable(&["--version"]).ends(0).stdout;
    assert_eq!(version, format!("sargable {}\n", env!("CARGO_PKG_VERSION")));
    // Without a word it shows its help, but nothing was done.
    assert!(refused(sargable(&[])).contains("Usage: sargable [OPTIONS] <COMMAND>"));
}

#[test]
fn a_wrong_command_line() {
    insta::assert_snapshot!(refused(sargable(&["logs", "--nope"])), @r"
    error: unexpected argument '--nope' found

      tip: a similar argument exists: '--top'

    Usage: sargable logs --top <N> [INPUT]...

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(refused(sargable(&["analyze"])), @r"
    error: nothing to read
      help: name logs, SQL files or folders; `-` is standard input
    ");
    insta::assert_snapshot!(refused(sargable(&["logs", "--log-line-prefix", "%p", "x.log"])), @r"
    error: log_line_prefix `%p` has no %m, %t or %n: events would have no time
      help: pass --log-line-prefix as `SHOW log_line_prefix` prints it
    ");
    insta::assert_snapshot!(refused(sargable(&["rules", "show", "no-such-rule"])), @r"
    error: there is no rule `no-such-rule`
      help: `sargable rules list` lists them
    ");
    insta::assert_snapshot!(refused(sargable(&["pool"])), @r"
    error: nothing to size a pool by
      help: pass --cores, a log, or --database-url
    ");
    insta::assert_snapshot!(refused(sargable(&["explain", "SELECT 1; SELECT 2"])), @r"
    error: SQL holds 2 statements
      help: explain takes exactly one; use analyze for more
    ");
    let wrong = refused(sargable(&["analyze", "x.log", "--statement-timeout", "fast"]));
    assert!(wrong.contains("`fast` is not a time such as 500ms, 5s or 2min"), "{wrong}");
}

#[test]
fn inputs_that_hold_nothing() {
    insta::assert_snapshot!(refused(sargable(&["analyze", "no/such.log"])), @r"
    error: cannot read no/such.log
      because: No such file or directory (os error 2)
    ");
    insta::assert_snapshot!(refused(sargable(&["analyze", "a.log"]).file("a.log", "")), @r"
    error: a.log is empty
      help: name a PostgreSQL log (stderr, csvlog or jsonlog, plain or compressed) or an SQL file
    ");
    insta::assert_snapshot!(refused(sargable(&["analyze", "a.log"]).file("a.log", "hello\n")), @r"
    error: a.log is neither a PostgreSQL log nor SQL
    tried: csvlog, jsonlog, and 27 common forms of log_line_prefix, plain or in syslog, journald, docker, cri, compose, gcp, azure, cloudnativepg, cloudwatch, json-lines, csv-table, timestamps
      line 1: hello
      line 2: 
      help: name a PostgreSQL log (stderr, csvlog or jsonlog, plain or compressed) or an SQL file; for a stderr log pass --log-line-prefix as `SHOW log_line_prefix` prints it; messages must be English (lc_messages = 'C')
    ");
    let quiet = "2026-11-23 06:48:14.231 UTC [21] LOG:  the moon is full\n";
    insta::assert_snapshot!(refused(sargable(&["analyze", "a.log"]).file("a.log", quiet)), @r"
    error: a.log: 1 entry, but no statement, duration or error among them
    tried: stderr with log_line_prefix `%m [%p] %q[user=%u,db=%d,app=%a,client=%h] `, inferred from the file
      line 1: 2026-11-23 06:48:14.231 UTC [21] LOG:  the moon is full
      line 2: 
      help: set log_min_duration_statement = 0 (or log_statement = 'all' with log_duration = on), and let the workload run
    ");
    let binary: Vec<u8> = (0..=255_u8).rev().cycle().take(4000).collect();
    insta::assert_snapshot!(refused(sargable(&["analyze", "a.bin"]).file("a.bin", binary)), @r"
    error: a.bin is binary: neither a log nor SQL
      help: name a PostgreSQL log (stderr, csvlog or jsonlog, plain or compressed) or an SQL file
    ");
    insta::assert_snapshot!(refused(sargable(&["logs", "german.log"]).fixture("logs/german.log")), @r"
    error: german.log: the log is not in English
    tried: stderr with log_line_prefix `%m [%p] %q[user=%u,db=%d,app=%a,client=%h] `, inferred from the file
      line 1: 2026-11-23 04:22:29.272 UTC [29710] FEHLER:  Syntaxfehler bei »SELEC« bei Zeichen 1
      line 2: 2026-11-23 04:22:29.272 UTC [29710] ANWEISUNG:  SELEC 1;
      line 3: 2026-11-23 04:22:29.300 UTC [29710] LOG:  Dauer: 3.626 ms  Anweisung: SELECT id, email
      help: set lc_messages = 'C' on the server, and let the workload run again
    ");
    insta::assert_snapshot!(refused(sargable(&["check", "."])), @r"
    error: neither a log nor SQL was found
      help: name a PostgreSQL log (stderr, csvlog or jsonlog, plain or compressed) or an SQL file
    ");
}

#[test]
fn a_wrong_prefix() {
    let run = sargable(&["logs", "--log-line-prefix", "%t [%p] ", "shop.log"]).fixture("logs/shop.log");
    insta::assert_snapshot!(refused(run), @r#"
    error: shop.log: no line was understood
    tried: stderr with log_line_prefix `%t [%p] `; log_line_prefix `%m [%p]: user=%u,db=%d,app=%a,client=%h ` would fit
      line 1: 2026-11-23 06:48:14.231 UTC [21686]: user=,db=,app=,client= LOG:  starting PostgreSQL 15.18 (Debian 15.18-0+deb12u1) on x86_64-pc-linux-gnu, compiled by gcc (Debian 12.2.0-14+deb12u1) 12.2.0, 64-bit
      line 2: 2026-11-23 06:48:14.231 UTC [21686]: user=,db=,app=,client= LOG:  listening on IPv4 address "127.0.0.1", port 5432
      line 3: 2026-11-23 06:48:14.231 UTC [21686]: user=,db=,app=,client= LOG:  listening on Unix socket "/run/postgresql/.s.PGSQL.5432"
      help: pass --log-line-prefix as `SHOW log_line_prefix` prints it; messages must be English (lc_messages = 'C')
    "#);
}

#[test]
fn a_log() {
    let ran = sargable(&["logs", "shop.log"]).fixture("logs/shop.log").ends(0);
    insta::assert_snapshot!(ran.stdout);
    assert_eq!(ran.stderr, "");
}

/// The same log in every wrapping gives the same figures.
#[test]
fn compressed_and_piped() {
    let figures = |run: Run| {
        let json: serde_json::Value = serde_json::from_str(&run.ends(0).stdout).expect("JSON");
        let mut queries = json["queries"].clone();
        for query in queries.as_array_mut().expect("a list") {
            query["sources"].take();
        }
        (json["totals"].clone(), queries)
    };
    let args = ["logs", "--format", "json", "in"];
    let plain = figures(sargable(&args).file("in", log()));
    assert_eq!(plain.0["executions"], 16);
    assert_eq!(figures(sargable(&args).file("in", gzip(&log()))), plain);
    let zstd = zstd::encode_all(&*log(), 3).expect("memory");
    assert_eq!(figures(sargable(&args).file("in", &zstd)), plain);
    for bytes in [log(), gzip(&log()), zstd] {
        assert_eq!(figures(sargable(&["logs", "--format", "json", "-"]).stdin(bytes)), plain);
    }
}

#[test]
fn a_truncated_gzip_gives_what_was_read() {
    let mut packed = gzip(&log());
    packed.truncate(packed.len() / 2);
    let ran = sargable(&["logs", "shop.log.gz"]).file("shop.log.gz", packed).ends(2);
    assert_eq!(ran.stderr, "error: shop.log.gz ends early: incomplete deflate stream\n");
    assert!(ran.stdout.contains("8 executions of 8 queries"), "{}", ran.stdout);
    assert!(ran.stdout.contains("  - shop.log.gz: ends early: incomplete deflate stream"), "{}", ran.stdout);
}

#[test]
fn one_of_several_inputs_is_missing() {
    let run = || sargable(&["analyze", "no.log", "shop.log"]).fixture("logs/shop.log");
    let ran = run().ends(2);
    assert_eq!(ran.stderr, "error: no.log cannot be read: No such file or directory (os error 2)\n");
    assert!(ran.stdout.contains("16 executions of 13 queries"), "{}", ran.stdout);
    let pool = sargable(&["pool", "no.log", "shop.log"]).fixture("logs/shop.log").ends(2);
    assert_eq!(pool.stderr, ran.stderr);
}

#[test]
fn a_folder_with_sql() {
    let run = || {
        sargable(&["check", "sql"])
            .file("sql/good.sql", std::fs::read(fixture("cli/sql/good.sql")).expect("a fixture"))
            .file("sql/sub/bad.sql", std::fs::read(fixture("cli/sql/sub/bad.sql")).expect("a fixture"))
            .file("sql/notes.txt", std::fs::read(fixture("cli/sql/notes.txt")).expect("a fixture"))
    };
    let ran = run().ends(1);
    insta::assert_snapshot!(ran.stdout);
    assert_eq!(ran.stderr, "");
    assert!(
        sargable(&["check", "good.sql"]).fixture("cli/sql/good.sql").ends(0).stdout.contains("no findings")
    );
}

/// `/proc/self/mem` opens and cannot be read, for root neither.
#[test]
#[cfg(target_os = "linux")]
fn an_unreadable_file_in_a_folder() {
    let run = sargable(&["check", "--fail-on", "never", "sql"])
        .file("sql/a.sql", "SELECT id FROM users WHERE id = 1");
    std::os::unix::fs::symlink("/proc/self/mem", run.folder.path().join("sql/b.sql")).expect("room");
    std::os::unix::fs::symlink("nowhere", run.folder.path().join("sql/c.sql")).expect("room");
    let ran = run.ends(2);
    assert_eq!(ran.stderr, "error: sql/b.sql cannot be read: Input/output error (os error 5)\n");
    assert!(
        ran.stdout.contains("not checked:\n  sql/b.sql: cannot be read: Input/output error (os error 5)\n"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("1 statement in 1 file\n"), "{}", ran.stdout);
}

#[test]
fn what_findings_mean_for_the_exit_code() {
    // A warning and a note.
    for (fail_on, code) in [("error", 0), ("warning", 1), ("note", 1), ("never", 0)] {
        for command in ["check", "analyze"] {
            let ran = sargable(&[command, "--fail-on", fail_on, "bad.sql"])
                .fixture("cli/sql/sub/bad.sql")
                .ends(code);
            let verdict = if command == "check" { "1 warning, 1 note; 2 statements" } else { "not judged\n" };
            assert!(ran.stdout.contains(verdict) && ran.stderr.is_empty(), "{}", ran.stderr);
        }
    }
    sargable(&["check", "--fail-on", "note", "good.sql"]).fixture("cli/sql/good.sql").ends(0);
    sargable(&["explain", "SELECT * FROM users"]).ends(0);
    sargable(&["explain", "--fail-on", "warning", "SELECT * FROM users"]).ends(1);
}

#[test]
fn json_keeps_to_its_schema() {
    let schema = std::fs::read_to_string("docs/report.schema.json").expect("the schema");
    let schema = serde_json::from_str(&schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let check = |name: &str, run: Run, code: i32| {
        let json: serde_json::Value = serde_json::from_str(&run.ends(code).stdout).expect("JSON");
        let wrong: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
        assert_eq!(wrong, [""; 0], "{name}");
        json
    };
    for command in ["analyze", "logs", "index", "pool"] {
        let run = sargable(&[command, "--format", "json", "shop.log"]).fixture("logs/shop.log");
        let json = check(command, run, 0);
        assert_eq!(json["totals"]["executions"], 16);
    }
    let json =
        check("check", sargable(&["check", "--format", "json", "bad.sql"]).fixture("cli/sql/sub/bad.sql"), 1);
    assert_eq!(json["findings"][0]["at"], serde_json::json!({"file": "bad.sql", "line": 2, "column": 1}));
    check("explain", sargable(&["explain", "--format", "json", "SELECT * FROM users"]), 0);
    let json = check("pool", sargable(&["pool", "--format", "json", "--cores", "4", "--spindles", "1"]), 0);
    assert_eq!(json["advice"][0]["sql"], "pool size 9");
}

#[test]
fn a_report_in_a_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let to = folder.path().join("report.txt");
    let to = to.to_str().expect("UTF-8");
    let ran = sargable(&["logs", "-o", to, "shop.log"]).fixture("logs/shop.log").ends(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
    let shown = sargable(&["logs", "shop.log"]).fixture("logs/shop.log").ends(0).stdout;
    assert_eq!(std::fs::read_to_string(to).expect("the report"), shown);
    let run = sargable(&["logs", "-o", "no/such/folder.txt", "shop.log"]).fixture("logs/shop.log");
    insta::assert_snapshot!(refused(run), @r"
    error: cannot write no/such/folder.txt
      because: No such file or directory (os error 2)
    ");
}

#[test]
fn colour_is_asked_for() {
    let page = |args: &[&str], variables: &[(&str, &str)]| {
        let all: Vec<&str> = ["check", "--fail-on", "never", "bad.sql"].iter().chain(args).copied().collect();
        let run = sargable(&all).fixture("cli/sql/sub/bad.sql");
        variables.iter().fold(run, |run, (name, value)| run.env(name, value)).ends(0).stdout
    };
    let coloured = |args: &[&str], variables: &[(&str, &str)]| page(args, variables).contains('\x1b');
    assert!(coloured(&["--color", "always"], &[]));
    assert!(coloured(&["--color", "always"], &[("NO_COLOR", "1")]), "a flag is nearer than the environment");
    assert!(coloured(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&[], &[]), "a pipe is no terminal");
    assert!(!coloured(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&[], &[("CLICOLOR_FORCE", "0")]));
    let codes = regex::Regex::new("\x1b\\[[0-9;]*m").expect("a fixed pattern");
    assert_eq!(codes.replace_all(&page(&["--color", "always"], &[]), ""), page(&[], &[]));
}

#[test]
fn pages_keep_to_the_width() {
    let screens: [&[&str]; 8] = [
        &["analyze", "shop.log", "bad.sql"],
        &["logs", "shop.log"],
        &["index", "shop.log"],
        &["pool", "shop.log", "--cores", "4"],
        &["check", "bad.sql", "--fail-on", "never"],
        &["explain", "SELECT * FROM users WHERE email = 'x'"],
        &["rules", "list"],
        &["rules", "show", "n-plus-one"],
    ];
    for width in [80, 200] {
        for args in screens {
            let run = sargable(args).fixture("logs/shop.log").fixture("cli/sql/sub/bad.sql");
            let page = run.env("COLUMNS", &width.to_string()).ends(0).stdout;
            assert!(!page.is_empty());
            for line in page.lines().filter(|line| line.width() > width) {
                // SQL to copy and links are never broken.
                let sql = line
                    .trim_start()
                    .split(' ')
                    .next()
                    .is_some_and(|word| word.len() > 3 && word.chars().all(|c| c.is_ascii_uppercase()));
                assert!(sql || line.split_whitespace().count() == 1, "{args:?} at {width}: {line}");
            }
        }
    }
}

/// `sargable … | head -1` ends quietly.
#[test]
fn a_reader_that_goes_away() {
    for args in [["rules", "show", "n-plus-one"], ["logs", "--format=json", "shop.log"]] {
        let mut run = sargable(&args).fixture("logs/shop.log");
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut child =
            run.command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped()).spawn().expect("a start");
        let mut stderr = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("UTF-8");
        let code = child.wait().expect("an end").code();
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn rules() {
    let ran = sargable(&["rules", "list"]).ends(0);
    let listed = ran.stdout.lines().filter(|line| line.starts_with("SG")).count();
    assert_eq!(listed, sargable::rules::BUILTIN.len());
    insta::assert_snapshot!(ran.stdout);
    insta::assert_snapshot!(sargable(&["rules", "show", "select-star"]).ends(0).stdout);
    let by_code = sargable(&["rules", "show", "SG004"]).ends(0).stdout;
    assert_eq!(by_code, sargable(&["rules", "show", "select-star"]).ends(0).stdout);
}

#[test]
fn a_pool_from_cores_alone() {
    let ran = sargable(&["pool", "--cores", "4", "--spindles", "1"]).ends(0);
    insta::assert_snapshot!(ran.stdout, @r"
    Connection pool

    pool size 9
      because  4 cores × 2 + 1 spindle = 9; no log with durations: how many sessions are busy at once is
               not known
      proof    unverified: nothing could cost or measure it
    ");
    assert_eq!(ran.stderr, "");
}

#[test]
fn explain_without_a_server() {
    let ran = sargable(&["explain", "SELECT * FROM users WHERE email = 'x'"]).ends(0);
    insta::assert_snapshot!(ran.stdout);
    assert_eq!(ran.stderr, "no plan: no server was named (--database-url)\n");
    let from_file =
        sargable(&["explain", "-f", "-"]).stdin("SELECT * FROM users WHERE email = 'x';\n").ends(0);
    assert_eq!(from_file.stdout, ran.stdout.replace("SQL:", "-:"));
    let nonsense = refused(sargable(&["explain", "SELEC 1"]));
    insta::assert_snapshot!(nonsense, @r"
    error: the statement is not understood: Expected: an SQL statement, found: SELEC at Line: 1, Column: 1
    ");
}

/// The log's part of the report is written all the same.
#[test]
fn a_server_that_cannot_be_reached() {
    for url in [
        "postgres://shop:s3cr3t@127.0.0.1:1/shop",
        "host=127.0.0.1 port=1 user=shop password=s3cr3t",
        "postgres://shop:s3cr3t/5@127.0.0.1:1/shop",
        "postgres://shop:s3cr3t?@127.0.0.1:1/shop",
        "postgres://shop:s3cr3t@127.0.0.1:s3cr3t/shop",
        "mysql://shop:s3cr3t@127.0.0.1/shop",
        "password='s3cr3t",
    ] {
        for args in [
            ["analyze", "shop.log"],
            ["index", "shop.log"],
            ["pool", "shop.log"],
            ["explain", "SELECT 1"],
            ["check", "bad.sql"],
        ] {
            for format in ["text", "json"] {
                let all = [&args[..], &["--format", format, "--database-url", url]].concat();
                let ran = sargable(&all).fixture("logs/shop.log").fixture("cli/sql/sub/bad.sql").ends(2);
                assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
                assert!(
                    !ran.stdout.is_empty() && !(ran.stdout + &ran.stderr).contains("s3cr3t"),
                    "{args:?} {url}"
                );
            }
        }
        // The URL in the wrong place, and in the environment.
        let wrong = sargable(&["analyze", url]).ends(2);
        assert!(!url.starts_with("postgres") || !(wrong.stdout + &wrong.stderr).contains("s3cr3t"));
        let ran =
            sargable(&["analyze", "shop.log"]).fixture("logs/shop.log").env("DATABASE_URL", url).ends(2);
        assert!(!(ran.stdout + &ran.stderr).contains("s3cr3t"));
        assert!(!sargable(&["analyze", "--help"]).env("DATABASE_URL", url).ends(0).stdout.contains("s3cr3t"));
    }
    let url = "postgres://shop:s3cr3t@127.0.0.1:1/shop";
    let ran = sargable(&["analyze", "shop.log", "--database-url", url]).fixture("logs/shop.log").ends(2);
    insta::assert_snapshot!(ran.stderr, @r"
    error: cannot connect to shop@127.0.0.1:1/shop: error connecting to server: Connection refused (os error 111)
      help: no server listens at 127.0.0.1 port 1: is it running?
    ");
    assert!(ran.stdout.contains("16 executions of 13 queries"), "{}", ran.stdout);
}
