//! Which rules hold in which file, with which severity and which numbers: `sargable.yaml` and the flags.
//!
//! In this order, the later counting more: the rule's own file, `check.sets`, `check.rules`, the
//! `check.overrides` whose paths match, and the flags.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use crate::{
    config::{Check, Config, Glob, SetName, Setting, Word},
    error::Error,
    rules::{Rule, Set},
    yaml,
};

/// What the command line says about rules.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    pub sets: Vec<SetName>,
    pub on: Vec<String>,
    pub off: Vec<String>,
}

/// What holds where.
#[derive(Clone, Debug)]
pub struct Policy {
    check: Check,
    folder: PathBuf,
    flags: Flags,
    known: Vec<Rule>,
}

/// Rules as they are applied to some files.
#[derive(Clone, Debug)]
pub struct Profile {
    pub rules: Vec<Rule>,
    /// `None`: everything that no other profile names, statements of logs included.
    pub files: Option<BTreeSet<String>>,
}

impl Policy {
    /// `known`: every rule that there is.
    ///
    /// Errors: a rule or a parameter that nobody knows, with its place in `sargable.yaml`.
    pub fn new(config: &Config, flags: Flags, known: &[Rule]) -> Result<Policy, Error> {
        let check = config.check.clone();
        judge(config, &["check", "rules"], &check.rules, known)?;
        for one in &check.overrides {
            judge(config, &["check", "overrides", "rules"], &one.rules, known)?;
        }
        let policy = Policy { check, folder: config.folder(), flags, known: known.to_vec() };
        for name in policy.flags.on.iter().chain(&policy.flags.off) {
            if find(name, known).is_none() {
                let nearest = yaml::nearest(name, known.iter().map(|rule| rule.name.as_str()));
                return Err(Error::Usage {
                    what: format!("there is no rule `{name}`"),
                    hint: Some(match nearest {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => "`sargable rules list` lists them".to_owned(),
                    }),
                });
            }
        }
        Ok(policy)
    }

    /// Every rule that there is, also those that are off.
    pub fn known(&self) -> &[Rule] {
        &self.known
    }

    /// One profile for the files that no override names, which comes first, and one for each combination
    /// of overrides.
    pub fn profiles<'a>(&self, files: impl Iterator<Item = &'a str>) -> Vec<Profile> {
        let mut special: BTreeMap<Vec<usize>, BTreeSet<String>> = BTreeMap::new();
        for file in files {
            let matching: Vec<usize> = (0..)
                .zip(&self.check.overrides)
                .filter(|(_, one)| self.matches(&one.paths, Path::new(file)))
                .map(|(at, _)| at)
                .collect();
            if !matching.is_empty() {
                special.entry(matching).or_default().insert(file.to_owned());
            }
        }
        let rest = Profile { rules: self.rules(&[]), files: None };
        let special = special
            .into_iter()
            .map(|(overrides, files)| Profile { rules: self.rules(&overrides), files: Some(files) });
        std::iter::once(rest).chain(special).collect()
    }

    /// Whether a file is not to be read; `found` in a folder, not named.
    pub fn leaves_out(&self, file: &Path) -> bool {
        self.matches(&self.check.exclude, file)
            || !self.check.paths.is_empty() && !self.matches(&self.check.paths, file)
    }

    fn matches(&self, globs: &[Glob], file: &Path) -> bool {
        globs.iter().any(|glob| glob.matches(file, &self.folder))
    }

    fn rules(&self, overrides: &[usize]) -> Vec<Rule> {
        let mut rules = Vec::new();
        for rule in &self.known {
            let mut rule = rule.clone();
            let mut on = match rule.set {
                Set::Default => true,
                Set::Pedantic => self.has(SetName::Pedantic),
                Set::Preview => self.has(SetName::Preview),
            };
            let layers = std::iter::once(&self.check.rules)
                .chain(overrides.iter().filter_map(|at| self.check.overrides.get(*at)).map(|one| &one.rules));
            for (name, setting) in layers.flatten() {
                if !is(&rule, &name.0) {
                    continue;
                }
                on = setting.on.unwrap_or(on);
                if let Some(severity) = setting.severity {
                    (rule.severity, rule.in_migrations) = (severity, None);
                }
                for (name, number) in &setting.params {
                    if let Some(param) = rule.params.get_mut(&name.0) {
                        param.default = *number;
                    }
                }
            }
            on |= self.flags.on.iter().any(|name| is(&rule, name));
            on &= !self.flags.off.iter().any(|name| is(&rule, name));
            if on {
                rules.push(rule);
            }
        }
        rules
    }

    fn has(&self, set: SetName) -> bool {
        self.check.sets.contains(&set) || self.flags.sets.contains(&set)
    }
}

fn is(rule: &Rule, name: &str) -> bool {
    rule.name == name || rule.code.to_string().eq_ignore_ascii_case(name)
}

fn find<'a>(name: &str, known: &'a [Rule]) -> Option<&'a Rule> {
    known.iter().find(|rule| is(rule, name))
}

fn judge(config: &Config, keys: &[&str], rules: &[(Word, Setting)], known: &[Rule]) -> Result<(), Error> {
    for (Word(name), setting) in rules {
        let keys: Vec<&str> = keys.iter().copied().chain([name.as_str()]).collect();
        let Some(rule) = find(name, known) else {
            let nearest = yaml::nearest(name, known.iter().map(|rule| rule.name.as_str()));
            let hint = match nearest {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`sargable rules list` lists the rules".to_owned(),
            };
            return Err(config.refuse(&keys, format!("there is no rule `{name}`"), Some(hint)));
        };
        for (Word(param), number) in &setting.params {
            let keys: Vec<&str> = keys.iter().copied().chain(["params", param.as_str()]).collect();
            if !rule.params.contains_key(param) {
                let names: Vec<&str> = rule.params.keys().map(String::as_str).collect();
                let hint = match names.as_slice() {
                    [] => format!("{} has no parameters", rule.name),
                    names => format!("{} has {}", rule.name, names.join(", ")),
                };
                let message = format!("{} has no parameter `{param}`", rule.name);
                return Err(config.refuse(&keys, message, Some(hint)));
            }
            if !number.is_finite() {
                return Err(config.refuse(&keys, format!("{param} is no number"), None));
            }
        }
    }
    Ok(())
}
