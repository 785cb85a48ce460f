//! Lists of constants and rows of VALUES: of any length, they are one query.

use super::scan::{Last, Scan};
use crate::sql::keywords::{self, Class};

/// A list of constants that may still collapse.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    /// Nesting of its inside.
    pub(super) depth: u32,
    /// Where its inside boundary in the text, where its current element does, and where its first ended.
    pub(super) start: usize,
    pub(super) element: usize,
    pub(super) first_end: Option<usize>,
    pub(super) same: bool,
    /// A `::` came, so that names belong to a type.
    pub(super) in_type: bool,
}

/// Rows of VALUES.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows {
    /// Nesting of the VALUES keyword.
    pub(super) depth: u32,
    pub(super) row: usize,
    pub(super) previous: Option<(usize, usize)>,
    pub(super) between: bool,
}

impl Scan<'_, '_> {
    pub(super) fn open(&mut self, byte: u8) {
        let call = match self.last {
            Last::Name => !self.into,
            Last::Keyword(word) => word.class() == Class::Call || (byte == b'[' && word == keywords::ARRAY),
            Last::Operand => byte == b'[',
            _ => false,
        };
        let list = match byte {
            b'(' => self.last == Last::Keyword(keywords::IN),
            _ => self.last == Last::Keyword(keywords::ARRAY),
        };
        if !call {
            self.space();
        }
        self.depth += 1;
        if self.depth < 64 {
            self.ordinals &= !(1 << self.depth);
        }
        if self.type_name && self.type_length.is_none() && self.last == Last::Name && byte == b'(' {
            self.type_length = Some(self.depth);
        }
        if let Some(rows) = &mut self.rows
            && self.depth == rows.depth + 1
            && byte == b'('
            && (rows.between || self.last == Last::Keyword(keywords::VALUES))
        {
            (rows.row, rows.between) = (self.text.len(), false);
        }
        self.text.push(byte);
        let start = self.text.len();
        if list {
            let depth = self.depth;
            self.list =
                Some(List { depth, start, element: start, first_end: None, same: true, in_type: false });
        }
        (self.last, self.into) = (Last::Glue, false);
    }

    pub(super) fn close(&mut self, byte: u8) {
        if let Some(list) = self.list
            && self.depth == list.depth
        {
            self.element();
            self.collapse();
        }
        if self.type_length == Some(self.depth) {
            (self.type_length, self.type_name) = (None, false);
        }
        self.depth = self.depth.saturating_sub(1);
        self.text.push(byte);
        if let Some(rows) = &mut self.rows
            && self.depth == rows.depth
            && !rows.between
        {
            let row = rows.row..self.text.len();
            match rows.previous {
                Some((from, to)) if self.text[from..to] == self.text[row.clone()] => self.text.truncate(to),
                _ => rows.previous = Some((row.start, row.end)),
            }
            rows.between = true;
        }
        self.last = Last::Operand;
    }

    /// The list's current element ends here.
    pub(super) fn element(&mut self) {
        let Some(list) = &mut self.list else { return };
        if self.depth != list.depth {
            return;
        }
        let end = self.text.len();
        let element = self.text[list.element..end].trim_ascii_start();
        match list.first_end {
            None if element.is_empty() || element == b"..." => self.list = None,
            None => {
                list.first_end = Some(end);
                (list.element, list.in_type) = (end + 1, false);
            }
            Some(first_end) => {
                list.same &= element == b"..." || *element == self.text[list.start..first_end];
                (list.element, list.in_type) = (end + 1, false);
            }
        }
    }

    /// A list of nothing but constants: its first element stands for all, or `?` where they differ
    /// in their casts.
    fn collapse(&mut self) {
        let Some(List { start, first_end: Some(first_end), same, .. }) = self.list.take() else { return };
        self.text.truncate(if same { first_end } else { start });
        if !same {
            self.text.push(b'?');
        }
        self.text.extend_from_slice(b", ...");
    }
}
