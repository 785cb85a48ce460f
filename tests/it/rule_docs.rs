//! The rules' documentation is generated or held to the code: pages, index, schema and the reference.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use sargable::{
    examples::{self, Bench},
    report::rules::markdown,
    rules::{self, Rule, matching::Placeholder},
};
use serde_json::Value;

const PAGE: &str = "docs/rule-format.md";
const SCHEMA: &str = "docs/rule.schema.json";

/// Set to write what is generated in place of comparing it.
const UPDATE: &str = "UPDATE_DOCS";

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// File → text of what is generated.
fn generated() -> BTreeMap<String, String> {
    let all: Vec<&Rule> = rules::BUILTIN.iter().collect();
    let pages = all.iter().map(|rule| (format!("docs/rules/{}.md", rule.name), markdown::page(rule)));
    pages
        .chain([
            ("docs/rules/README.md".to_owned(), markdown::index(&all)),
            (SCHEMA.to_owned(), rules::schema_text()),
        ])
        .collect()
}

#[test]
fn generated_files_are_fresh() {
    let wanted = generated();
    let listed = fs::read_dir("docs/rules").into_iter().flatten();
    let on_disk: Vec<String> = listed
        .map(|entry| format!("docs/rules/{}", entry.expect("an entry").file_name().to_string_lossy()))
        .collect();
    let superfluous: Vec<&String> = on_disk.iter().filter(|path| !wanted.contains_key(*path)).collect();
    if std::env::var_os(UPDATE).is_some() {
        fs::create_dir_all("docs/rules").expect("a folder");
        for path in superfluous {
            fs::remove_file(path).expect("a file that is ours");
        }
        for (path, text) in &wanted {
            fs::write(path, text).expect("room");
        }
        return;
    }
    let stale: Vec<&String> = wanted
        .iter()
        .filter(|(path, text)| fs::read_to_string(path).ok().as_ref() != Some(*text))
        .map(|(path, _)| path)
        .chain(superfluous)
        .collect();
    assert!(
        stale.is_empty(),
        "{stale:#?}\nare not what the code makes: {UPDATE}=1 cargo test --test it rule_docs::generated"
    );
}

fn validator() -> jsonschema::Validator {
    jsonschema::draft202012::new(&serde_json::from_str(&rules::schema_text()).expect("JSON"))
        .expect("a schema")
}

fn as_json(text: &str) -> Value {
    serde_yaml::from_str(text).expect("YAML")
}

#[test]
fn every_rule_satisfies_the_schema() {
    let schema = validator();
    let mut wrong = Vec::new();
    for (path, text) in rules::FILES {
        let errors = schema
            .iter_errors(&as_json(text))
            .map(|error| format!("{path}: {}: {error}", error.instance_path))
            .collect::<Vec<_>>();
        wrong.extend(errors);
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// What the loader refuses for its keys and words, the schema refuses as well, so that an editor shows it.
#[test]
fn the_schema_refuses_what_the_loader_refuses() {
    let (path, good) =
        rules::FILES.iter().find(|(path, _)| path.contains("delete-without-where")).expect("a rule");
    let schema = validator();
    assert!(schema.is_valid(&as_json(good)));
    for (from, to) in [
        ("statement: delete", "statment: delete"),
        ("statement: delete", "statement: remove"),
        ("lacks: where", "lacks: [where, wher]"),
        ("at-most: 1", "atmost: 1"),
        ("tables: { at-most: 1 }", "tables: few"),
        ("severity: warning", "severity: warn"),
        ("code: SG231", "code: sg231"),
        ("needs: [syntax]", "needs: [sytax]"),
        ("title: ", "titel: "),
        ("category: write", "category: writes"),
        ("    unit: rows", "    units: rows"),
        ("    - sql: TRUNCATE import_rows", "    - sql: TRUNCATE import_rows\n      schemas: x"),
    ] {
        assert!(good.contains(from), "{from}");
        let broken = good.replacen(from, to, 1);
        assert!(rules::load(path, &broken).is_err(), "the loader takes {to}");
        assert!(!schema.is_valid(&as_json(&broken)), "the schema takes {to}");
    }
}

/// Every key and every word of the schema, by where it is.
fn vocabulary(value: &Value, keys: &mut BTreeSet<String>, words: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::Object(properties)) = map.get("properties") {
                keys.extend(properties.keys().cloned());
            }
            let listed =
                map.get("enum").and_then(Value::as_array).into_iter().flatten().chain(map.get("const"));
            words.extend(listed.filter_map(Value::as_str).map(str::to_owned));
            map.values().for_each(|value| vocabulary(value, keys, words));
        }
        Value::Array(list) => list.iter().for_each(|value| vocabulary(value, keys, words)),
        _ => {}
    }
}

#[test]
fn every_key_and_word_is_described() {
    let page = read(PAGE);
    let (mut keys, mut words) = (BTreeSet::new(), BTreeSet::new());
    vocabulary(&serde_json::from_str(&rules::schema_text()).expect("JSON"), &mut keys, &mut words);
    assert!(keys.len() > 90 && words.len() > 150, "{} keys, {} words", keys.len(), words.len());
    // Plan nodes are EXPLAIN's words, not ours.
    let known = |word: &String| rules::matching::NODE_TYPES.contains(&word.as_str());
    let missing: Vec<&String> = keys
        .iter()
        .chain(&words)
        .filter(|word| !known(word) && !page.contains(&format!("`{word}`")))
        .collect();
    assert!(missing.is_empty(), "{PAGE} says nothing of {missing:?}");
    let missing: Vec<&str> = Placeholder::ALL
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| !page.contains(&format!("{{{name}}}")))
        .collect();
    assert!(missing.is_empty(), "{PAGE} says nothing of the placeholders {missing:?}");
}

/// The text of each code block of a language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let open = format!("```{language}\n");
    page.split(&open).skip(1).filter_map(|rest| rest.split("\n```").next()).collect()
}

/// The rule that the page shows is a rule, and its examples hold.
#[test]
fn the_worked_example_works() {
    let page = read(PAGE);
    let shown: Vec<&str> =
        blocks(&page, "yaml").into_iter().filter(|text| text.contains("\ncode: ")).collect();
    assert_eq!(shown.len(), 1);
    for text in shown {
        let name = text.lines().find_map(|line| line.strip_prefix("name: ")).expect("a name");
        assert!(page.contains(&format!("`.sargable/rules/{name}.yaml`")));
        let rule = rules::load(&format!("{name}.yaml"), text).unwrap_or_else(|error| panic!("{error}"));
        assert!(validator().is_valid(&as_json(text)));
        let bench = Bench { known: &rules::BUILTIN, plan: &|name| Err(format!("no plan {name}")) };
        let wrong = examples::complaints(&rule, |example| {
            examples::run(std::slice::from_ref(&rule), example, &bench).map(|report| report.findings)
        });
        assert_eq!(wrong, []);
        assert_eq!(examples::without_edge(&rule, &bench), Vec::<String>::new());
    }
}

/// Links of the pages lead somewhere.
#[test]
fn links_lead_to_files() {
    let link = regex::Regex::new(r"\]\(([^)#:]+)(?:#[^)]*)?\)").expect("a fixed pattern");
    let mut dead = Vec::new();
    for (path, text) in generated().into_iter().chain([(PAGE.to_owned(), read(PAGE))]) {
        let folder = Path::new(&path).parent().expect("a folder");
        if path != SCHEMA {
            let targets = link.captures_iter(&text).map(|found| found[1].to_owned());
            dead.extend(targets.filter(|to| !folder.join(to).exists()).map(|to| format!("{path}: {to}")));
        }
    }
    assert_eq!(dead, Vec::<String>::new());
}
