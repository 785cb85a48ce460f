//! What changed between two snapshots: first what plans are likely to follow.

use super::{
    Style,
    page::{Page, clean},
    units::count,
};

/// A page of its own; each change is what changed, and how.
pub fn render(moving: &[(&str, &str)], others: &[(&str, &str)], style: &Style) -> String {
    let mut page = Page::new(*style);
    for (title, changes) in [("Plans are likely to follow", moving), ("Hardly a plan follows", others)] {
        if changes.is_empty() {
            continue;
        }
        page.heading(title);
        for (what, said) in changes {
            page.hanging(2, "", 2, &format!("{}: {}", clean(what), clean(said)));
        }
    }
    page.blank();
    let all = moving.len() + others.len();
    if all == 0 {
        page.prose(0, "Nothing that plans depend on has changed.");
    } else {
        let said = if moving.is_empty() {
            "none that plans are likely to follow".to_owned()
        } else {
            format!("{} that plans are likely to follow", moving.len())
        };
        page.prose(0, &format!("{}, {said}", count(all as u64, "change", "changes")));
    }
    page.finish()
}
