//! Edits of many findings → those that fit together, and the files with them.

use std::{collections::BTreeMap, ops::Range};

use crate::finding::{Edit, Finding};

/// The fixes of one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chosen {
    /// By file; within one by place.
    pub files: BTreeMap<String, Vec<Finding>>,
    /// Fixes of a part that another one changes: they wait for the next run.
    pub waiting: u64,
}

/// Takes the worst first; one that touches a statement which is changed already waits.
pub fn choose<'a>(findings: impl Iterator<Item = &'a Finding>) -> Chosen {
    let mut all: Vec<&Finding> = findings.filter(|finding| finding.fix.is_some()).collect();
    all.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| (&a.at, a.code).cmp(&(&b.at, b.code))));
    let mut chosen = Chosen::default();
    let mut taken: BTreeMap<&str, Vec<Range<usize>>> = BTreeMap::new();
    for finding in all {
        let (Some(at), Some(fix)) = (&finding.at, &finding.fix) else { continue };
        let taken = taken.entry(at.file.as_str()).or_default();
        let list = chosen.files.entry(at.file.clone()).or_default();
        let same = list.iter().any(|other| other.at == finding.at);
        let touches = taken.iter().any(|other| fix.at.start <= other.end && other.start <= fix.at.end);
        if same || touches {
            chosen.waiting += 1;
            continue;
        }
        taken.push(fix.at.clone());
        list.push(finding.clone());
    }
    for list in chosen.files.values_mut() {
        list.sort_by_key(|finding| finding.fix.as_ref().map(|fix| fix.at.start));
    }
    chosen
}

/// The text with the edits of findings; `None` where it is not the text that they were made for.
pub fn applied<'a>(text: &str, findings: impl Iterator<Item = &'a Finding>) -> Option<String> {
    let mut edits: Vec<&Edit> = findings.filter_map(|finding| finding.fix.as_ref()).collect();
    edits.sort_by_key(|edit| edit.at.start);
    if edits.iter().any(|edit| text.get(edit.at.clone()) != Some(edit.was.as_str())) {
        return None;
    }
    super::replaced(text, edits.iter().map(|edit| (&edit.at, edit.text.as_str())))
}
