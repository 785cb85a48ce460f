//! What PostgreSQL's grammar writes like a call with words of its own inside: XML, SQL/JSON and kin.

use super::Reader;
use crate::sql::lex::Kind;

impl Reader<'_> {
    pub(super) fn call(&mut self, at: usize) {
        if self.is(at, "variadic") {
            self.drop(at..at + 1);
        }
        if self.all(at, &["collation", "for"]) && self.punct(at + 2, b'(') {
            self.put(at..at + 2, "pg_collation_for");
        }
        if !self.punct(at + 1, b'(') || self.punct(at.wrapping_sub(1), b'.') {
            return;
        }
        let word = self.text(at).to_ascii_lowercase();
        let (first, end) = (at + 2, self.close[at + 1]);
        match word.as_str() {
            "xmlelement" | "xmlpi" | "xmlforest" | "xmlattributes" => self.xml_names(first, end),
            "xmlexists" => self.xml_passing(first, end),
            "xmltable" => {
                self.put(at..at + 1, "\"xmltable\"");
                self.xml_passing(first, end);
            }
            "xmlroot" => self.xml_root(first, end),
            "xmlparse" => self.xml_content(first, end),
            "xmlserialize" => {
                self.put(at..at + 1, "CAST");
                self.xml_content(first, end);
            }
            "substring" => {
                for at in self.level(first, end) {
                    if self.any(at, &["similar", "escape"]) {
                        self.put(at..at + 1, ",");
                    }
                }
            }
            "trim" if self.any(first, &["both", "leading", "trailing"]) && self.is(first + 1, "from") => {
                self.drop(first..first + 2);
            }
            "trim" if self.is(first, "from") => self.drop(first..first + 1),
            "json" | "json_array" | "json_arrayagg" | "json_exists" | "json_object" | "json_objectagg"
            | "json_query" | "json_scalar" | "json_serialize" | "json_table" | "json_value" => {
                if word == "json_table" {
                    self.put(at..at + 1, "\"json_table\"");
                }
                self.json(first, end);
            }
            _ => {}
        }
    }

    /// The tokens from `first` to before `end` that stand on the level of `first`.
    fn level(&self, first: usize, end: usize) -> Vec<usize> {
        let mut found = Vec::new();
        let mut at = first;
        while at < end.min(self.tokens.len()) {
            found.push(at);
            at = self.next(at);
        }
        found
    }

    /// `NAME a` and `x AS a`.
    fn xml_names(&mut self, first: usize, end: usize) {
        if self.is(first, "name") && (self.punct(first + 2, b',') || first + 2 == end) {
            self.put(first..first + 2, "'name'");
        }
        for at in self.level(first, end) {
            if self.is(at, "as") {
                self.drop(at..at + 2);
            }
        }
    }

    /// `[XMLNAMESPACES (…),] path PASSING [BY REF] x [BY REF] [COLUMNS …]`.
    fn xml_passing(&mut self, first: usize, end: usize) {
        let mut level = self.level(first, end);
        if self.is(first, "xmlnamespaces") && self.punct(first + 1, b'(') {
            let behind = self.close[first + 1] + 2;
            self.drop(first..behind);
            level.retain(|&at| at >= behind);
        }
        for at in level {
            if self.is(at, "passing") {
                self.put(at..at + 1, ",");
            } else if self.is(at, "by") && self.any(at + 1, &["ref", "value"]) {
                self.drop(at..at + 2);
            } else if self.is(at, "columns") {
                self.drop(at..end);
                break;
            }
        }
    }

    /// `xmlroot(x, VERSION v, STANDALONE yes)`.
    fn xml_root(&mut self, first: usize, end: usize) {
        for at in self.level(first, end) {
            if self.is(at, "version") {
                self.drop(at..at + 1);
            }
            if self.is(at, "no") && self.is(at + 1, "value") && !self.is(at.wrapping_sub(1), "standalone") {
                self.put(at..at + 2, "NULL");
            }
            if self.is(at, "standalone") {
                self.put(at..end, "NULL");
                break;
            }
        }
    }

    fn xml_content(&mut self, first: usize, end: usize) {
        if self.any(first, &["content", "document"]) {
            self.drop(first..first + 1);
        }
        let first = first + 1;
        for at in self.level(first, end).into_iter().skip(1) {
            if self.is(at, "whitespace") {
                self.drop(at - 1..at + 1);
            } else if self.is(at, "indent") {
                let no = usize::from(self.is(at - 1, "no"));
                self.drop(at - no..at + 1);
            }
        }
    }

    /// Keys and values become arguments, PASSING too; how the result is written goes.
    fn json(&mut self, first: usize, end: usize) {
        for at in self.level(first, end) {
            let answer = self.any(at, &["null", "error", "empty", "true", "false", "unknown"])
                && (self.is(at + 1, "on")
                    || (self.any(at + 1, &["array", "object"]) && self.is(at + 2, "on")));
            let last = answer
                || self.any(at, &["returning", "absent", "columns", "keep", "omit", "without"])
                || (self.is(at, "with")
                    && self.any(at + 1, &["unique", "wrapper", "conditional", "unconditional", "array"]))
                || (self.is(at, "default") && at > first && self.operand[at]);
            if last {
                self.drop(at..end);
                return;
            }
            let value = self.is(at, "value") && at > first && self.operand[at] && !self.punct(at + 1, b',');
            if self.is(at, "passing") || self.punct(at, b':') || value {
                self.put(at..at + 1, ",");
            } else if self.is(at, "as") {
                self.drop(at..at + 2);
            } else if self.is(at, "format") && self.is(at + 1, "json") {
                let encoding = if self.is(at + 2, "encoding") { 2 } else { 0 };
                self.drop(at..at + 2 + encoding);
            }
        }
    }

    /// `inet '10.0.0.1'` and `national character varying (3) 'a'`: the type of a constant.
    pub(super) fn typed_constant(&mut self, at: usize) {
        if self.is_string(at) && at > 0 && self.is_name(at - 1) && self.punct(at.wrapping_sub(2), b'.') {
            // `schema.type 'x'`.
            self.drop(at.saturating_sub(3)..at);
            return;
        }
        let plain = matches!(self.tokens[at].kind, Kind::Word(None) | Kind::Quoted)
            && self.is_string(at + 1)
            && !self.punct(at.wrapping_sub(1), b'.')
            && !self.any(at, &["uescape"]);
        if plain && !self.operand[at] {
            self.drop(at..at + 1);
        }
        if self.is(at, "national") && self.any(at + 1, &["char", "character"]) {
            self.drop(at..at + 1);
        } else if self.is(at, "nchar") {
            self.put(at..at + 1, "char");
        }
        if self.any(at, &["char", "character", "nchar", "bit"]) && !self.operand[at] {
            let mut end = at + 1 + usize::from(self.is(at + 1, "varying"));
            if self.punct(end, b'(') {
                end = self.close[end] + 1;
            }
            if self.is_string(end) {
                self.drop(at..end);
            }
        }
    }
}
