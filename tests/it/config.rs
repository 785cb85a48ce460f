//! `sargable.yaml`: where it is found, what it refuses, and that its page and its schema keep their word.

use std::{fs, path::Path, process::Command};

use sargable::{
    config::{Config, Fact, Placeholders},
    error::Error,
    sources::Readers,
};
use serde_json::Value;

use crate::{
    applog_configured::fixture,
    applog_formats::{matching, values},
};

fn parse(text: &str) -> Result<Config, Error> {
    Config::parse(Path::new("shop/sargable.yaml"), text.to_owned())
}

/// What is said of a text: place and message, then the help.
#[track_caller]
fn refused(text: &str) -> (String, String) {
    let error = parse(text).and_then(|config| Readers::of(&config).map(|_| ())).expect_err(text);
    (error.to_string(), error.hint().unwrap_or_default())
}

/// The examples of the page.
fn examples() -> Vec<String> {
    let page = fs::read_to_string("docs/config.md").expect("the page");
    let blocks = page.split("```yaml\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap_or("").to_owned()).collect()
}

/// The example that defines a reader.
pub(crate) fn example(reader: &str) -> String {
    let found = examples().into_iter().find(|text| text.contains(&format!("    {reader}:\n")));
    found.unwrap_or_else(|| panic!("docs/config.md has no example `{reader}`"))
}

#[test]
fn errors_name_the_place_and_what_was_meant() {
    for (text, message, help) in [
        ("log: {}\n", "shop/sargable.yaml:1:1: unknown field `log`", "did you mean `logs`?"),
        (
            "logs:\n  reader: {}\n",
            "shop/sargable.yaml:2:3: logs: unknown field `reader`",
            "did you mean `readers`?",
        ),
        (
            "logs:\n  readers:\n    a:\n      json-line: {}\n",
            "shop/sargable.yaml:4:7: logs.readers.a: unknown field `json-line`",
            "did you mean `json-lines`?",
        ),
        (
            "logs:\n  readers:\n    a:\n      json-lines:\n        fields:\n          statement: sql\n          duration-ms: x\n",
            "shop/sargable.yaml:7:11: logs.readers.a.json-lines.fields: unknown field `duration-ms`",
            "did you mean `duration_ms`?",
        ),
        (
            "logs:\n  readers:\n    a:\n      regex:\n        pattern: '(?<statment>.*)'\n",
            "shop/sargable.yaml:5:18: logs.readers.a.regex.pattern: unknown group `statment`",
            "did you mean `statement`?",
        ),
        (
            "logs:\n  readers:\n    a:\n      placeholders: ':id'\n      regex:\n        pattern: '(?<statement>.*)'\n",
            "shop/sargable.yaml:4:21: logs.readers.a.placeholders: unknown placeholder `:id`",
            "docs/config.md has every key",
        ),
    ] {
        let (said, helped) = refused(text);
        assert!(said.starts_with(message), "{said}\nnot\n{message}");
        assert!(helped.starts_with(help), "{helped}\nnot\n{help}");
    }
}

#[test]
fn what_cannot_be_is_refused_where_it_stands() {
    let reader = |inner: &str| format!("logs:\n  readers:\n    a:\n      {inner}\n");
    for (text, place, words) in [
        (reader("regex: {pattern: '(?<statement>.*'}"), ":4:24:", "no regular expression: unclosed group"),
        (reader("regex: {pattern: '.*'}"), ":4:24:", "no group `statement`"),
        (reader("regex: {where: x}"), ":4:14:", "missing field `pattern`"),
        (reader("regex: {pattern: '(?<statement>.*)', starts-with: '['}"), ":4:", "no regular expression"),
        (reader("json-lines: {fields: {rows: n}}"), ":4:", "no `statement`"),
        (reader("json-lines: {fields: {statement: a..b}}"), ":4:40:", "empty key"),
        (reader("json-lines: {where: {a: [[1]]}, fields: {statement: a}}"), ":4:", "invalid type: sequence"),
        (reader("json-lines: {where: {a: []}, fields: {statement: a}}"), ":4:", "the list is empty"),
        (reader("json-lines: {fields: {statement: a, statement: b}}"), ":4:", "`statement` comes twice"),
        (reader("files: ['[']"), ":4:15:", "`[` has no `]`"),
        (reader("files: ['*.log']"), ":4:7:", "neither `json-lines` nor `regex`"),
        (
            reader("regex: {pattern: '(?<statement>.*)'}\n      json-lines: {fields: {statement: a}}"),
            ":4:7:",
            "both `json-lines` and `regex`",
        ),
        ("logs:\n  readers:\n    a b: {}\n".to_owned(), ":3:5:", "no name of a reader"),
        (
            "logs:\n  readers:\n    a: {json-lines: {fields: {statement: q}}}\n    a: {json-lines: {fields: {statement: q}}}\n".to_owned(),
            ":4:5:",
            "`a` comes twice",
        ),
        (
            "logs:\n  readers:\n    rails: {json-lines: {fields: {statement: q}}}\n".to_owned(),
            ":3:5:",
            "`rails` is the name of a built-in format",
        ),
        ("logs: 5\n".to_owned(), ":1:7:", "expected keys with their values"),
        ("logs: {\n".to_owned(), ":", "did not find expected"),
        ("- logs\n".to_owned(), ":1:1:", "expected keys with their values"),
    ] {
        let (said, helped) = refused(&text);
        assert!(said.starts_with(&format!("shop/sargable.yaml{place}")), "{said}\nat {place} of\n{text}");
        assert!(said.contains(words), "{said}\nwithout\n{words}");
        assert!(!said.contains("struct "), "{said}");
        assert!(!helped.is_empty(), "{said}");
    }
}

#[test]
fn a_file_may_say_nothing() {
    for text in ["", "# later\n\n", "{}", "logs: {}", "logs: {readers: {}}", "\u{feff}logs: {}\n"] {
        assert!(parse(text).expect(text).logs.readers.is_empty());
    }
}

#[test]
fn the_file_of_the_repository_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let deep = folder.path().join("repo/a/b");
    fs::create_dir_all(&deep).expect("room");
    let config = "logs: {readers: {ours: {json-lines: {fields: {statement: q}}}}}";
    let names = |at: &Path| -> usize { Config::find(at).expect("a configuration").logs.readers.len() };
    fs::write(folder.path().join("sargable.yaml"), config).expect("room");
    assert_eq!(names(folder.path()), 1);
    // Without a repository only the folder itself counts.
    assert_eq!(names(&deep), 0);
    fs::create_dir(folder.path().join("repo/.git")).expect("room");
    // What lies above the repository is none of its business.
    assert_eq!(names(&deep), 0);
    fs::write(folder.path().join("repo/sargable.yaml"), config).expect("room");
    assert_eq!(names(&deep), 1);
    assert_eq!(names(&folder.path().join("repo")), 1);
    // The nearest one alone.
    fs::write(folder.path().join("repo/a/sargable.yaml"), "{}").expect("room");
    assert_eq!(names(&deep), 0);
}

#[test]
fn the_first_example_of_the_page() {
    let (seen, gathered) = fixture("structlog.jsonl", &example("shop-sql"));
    let summary = &gathered.inputs[0];
    assert_eq!((summary.format.as_str(), summary.entries, summary.skipped), ("shop-sql", 42, 0));
    let customers = matching(&seen, "customers WHERE id = $1");
    assert_eq!(customers.len(), 32);
    assert_eq!(customers[0].binds, values(&["2"]));
    assert_eq!(customers[0].duration, Some(486));
    assert_eq!(customers[0].end, Some(1_795_437_208_395_717));
    assert_eq!(customers[0].caller.as_deref(), Some("shop/orders.py:46"));
    assert_eq!(seen.iter().filter(|one| one.failed).count(), 1);
}

#[test]
fn the_second_example_of_the_page() {
    let (seen, gathered) = fixture("worker.log", &example("worker"));
    let summary = &gathered.inputs[0];
    assert_eq!((summary.format.as_str(), summary.entries, summary.skipped), ("worker", 21, 0));
    let orders = matching(&seen, "FROM orders");
    assert_eq!(orders.len(), 3);
    assert!(orders[1].sql.contains('\n') && orders[1].sql.contains("id > $1"), "{}", orders[1].sql);
    assert_eq!(orders[1].binds, values(&["6"]));
    assert_eq!(orders[0].duration, Some(21_279));
    let units: std::collections::BTreeSet<_> = seen.iter().map(|one| one.unit).collect();
    assert_eq!(units.len(), 3);
}

fn schema() -> Value {
    let text = fs::read_to_string("docs/sargable.schema.json").expect("the schema");
    serde_json::from_str(&text).expect("the schema is JSON")
}

/// What the schema refuses, the program refuses, and the other way round.
#[test]
fn schema_and_program_agree() {
    let validator = jsonschema::draft202012::new(&schema()).expect("a JSON Schema");
    let reader = |inner: &str| format!("logs: {{readers: {{a: {{{inner}}}}}}}");
    let mut texts: Vec<(String, bool)> = examples().into_iter().map(|text| (text, true)).collect();
    assert_eq!(texts.len(), 3);
    for (check, taken) in [
        ("{fail-on: never, exclude: ['a/**'], sets: [preview]}", true),
        ("{rules: {a: off, b: {severity: error, params: {x: 1.5}}}}", true),
        ("{overrides: [{paths: [a], rules: {SG001: note}}]}", true),
        ("{fail-on: fatal}", false),
        ("{sets: [all]}", false),
        ("{rules: {a: of}}", false),
        ("{rules: {a: {param: {x: 1}}}}", false),
        ("{rules: {a: {params: {x: many}}}}", false),
        ("{overrides: [{paths: [a]}]}", false),
        ("{exclude: ['']}", false),
    ] {
        texts.push((format!("check: {check}"), taken));
    }
    for (_, fact) in Fact::ALL {
        texts.push((
            reader(&format!("json-lines: {{fields: {{statement: q, {fact}: x}}}}")),
            *fact != Fact::Statement,
        ));
    }
    for (placeholders, _) in Placeholders::ALL {
        texts.push((
            reader(&format!("placeholders: '{placeholders}', json-lines: {{fields: {{statement: q}}}}")),
            true,
        ));
    }
    for (inner, good) in [
        ("json-lines: {where: {a: 1, b.c: [x, true, null]}, fields: {statement: q}}", true),
        ("files: ['*.log'], regex: {pattern: '(?<statement>.*)', where: a, starts-with: b}", true),
        ("regex: {pattern: '(?P<statement>.*)'}", true),
        ("regex: {pattern: '.*'}", false),
        ("regex: {where: x}", false),
        ("regex: {pattern: '(?<statement>.*)', what: x}", false),
        ("json-lines: {fields: {rows: n}}", false),
        ("json-lines: {fields: {statement: q, host: h}}", false),
        ("json-lines: {fields: {statement: a..b}}", false),
        ("json-lines: {where: {a: []}, fields: {statement: q}}", false),
        ("json-lines: {where: {a: {b: 1}}, fields: {statement: q}}", false),
        ("json-lines: {}", false),
        ("placeholders: '#', json-lines: {fields: {statement: q}}", false),
        ("files: '*.log', json-lines: {fields: {statement: q}}", false),
        ("files: [''], json-lines: {fields: {statement: q}}", false),
        ("json-lines: {fields: {statement: q}}, regex: {pattern: '(?<statement>.*)'}", false),
        ("files: []", false),
    ] {
        texts.push((reader(inner), good));
    }
    texts.push(("log: {}".to_owned(), false));
    texts.push(("logs: {reader: {}}".to_owned(), false));
    texts.push(("logs: {readers: {a b: {json-lines: {fields: {statement: q}}}}}".to_owned(), false));
    for (text, good) in texts {
        assert_eq!(parse(&text).is_ok(), good, "{text}\n{:?}", parse(&text).err());
        // What YAML says twice is no JSON.
        if let Ok(value) = serde_yaml::from_str::<Value>(&text) {
            let twice = text.matches("statement: ").count() > 1;
            assert!(validator.is_valid(&value) == good || twice, "{text}");
        }
    }
}

/// Every key that the program knows, found in what it says of one that it does not know.
#[test]
fn the_schema_has_every_key_of_the_program() {
    let schema = schema();
    for (text, pointer) in [
        ("{zzzzzzzz: 1}", "/properties"),
        ("logs: {zzzzzzzz: 1}", "/properties/logs/properties"),
        ("logs: {readers: {a: {zzzzzzzz: 1}}}", "/$defs/reader/properties"),
        ("logs: {readers: {a: {json-lines: {zzzzzzzz: 1}}}}", "/$defs/json-lines/properties"),
        (
            "logs: {readers: {a: {json-lines: {fields: {zzzzzzzz: 1}}}}}",
            "/$defs/json-lines/properties/fields/properties",
        ),
        ("logs: {readers: {a: {regex: {zzzzzzzz: 1}}}}", "/$defs/regex/properties"),
    ] {
        let (said, _) = refused(text);
        let mut known: Vec<&str> = said.split('`').skip(3).step_by(2).collect();
        let listed = schema.pointer(pointer).and_then(Value::as_object).expect(pointer);
        let mut listed: Vec<&str> = listed.keys().map(String::as_str).collect();
        known.sort_unstable();
        listed.sort_unstable();
        assert!(!known.is_empty(), "{said}");
        assert_eq!(known, listed, "{pointer}");
    }
}

/// Every name of a fact stands in the page.
#[test]
fn the_page_has_every_name() {
    let page = fs::read_to_string("docs/config.md").expect("the page");
    for (name, _) in Fact::ALL {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn on_the_command_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("room");
    write("app.log", "{\"q\":\"select 1\",\"k\":\"sql\"}\n");
    write("good.yaml", "logs: {readers: {ours: {json-lines: {fields: {statement: q}}}}}\n");
    write("sargable.yaml", "logs:\n  reader: {}\n");
    let run = |args: &[&str]| {
        let out = Command::new(env!("CARGO_BIN_EXE_sargable"))
            .args(args)
            .env_clear()
            .current_dir(folder.path())
            .output()
            .expect("the program runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        (out.status.code(), text(out.stdout), text(out.stderr))
    };
    let (code, _, stderr) = run(&["logs", "app.log"]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("sargable.yaml:2:3") && stderr.contains("did you mean `readers`?"), "{stderr}");
    let (code, stdout, _) = run(&["logs", "app.log", "--config", "good.yaml"]);
    assert_eq!(code, Some(0));
    assert!(stdout.contains("app.log (ours, "), "{stdout}");
    write(
        "sub.yaml",
        "logs: {readers: {ours: {files: ['./logs/*'], json-lines: {fields: {statement: q}}}}}\n",
    );
    fs::create_dir(folder.path().join("logs")).expect("room");
    write("logs/web.log", "{\"hello\":1}\n");
    let (code, _, stderr) = run(&["logs", "logs/web.log", "--config", "sub.yaml"]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("no statement was found") && stderr.contains("`ours`"), "{stderr}");
    let (code, _, stderr) = run(&["logs", "--config", "good.yaml", "--input-format", "our", "app.log"]);
    assert_eq!(code, Some(2));
    assert!(
        stderr.contains("`our` is no input format") && stderr.contains("did you mean `ours`?"),
        "{stderr}"
    );
    let (code, _, stderr) = run(&["--no-config", "logs", "app.log"]);
    assert_eq!(code, Some(2), "no format reads it: {stderr}");
    let (code, _, stderr) = run(&["logs", "app.log", "--config", "none.yaml"]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("cannot read none.yaml"), "{stderr}");
    // What reads no configuration is not kept from its work by one.
    assert_eq!(run(&["rules", "list"]).0, Some(0));
}
