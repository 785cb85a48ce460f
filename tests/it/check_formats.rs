//! The formats of `sargable check`, held to the schemas of those who read them.

use std::process::Command;

use serde_json::Value;

use crate::{
    check::{json, shop},
    cli::{Run, sargable},
};

#[track_caller]
fn valid(schema: &str, instance: &Value) {
    let text = std::fs::read_to_string(format!("fixtures/schemas/{schema}")).expect("a schema");
    let schema = jsonschema::validator_for(&json(&text)).expect("a JSON Schema");
    let wrong: Vec<String> =
        schema.iter_errors(instance).map(|error| format!("{}: {error}", error.instance_path)).collect();
    assert!(wrong.is_empty(), "{}\n{instance:#}", wrong.join("\n"));
}

#[track_caller]
fn refuses(schema: &str, instance: &Value) {
    let text = std::fs::read_to_string(format!("fixtures/schemas/{schema}")).expect("a schema");
    let schema = jsonschema::validator_for(&json(&text)).expect("a JSON Schema");
    assert!(!schema.is_valid(instance), "{instance:#}");
}

/// Names and texts that each format must write in its own way.
fn awkward(args: &[&str]) -> Run {
    let text = "-- sargable: allow(select-star) \"why\" & <so>\nSELECT * FROM a WHERE id = 1;\nSELECT 'ä', * FROM \"b,|%<&>]]>\" WHERE id = 1;\nSELECT id FROM t;\n";
    shop(args).file("sql/ä b,c.sql", text).file("sql/good.sql", "SELECT 1;\n")
}

#[test]
fn sarif() {
    let ran = awkward(&["check", "--format", "sarif"]).ends(1);
    let log = json(&ran.stdout);
    valid("sarif-2.1.0.json", &log);
    let mut broken = log.clone();
    broken["runs"][0]["results"][0]["level"] = Value::from("fatal");
    refuses("sarif-2.1.0.json", &broken);

    let results = log["runs"][0]["results"].as_array().expect("results");
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().expect("rules");
    for result in results {
        let index = result["ruleIndex"].as_u64().and_then(|at| usize::try_from(at).ok()).expect("an index");
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
    let suppressed: Vec<&Value> = results.iter().filter_map(|result| result.get("suppressions")).collect();
    assert_eq!(suppressed.len(), 1);
    assert_eq!(suppressed[0][0]["justification"], "\"why\" & <so>");
    let uris: Vec<&str> = results
        .iter()
        .filter_map(|result| result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str())
        .collect();
    assert!(uris.contains(&"sql/%C3%A4%20b%2Cc.sql"), "{uris:?}");
    let mut prints: Vec<&Value> = results
        .iter()
        .filter(|result| result.get("suppressions").is_none())
        .map(|result| &result["partialFingerprints"]["sargableFinding/v1"])
        .collect();
    let all = prints.len();
    prints.sort_by_key(std::string::ToString::to_string);
    prints.dedup();
    assert_eq!((prints.len(), all > 2), (all, true), "each is its own");
}

#[test]
fn sarif_with_a_baseline() {
    let baseline = r#"{"schema":"sargable.baseline/1","findings":[{"rule":"select-star","code":"SG004","query":"0000000000000000","object":"gone","count":1}]}"#;
    let ran =
        awkward(&["check", "--format", "sarif", "--baseline", "b.json"]).file("b.json", baseline).ends(1);
    let log = json(&ran.stdout);
    valid("sarif-2.1.0.json", &log);
    let results = log["runs"][0]["results"].as_array().expect("results");
    let states: Vec<&str> = results.iter().filter_map(|result| result["baselineState"].as_str()).collect();
    assert!(states.contains(&"new") && states.contains(&"absent"), "{states:?}");
}

#[test]
fn gitlab_and_reviewdog() {
    let issues = json(&awkward(&["check", "--format", "gitlab"]).ends(1).stdout);
    valid("gitlab-code-quality.json", &issues);
    assert!(issues.as_array().is_some_and(|issues| issues.len() > 2));
    let mut broken = issues;
    broken[0]["severity"] = Value::from("error");
    refuses("gitlab-code-quality.json", &broken);

    let diagnostics = json(&awkward(&["check", "--format", "rdjson"]).ends(1).stdout);
    valid("rdjson.json", &diagnostics);
    let star = diagnostics["diagnostics"]
        .as_array()
        .and_then(|list| {
            list.iter()
                .find(|one| one["location"]["path"] == "sql/ä b,c.sql" && one["code"]["value"] == "SG004")
        })
        .expect("the star behind the umlaut");
    // `SELECT 'ä', *`: the thirteenth character is the fourteenth byte.
    assert_eq!(star["location"]["range"]["start"], serde_json::json!({ "line": 3, "column": 14 }));
    let mut broken = diagnostics;
    broken["diagnostics"][0]["location"]["range"]["start"]["line"] = Value::from(0);
    refuses("rdjson.json", &broken);
}

/// By xmllint, which `.ci/setup xmllint` installs.
fn xmllint(text: &str) -> (bool, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report.xml");
    std::fs::write(&path, text).expect("room");
    let out = Command::new("xmllint")
        .args(["--noout", "--nonet", "--schema", "fixtures/schemas/junit-4.xsd"])
        .arg(&path)
        .output()
        .expect("xmllint starts (install it with .ci/setup xmllint)");
    (out.status.success(), String::from_utf8_lossy(&out.stderr).into_owned())
}

#[test]
fn junit() {
    let report = awkward(&["check", "--format", "junit"]).ends(1).stdout;
    let (valid, said) = xmllint(&report);
    assert!(valid, "{said}\n{report}");
    assert!(!xmllint(&report.replacen("<testcase ", "<test ", 1)).0, "the validator sees what is broken");
    assert!(
        report.contains(r#"<testsuite id="0" name="sql/good.sql""#),
        "a file without findings is there\n{report}"
    );
    assert!(report.contains("no errors and warnings"));
}

#[test]
fn github() {
    let many: String = (0..14).map(|n| format!("SELECT * FROM t{n} WHERE id = 1;\n")).collect();
    let run = awkward(&["check", "--format", "github"])
        .file("sql/many.sql", many)
        .env("GITHUB_STEP_SUMMARY", "summary.md");
    let folder = run.folder();
    let ran = run.keep(1);
    let commands = |level: &str| ran.stdout.lines().filter(|line| line.starts_with(level)).count();
    assert_eq!(commands("::warning "), 10, "{}", ran.stdout);
    assert!(ran.stdout.contains("only in the step summary)"), "{}", ran.stdout);
    let summary = std::fs::read_to_string(folder.join("summary.md")).expect("a summary");
    assert!(summary.contains("| warning | [sql/many.sql:14](sql/many.sql#L14)"), "{summary}");
    std::fs::remove_dir_all(folder).expect("the folder of the test");

    let ran = awkward(&["check", "sql/ä b,c.sql", "--format", "github"]).ends(1).stdout;
    let line = ran.lines().find(|line| line.starts_with("::warning ")).expect("a warning");
    assert!(
        line.starts_with(
            "::warning file=sql/ä b%2Cc.sql,line=3,col=13,endLine=3,endColumn=13,title=SG004 select-star::"
        ),
        "{line}"
    );
    assert!(line.contains("b,|%25<&>]]>") && line.contains("%0AInstead: "), "{line}");
}

#[test]
fn markdown() {
    let ran = awkward(&["check", "--format", "markdown"])
        .env("GITHUB_SERVER_URL", "https://github.com")
        .env("GITHUB_REPOSITORY", "shop/app")
        .env("GITHUB_SHA", "abc")
        .ends(1)
        .stdout;
    assert!(ran.contains("](https://github.com/shop/app/blob/abc/sql/%C3%A4%20b%2Cc.sql#L3)"), "{ran}");
    assert!(ran.contains("b,\\|%&lt;&amp;&gt;\\]\\]&gt;"), "a name cannot break the table\n{ran}");
    assert!(ran.starts_with("### sargable: "), "{ran}");
}

#[test]
fn jsonl() {
    let ran = awkward(&["check", "--format", "jsonl"]).ends(1).stdout;
    let lines: Vec<Value> = ran.lines().map(json).collect();
    let (last, findings) = lines.split_last().expect("a summary");
    assert!(findings.iter().all(|line| line["type"] == "finding" && line["place"].is_string()));
    assert_eq!(
        (&last["type"], last["findings"].as_u64()),
        (&Value::from("summary"), Some(findings.len() as u64))
    );
    assert_eq!(last["suppressed"], 1);
}

/// CI shows the repository's paths, wherever the check was started.
#[test]
fn paths_are_those_of_the_repository() {
    let run = sargable(&["check", "--format", "gitlab", "../other/../app/sql"])
        .file(".git/HEAD", "")
        .file("app/sql/a.sql", "SELECT * FROM t WHERE id = 1;\n")
        .file("other/x", "")
        .within("app");
    assert_eq!(json(&run.ends(1).stdout)[0]["location"]["path"], "app/sql/a.sql");
}
