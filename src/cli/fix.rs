//! `check --fix` and `--diff`: edits are tried in memory, and the whole check judges what comes of them.
//!
//! An edit is withdrawn where its finding is still there afterwards, where another one came, or where a
//! statement parses no more. What touches another edit is tried in the next round, so that a second run finds
//! nothing more to do.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Outcome,
    analyze::{Done, Job, perform},
    args::CheckArgs,
    lint::Lint,
    output, tell,
};
use crate::{
    error::Error,
    finding::Finding,
    lint::fix::{self, Chosen},
    report::{Report, patch},
};

/// Rounds of edits, each upon the one before; and edits of one file that are tried one by one.
const ROUNDS: usize = 8;
const ONE_BY_ONE: usize = 32;

/// Texts by the names of their files.
type Texts = BTreeMap<String, String>;

/// What came of it. Nothing is written yet.
pub(super) struct Fixed {
    /// The check of the files as they would be.
    done: Result<Done, Error>,
    old: Texts,
    new: Texts,
    /// Findings that are gone, by rule.
    fixed: BTreeMap<String, u64>,
    withdrawn: u64,
}

/// What tells a finding from others when lines move.
type Key = (String, String, Option<String>, String);

fn key(finding: &Finding) -> Key {
    let file = finding.at.as_ref().map(|at| at.file.clone()).unwrap_or_default();
    (file, finding.rule.clone(), finding.query.clone(), finding.because.clone())
}

pub(super) fn run(args: &CheckArgs, job: &Job<'_>, lint: &Lint) -> Result<Fixed, Error> {
    let mut old = Texts::new();
    if let Some(name) = stdin(args) {
        if args.fix {
            return Err(Error::Usage {
                what: "standard input cannot be fixed in place".to_owned(),
                hint: Some("--diff shows what would change".to_owned()),
            });
        }
        let mut bytes = Vec::new();
        let read = io::stdin().read_to_end(&mut bytes);
        read.map_err(|source| Error::Read { path: PathBuf::from("standard input"), source })?;
        old.insert(name, String::from_utf8_lossy(&bytes).into_owned());
    }
    let mut new = old.clone();
    let (mut fixed, mut withdrawn) = (BTreeMap::new(), 0);
    let mut refused: BTreeSet<Key> = BTreeSet::new();
    let check = |texts: &Texts, whole: bool, again: bool| {
        let mut lint = Lint { texts: Arc::new(texts.clone()), again, ..lint.clone() };
        if whole {
            // Lines move, and what is left out could be what an edit makes worse.
            lint =
                Lint { changed: None, baseline: None, min_share: None, leaves: lint.leaves.clone(), ..lint };
        }
        perform(&Job { lint: Some(&lint), ..*job })
    };
    let mut done = check(&new, false, false);
    for _ in 0..ROUNDS {
        let Ok(now) = &done else { break };
        let open = now.report.findings.iter().filter(|finding| !refused.contains(&key(finding)));
        let Chosen { mut files, .. } = fix::choose(open);
        if files.is_empty() {
            break;
        }
        let mut texts = Texts::new();
        files.retain(|name, findings| {
            let text = new.get(name).cloned().or_else(|| text_of(name));
            let fits = text.filter(|text| fix::applied(text, findings.iter()).is_some());
            if let Some(text) = fits {
                texts.insert(name.clone(), text);
                return true;
            }
            // Compressed, not UTF-8, or written to in the meantime.
            withdrawn += findings.len() as u64;
            refused.extend(findings.iter().map(key));
            false
        });
        let before = check(&new, true, true)?;
        let trial = Trial { before: tally(&before.report), new: &new, texts: &texts, check: &check };
        let (kept, rest) = trial.judge(files)?;
        withdrawn += rest.len() as u64;
        refused.extend(rest.iter().map(key));
        for (name, findings) in kept {
            let Some(text) = texts.remove(&name) else { continue };
            for finding in &findings {
                *fixed.entry(finding.rule.clone()).or_default() += 1;
            }
            if let Some(edited) = fix::applied(&text, findings.iter()) {
                old.entry(name.clone()).or_insert(text);
                new.insert(name, edited);
            }
        }
        done = check(&new, false, true);
    }
    Ok(Fixed { done, old, new, fixed, withdrawn })
}

/// What standard input is called, where it is read.
fn stdin(args: &CheckArgs) -> Option<String> {
    let named = args.paths.iter().any(|path| path.as_os_str() == "-");
    (named || args.stdin_filepath.is_some()).then(|| match &args.stdin_filepath {
        Some(path) => path.strip_prefix(".").unwrap_or(path).display().to_string(),
        None => "-".to_owned(),
    })
}

const MARK: &[u8] = b"\xef\xbb\xbf";

/// A file as it is read: without its byte order mark.
fn text_of(name: &str) -> Option<String> {
    let mut bytes = fs::read(name).ok()?;
    if bytes.starts_with(MARK) {
        bytes.drain(..MARK.len());
    }
    String::from_utf8(bytes).ok()
}

/// Findings by file and rule, and what was not understood.
#[derive(Debug, Default)]
struct Tally {
    findings: BTreeMap<(String, String), usize>,
    not_parsed: u64,
    statements: u64,
}

fn tally(report: &Report) -> Tally {
    let mut tally = Tally::default();
    for finding in &report.findings {
        let file = finding.at.as_ref().map(|at| at.file.clone()).unwrap_or_default();
        *tally.findings.entry((file, finding.rule.clone())).or_default() += 1;
    }
    if let Some(checked) = &report.check {
        (tally.not_parsed, tally.statements) = (checked.not_parsed, checked.statements);
    }
    tally
}

/// Edits against the check.
struct Trial<'a> {
    before: Tally,
    /// Files that were edited before.
    new: &'a Texts,
    /// Those that are to be edited, as they are now.
    texts: &'a Texts,
    check: &'a dyn Fn(&Texts, bool, bool) -> Result<Done, Error>,
}

type ByFile = BTreeMap<String, Vec<Finding>>;

impl Trial<'_> {
    /// The edits that do what they should, and the findings whose edits do not.
    fn judge(&self, all: ByFile) -> Result<(ByFile, Vec<Finding>), Error> {
        let bad = self.worse(&all)?;
        if bad.is_empty() {
            return Ok((all, Vec::new()));
        }
        let (mut kept, mut withdrawn) = (ByFile::new(), Vec::new());
        let mut open = ByFile::new();
        for (name, findings) in all {
            if bad.contains(&name) {
                open.insert(name, findings)
            } else {
                kept.insert(name, findings)
            };
        }
        for turn in 0..ONE_BY_ONE {
            let mut one: ByFile = kept.clone();
            let mut tried = Vec::new();
            for (name, findings) in &open {
                if let Some(finding) = findings.get(turn) {
                    one.entry(name.clone()).or_default().push(finding.clone());
                    tried.push((name.clone(), finding.clone()));
                }
            }
            if tried.is_empty() {
                return Ok((kept, withdrawn));
            }
            let bad = self.worse(&one)?;
            for (name, finding) in tried {
                if bad.contains(&name) {
                    withdrawn.push(finding);
                } else {
                    kept.entry(name).or_default().push(finding);
                }
            }
        }
        withdrawn.extend(open.into_values().flat_map(|findings| findings.into_iter().skip(ONE_BY_ONE)));
        Ok((kept, withdrawn))
    }

    /// The files that these edits do not make better, or all where one of them harms another file.
    fn worse(&self, edits: &ByFile) -> Result<BTreeSet<String>, Error> {
        let mut texts = self.new.clone();
        let mut gone: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for (name, findings) in edits {
            let edited = self.texts.get(name).and_then(|text| fix::applied(text, findings.iter()));
            texts.extend(edited.map(|edited| (name.clone(), edited)));
            for finding in findings {
                *gone.entry((name, &finding.rule)).or_default() += 1;
            }
        }
        let after = tally(&(self.check)(&texts, true, true)?.report);
        let mut bad = BTreeSet::new();
        let none = 0;
        let names = after.findings.keys().chain(self.before.findings.keys());
        for (file, rule) in names {
            let place = (file.clone(), rule.clone());
            let had = *self.before.findings.get(&place).unwrap_or(&none);
            let has = *after.findings.get(&place).unwrap_or(&none);
            let takes = *gone.get(&(file.as_str(), rule.as_str())).unwrap_or(&none);
            if has > had.saturating_sub(takes) {
                bad.insert(file.clone());
            }
        }
        let elsewhere = bad.iter().any(|file| !edits.contains_key(file));
        let unread = after.not_parsed > self.before.not_parsed || after.statements != self.before.statements;
        if elsewhere || unread {
            bad.extend(edits.keys().cloned());
        }
        Ok(bad)
    }
}

impl Fixed {
    /// The files that change: name, text before and after.
    fn changes(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.old.iter().filter_map(|(name, old)| {
            let new = self.new.get(name).filter(|new| *new != old)?;
            Some((name.as_str(), old.as_str(), new.as_str()))
        })
    }

    /// Prints the diffs.
    pub(super) fn show(&self) -> Result<Outcome, Error> {
        let mut page = String::new();
        for (name, old, new) in self.changes() {
            page.push_str(&patch::render(name, old, new));
        }
        output::print(&page)?;
        self.told("can be fixed (--fix does it)");
        let outcome = if page.is_empty() { Outcome::Clean } else { Outcome::Findings };
        Ok(self.done.as_ref().map_or(outcome, |done| done.ended(outcome)))
    }

    /// Writes the files; gives the check of them.
    pub(super) fn write(self) -> Result<Done, Error> {
        for (name, _, new) in self.changes() {
            let path = Path::new(name);
            replace(path, new).map_err(|source| Error::Write { path: path.to_owned(), source })?;
        }
        self.told("fixed");
        self.done
    }

    fn told(&self, what: &str) {
        let count =
            |number: u64, one: &str, many: &str| format!("{number} {}", if number == 1 { one } else { many });
        let all: u64 = self.fixed.values().sum();
        let rules: Vec<String> = self.fixed.iter().map(|(rule, number)| format!("{rule} {number}")).collect();
        let rules = if rules.is_empty() { String::new() } else { format!(": {}", rules.join(", ")) };
        let files = count(self.changes().count() as u64, "file", "files");
        tell(&format!("{} in {files} {what}{rules}", count(all, "finding", "findings")));
        if self.withdrawn > 0 {
            let edits = count(self.withdrawn, "edit was", "edits were");
            tell(&format!(
                "{edits} withdrawn: the check of the edited file found something new, or the file is not plain UTF-8"
            ));
        }
        if let Ok(done) = &self.done {
            let left = done.report.findings.len() as u64;
            if left > 0 {
                tell(&format!("{} left for a person", count(left, "finding is", "findings are")));
            }
        }
    }
}

/// Writes a file at once or not at all, with the permissions that it has, and where a link leads.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let (folder, name) = (path.parent().unwrap_or(Path::new(".")), path.file_name().unwrap_or_default());
    let known = fs::metadata(&path)?;
    if known.permissions().readonly() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is read-only"));
    }
    let marked = {
        let mut first = Vec::new();
        fs::File::open(&path)?.take(MARK.len() as u64).read_to_end(&mut first)?;
        first == MARK
    };
    let new = folder.join(format!(".{}.sargable-{}", name.to_string_lossy(), std::process::id()));
    let write = || -> io::Result<()> {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&new)?;
        if marked {
            file.write_all(MARK)?;
        }
        file.write_all(text.as_bytes())?;
        file.set_permissions(known.permissions())?;
        file.sync_all()?;
        fs::rename(&new, &path)
    };
    write().inspect_err(|_| drop(fs::remove_file(&new)))
}
