//! Patterns of paths, as `.gitignore` has them: `*.log`, `var/log/*.log`, `logs/**/shop-?.jsonl`.

use std::{
    path::{Component, Path, PathBuf},
    str::FromStr,
};

use regex::Regex;
use serde::{Deserialize, Deserializer};

use crate::yaml;

/// `*` and `?` stand for anything within one name, `**` for any number of folders, `[a-z]` for one of these.
/// A pattern without a slash is about the file's name, wherever it lies; any other is about the path from
/// the folder of `sargable.yaml`, or the whole path where it begins with a slash.
#[derive(Clone, Debug)]
pub struct Glob {
    regex: Regex,
    about: About,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Name,
    Below,
    Whole,
}

impl Glob {
    /// `base`: the folder that the pattern begins in.
    pub fn matches(&self, path: &Path, base: &Path) -> bool {
        let path = plain(path);
        let subject = match self.about {
            About::Name => path.file_name().map(Path::new),
            About::Below => path.strip_prefix(plain(base)).ok(),
            About::Whole => Some(path.as_path()),
        };
        subject.is_some_and(|subject| self.regex.is_match(&subject.to_string_lossy()))
    }
}

/// From the root, without `.` and `..`; links stay as they are.
fn plain(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

impl FromStr for Glob {
    type Err = String;

    fn from_str(text: &str) -> Result<Glob, String> {
        let refuse = |why: String| format!("`{text}` is no pattern of paths: {why}");
        let pattern = text.strip_prefix("./").unwrap_or(text);
        let about = match pattern.find('/') {
            None => About::Name,
            Some(0) => About::Whole,
            Some(_) => About::Below,
        };
        if pattern.is_empty() {
            return Err(refuse("it is empty".to_owned()));
        }
        let mut regex = String::from("^");
        let mut rest = pattern;
        while let Some(c) = rest.chars().next() {
            let len = if rest.starts_with("**/") {
                regex.push_str("(?:[^/]*/)*");
                3
            } else if rest.starts_with("**") {
                regex.push_str(".*");
                2
            } else if c == '*' {
                regex.push_str("[^/]*");
                1
            } else if c == '?' {
                regex.push_str("[^/]");
                1
            } else if c == '[' {
                let end = rest.find(']').ok_or_else(|| refuse("`[` has no `]`".to_owned()))?;
                let class = rest[1..end].replace('\\', "\\\\").replace('[', "\\[");
                regex.push_str(&match class.strip_prefix('!') {
                    Some(others) => format!("[^{others}/]"),
                    None => format!("[{class}]"),
                });
                end + 1
            } else {
                regex.push_str(&regex::escape(&rest[..c.len_utf8()]));
                c.len_utf8()
            };
            rest = &rest[len..];
        }
        regex.push('$');
        let regex = Regex::new(&regex).map_err(|_| refuse("`[…]` holds no characters".to_owned()))?;
        Ok(Glob { regex, about })
    }
}

impl<'de> Deserialize<'de> for Glob {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Glob, D::Error> {
        yaml::parsed(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths() {
        for (glob, path, expect) in [
            ("*.log", "/home/shop/deep/a.log", true),
            ("*.log", "/home/shop/a.log.1", false),
            ("shop-?.[a-l]og", "/home/shop/shop-1.log", true),
            ("shop-[!0-9].log", "/home/shop/shop-1.log", false),
            ("log/*.log", "/home/shop/log/a.log", true),
            ("log/*.log", "/home/shop/log/b/a.log", false),
            ("log/*.log", "/var/log/a.log", false),
            ("log/**/*.log", "/home/shop/log/a.log", true),
            ("log/**/*.log", "/home/shop/log/b/c/a.log", true),
            ("log/**", "/home/shop/log/b/c", true),
            ("./log/**", "/home/shop/x/../log/./b", true),
            ("/var/log/**/*.log", "/var/log/shop/a.log", true),
            ("a+b(1).log", "/home/shop/a+b(1).log", true),
            ("ä?.log", "/home/shop/äö.log", true),
        ] {
            let found = glob.parse::<Glob>().expect(glob).matches(Path::new(path), Path::new("/home/shop"));
            assert_eq!(found, expect, "{glob} and {path}");
        }
        for glob in ["", "[a", "[]", "[z-a]"] {
            assert!(glob.parse::<Glob>().is_err(), "{glob}");
        }
    }
}
