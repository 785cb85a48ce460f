//! Comments that allow what is not there.

use std::ops::Range;

use crate::{finding::Finding, workload::Script};

pub(super) const RULE: &str = "unused-suppression";

/// The comment, with its line where nothing else stands on it.
pub(super) fn removed(finding: &Finding, script: &Script) -> Option<Range<usize>> {
    // Its other rules stay allowed.
    if !finding.detail_is("alone") {
        return None;
    }
    let at = finding.at.as_ref()?;
    let byte = script.byte(at.line, at.column)?;
    let comment = script.comments().into_iter().find(|comment| comment.contains(&byte))?;
    let text = script.text.get(comment.clone())?;
    // Its `allow-end` would be left over.
    if text.contains("allow-begin") {
        return None;
    }
    let before = script.text.get(..comment.start)?;
    let line = before.rfind('\n').map_or(0, |end| end + 1);
    let behind = script.text.get(comment.end..)?;
    let rest = behind.find('\n').unwrap_or(behind.len());
    let (lead, tail) = (before.get(line..)?, behind.get(..rest)?);
    if lead.trim().is_empty() && tail.trim().is_empty() {
        return Some(line..(comment.end + rest + 1).min(script.text.len()));
    }
    let white = lead.len() - lead.trim_end().len();
    let start = if tail.trim().is_empty() { comment.start - white } else { comment.start };
    // Two words must not grow together.
    Some(start..comment.end).filter(|_| tail.trim().is_empty() || tail.starts_with(char::is_whitespace))
}
