//! The lines of a tree, drawn left of its nodes.

use super::page::Page;

/// What stands left of one node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Guides {
    /// Before the node's own words.
    pub(super) first: String,
    /// Before the lines that follow, above its children.
    pub(super) rest: String,
}

/// The guides of every node, given their depths in the order of the tree. Deeper than `deepest` nothing moves
/// further to the right.
pub(super) fn guides(page: &Page, depths: &[usize], deepest: usize) -> Vec<Guides> {
    let (fork, last, along) = if page.unicode() { ("├─", "└─", "│ ") } else { ("|-", "`-", "| ") };
    // Whether a node at this depth comes below, without one further left before it.
    let mut comes: Vec<bool> = Vec::new();
    let mut all: Vec<Guides> = Vec::with_capacity(depths.len());
    for (at, &depth) in depths.iter().enumerate().rev() {
        let has_children = depths.get(at + 1).is_some_and(|next| *next > depth);
        comes.resize(depth + 1, false);
        let mut above = String::new();
        let shown = depth.saturating_sub(deepest).max(1);
        for goes_on in comes.iter().take(depth).skip(shown) {
            above.push_str(if *goes_on { along } else { "  " });
        }
        let own = if depth == 0 {
            ("", "")
        } else if comes[depth] {
            (fork, along)
        } else {
            (last, "  ")
        };
        let below = if has_children { along } else { "  " };
        all.push(Guides { first: format!("{above}{}", own.0), rest: format!("{above}{}{below}", own.1) });
        comes[depth] = true;
    }
    all.reverse();
    all
}
