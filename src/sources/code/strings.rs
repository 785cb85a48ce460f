//! The strings of a syntax tree, joined as the program joins them.

use std::collections::{HashSet, VecDeque};

use tree_sitter::{Node, Tree};

use super::{
    Found, Language,
    context::{self, Told},
    literal,
};
use crate::sql::Spliced;

/// A program that is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct File<'a> {
    pub(super) language: Language,
    pub(super) text: &'a str,
}

impl<'a> File<'a> {
    pub(super) fn text_of(&self, node: Node<'_>) -> &'a str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }
}

/// Strings that are joined in one expression; more are a table of something.
const MOST_JOINED: usize = 2000;

/// A part of what is joined.
#[derive(Clone, Copy, Debug)]
enum Part<'t> {
    String(Node<'t>),
    /// Any other expression.
    Other(Node<'t>),
}

/// Goes through the tree once, from the outside in.
pub(super) fn walk(file: &File<'_>, tree: &Tree, found: &mut Found) {
    // Strings and sums that were taken with what they are a part of.
    let mut taken: HashSet<usize> = HashSet::new();
    // Ruby writes the text of a heredoc behind the line that names it.
    let mut heredocs: VecDeque<Node<'_>> = VecDeque::new();
    let mut cursor = tree.walk();
    loop {
        let node = cursor.node();
        let mut descend = true;
        match node.kind() {
            "heredoc_beginning" => heredocs.push_back(node),
            "heredoc_body" => {
                let named = heredocs.pop_front().unwrap_or(node);
                string(file, named, &[Part::String(node)], found);
            }
            kind if kind.ends_with("comment") => {
                found.comments.push(node.byte_range());
                descend = false;
            }
            _ if taken.contains(&node.id()) => {}
            kind if is_string(kind) => string(file, node, &[Part::String(node)], found),
            _ if is_sum(file, node) => {
                let parts = parts(file, node, &mut taken);
                string(file, node, &parts, found);
            }
            _ => {}
        }
        if descend && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
        }
    }
}

pub(super) fn is_string(kind: &str) -> bool {
    matches!(
        kind,
        "string" | "string_literal" | "raw_string_literal" | "interpreted_string_literal" | "template_string"
    )
}

/// Whether an expression joins what stands in it, strings among them.
fn is_sum(file: &File<'_>, node: Node<'_>) -> bool {
    match node.kind() {
        "concatenated_string" | "chained_string" => true,
        "binary_expression" | "binary_operator" | "binary" => {
            let operator = node.child_by_field_name("operator").map(|operator| file.text_of(operator));
            operator == Some("+")
        }
        // `concat!("…", "…")`, and the sums that macros take.
        "token_tree" => {
            let mut cursor = node.walk();
            let children: Vec<Node<'_>> = node.children(&mut cursor).collect();
            let strings = children.iter().filter(|child| is_string(child.kind())).count();
            let plus = children.windows(2).any(|two| is_string(two[0].kind()) && two[1].kind() == "+");
            strings > 1 && (plus || called(file, node) == Some("concat"))
        }
        _ => false,
    }
}

/// The macro that takes these tokens.
fn called<'a>(file: &File<'a>, tokens: Node<'_>) -> Option<&'a str> {
    let parent = tokens.parent().filter(|parent| parent.kind() == "macro_invocation")?;
    parent.child_by_field_name("macro").map(|name| file.text_of(name))
}

/// What is joined, from left to right; all of it is taken.
fn parts<'t>(file: &File<'_>, sum: Node<'t>, taken: &mut HashSet<usize>) -> Vec<Part<'t>> {
    let mut parts = Vec::new();
    let mut open = vec![sum];
    while let Some(node) = open.pop() {
        if parts.len() >= MOST_JOINED {
            break;
        }
        if is_string(node.kind()) {
            taken.insert(node.id());
            parts.push(Part::String(node));
        } else if node.kind() == "parenthesized_expression" || is_sum(file, node) {
            taken.insert(node.id());
            let mut cursor = node.walk();
            let mut children: Vec<Node<'t>> = node.named_children(&mut cursor).collect();
            if node.kind() == "token_tree" {
                // What is no string in a macro are its other arguments.
                children.retain(|child| is_string(child.kind()));
            }
            open.extend(children.into_iter().rev());
        } else if !node.kind().ends_with("comment") {
            parts.push(Part::Other(node));
        }
    }
    parts
}

/// Reads what is joined, when its first string begins as a statement does.
fn string(file: &File<'_>, place: Node<'_>, parts: &[Part<'_>], found: &mut Found) {
    let Some(first) = parts.iter().position(|part| matches!(part, Part::String(_))) else { return };
    let parts = &parts[first..];
    let Some(Part::String(opening)) = parts.first() else { return };
    if !literal::begins_as_sql(file, *opening) {
        return;
    }
    found.candidates += 1;
    let context = context::of(file, place);
    if context.told == Told::Never {
        return;
    }
    let mut sql = Spliced::default();
    for part in parts {
        match part {
            Part::String(node) => {
                if !literal::read(file, *node, context.braces, &mut sql) {
                    return;
                }
            }
            Part::Other(node) => sql.hole(file.text_of(*node), node.byte_range()),
        }
    }
    found.string(&sql, context);
}
