//! Clauses: WITH, FROM, windows, locks, and what INSERT, UPDATE and MERGE have of their own.

use super::{ROWS_FROM, Reader};
use crate::sql::lex::Kind;

impl Reader<'_> {
    pub(super) fn clause(&mut self, at: usize) {
        self.windows(at);
        self.with(at);
        self.from(at);
        self.locks(at);
        self.writes(at);
        self.select(at);
    }

    /// A frame says which rows of the partition count, which no shape holds.
    fn windows(&mut self, at: usize) {
        if self.any(at, &["rows", "range", "groups"])
            && self.open[at].is_some()
            && (self.any(at + 1, &["between", "unbounded", "current"]) || !self.punct(at + 1, b'('))
        {
            let end = self.end_of_level(at);
            let bound = self.find(at, |at| {
                self.any(at, &["preceding", "following"]) || self.all(at, &["current", "row"])
            });
            if bound < end && !self.operand[at] | self.frame_follows(at) {
                self.drop(at..end);
            }
        }
    }

    /// `(ORDER BY x ROWS …`: the word stands behind an operand, as an alias cannot within a window.
    fn frame_follows(&self, at: usize) -> bool {
        let end = self.end_of_level(at);
        self.any(end.saturating_sub(1), &["preceding", "following", "row", "ties", "group", "others"])
    }

    /// `WITH x AS (…) SEARCH … SET s CYCLE … SET c USING p`.
    fn with(&mut self, at: usize) {
        if at == 0 || !self.punct(at - 1, b')') {
            return;
        }
        if self.all(at + 1, &["breadth", "first", "by"]) || self.all(at + 1, &["depth", "first", "by"]) {
            let set = self.find(at, |at| self.is(at, "set"));
            self.drop(at..set + 2);
            if self.is(set + 2, "cycle") {
                self.cycle(set + 2);
            }
        } else if self.is(at, "cycle") && self.is_name(at + 1) {
            self.cycle(at);
        }
    }

    fn cycle(&mut self, at: usize) {
        let end = self.find(at, |at| self.is(at, "using"));
        if end < self.end_of_level(at) {
            self.drop(at..end + 2);
        }
    }

    fn from(&mut self, at: usize) {
        let from = self.any(at, &["from", "join", "update"]);
        if from && !(at > 0 && self.is(at - 1, "distinct")) {
            // `FROM t*`: with its children, as always.
            let only = at + 1 + usize::from(self.is(at + 1, "only"));
            let star = self.path(only);
            let call = self.open[at]
                .is_some_and(|open| !self.any(open + 1, &["select", "with", "delete", "update"]));
            if star > only && self.is_operator(star, "*") && !call {
                self.drop(star..star + 1);
            }
        }
        // `FROM f() AS (a int)`.
        let query =
            self.any(at + 2, &["select", "with", "values", "insert", "update", "delete", "merge", "table"]);
        if self.is(at, "as")
            && self.punct(at + 1, b'(')
            && !(query || self.punct(at + 2, b'('))
            && at > 0
            && self.punct(at - 1, b')')
        {
            let within =
                self.open[at].is_some_and(|open| self.all(open.saturating_sub(2), &["rows", "from"]));
            if within {
                self.drop(at..self.close[at + 1] + 1);
            } else if let Some(opened) = (0..at - 1).rev().find(|&open| self.close[open] == at - 1)
                && opened > 0
                && self.is_name(opened - 1)
            {
                let name = self.text(opened - 1).to_owned();
                self.put(at..at + 1, format!("AS {name}"));
            }
        }
        if self.all(at, &["rows", "from"]) && self.punct(at + 2, b'(') {
            self.put(at..at + 2, format!("\"{ROWS_FROM}\""));
        }
        if self.is(at, "tablesample") {
            let mut end = self.path(at + 1);
            if self.punct(end, b'(') {
                end = self.close[end] + 1;
            }
            if self.is(end, "repeatable") && self.punct(end + 1, b'(') {
                end = self.close[end + 1] + 1;
            }
            self.drop(at..end.min(self.tokens.len()));
        }
        // `JOIN … USING (a) AS j`.
        if self.is(at, "using") && self.punct(at + 1, b'(') {
            let end = self.close[at + 1] + 1;
            if self.is(end, "as") && self.is_name(end + 1) && !self.punct(end + 2, b'(') {
                self.drop(end..end + 2);
            }
        }
    }

    /// sqlparser knows FOR UPDATE and FOR SHARE, of one table at most.
    fn locks(&mut self, at: usize) {
        if !self.is(at, "for") {
            return;
        }
        let strength = match () {
            () if self.all(at + 1, &["no", "key", "update"]) => 3,
            () if self.all(at + 1, &["key", "share"]) => 2,
            () if self.any(at + 1, &["update", "share"]) => 1,
            () => return,
        };
        let mut end = at + 1 + strength;
        if self.is(end, "of") {
            loop {
                end = self.path(end + 1);
                if !self.punct(end, b',') {
                    break;
                }
            }
        }
        let (start, stop) = (self.tokens[at + 1].start, self.tokens[end - 1].end);
        let words = self.sql[start..stop].to_owned();
        let name = self.stand_in(words);
        self.put(at..end, format!("FOR UPDATE OF {name}"));
    }

    fn writes(&mut self, at: usize) {
        if self.is(at, "set") && !(at > 0 && self.any(at - 1, &["grouping"])) {
            self.targets(at + 1);
        }
        if self.is(at, "into") && at > 0 && self.is(at - 1, "insert") {
            let mut list = self.path(at + 1);
            if self.is(list, "as") {
                list += 2;
            }
            if self.punct(list, b'(') && !self.any(list + 1, &["select", "with", "values", "table"]) {
                self.subscripts(list + 1, self.close[list]);
            }
        }
        if self.is(at, "overriding") && self.any(at + 1, &["system", "user"]) && self.is(at + 2, "value") {
            self.drop(at..at + 3);
        }
        // Which unique index decides is no fact of a shape.
        if self.all(at, &["on", "conflict"]) && self.punct(at + 2, b'(') {
            let end =
                self.find(at + 2, |at| self.all(at, &["do", "update"]) || self.all(at, &["do", "nothing"]));
            if end < self.end_of_level(at) {
                self.drop(at + 2..end);
            }
        }
        if self.all(at, &["where", "current", "of"]) && self.is_name(at + 3) {
            let name = self.stand_in(format!("CURRENT OF {}", self.text(at + 3)));
            self.put(at + 1..at + 4, format!("{name}()"));
        }
        if self.is(at, "merge") && (at == 0 || self.punct(at - 1, b'(') || self.punct(at - 1, b')')) {
            self.merge(at);
        }
        if self.all(at, &["insert", "default", "values"]) {
            self.put(at + 1..at + 3, "VALUES (DEFAULT)");
        }
    }

    /// `SET a[1] = …, b.c[2] = …`: the column is what is set.
    fn targets(&mut self, from: usize) {
        let mut at = from;
        let end = self.tokens.get(from).map_or(from, |_| self.end_of_level(from));
        while at < end {
            if self.punct(at, b'(') {
                self.subscripts(at + 1, self.close[at]);
            } else {
                let equals = self.find(at, |at| self.is_operator(at, "="));
                if equals < end && self.is_name(at) {
                    self.subscripts(at, equals);
                }
            }
            let stop = self
                .find(at, |at| self.punct(at, b',') || self.any(at, &["where", "from", "returning", "when"]));
            if !self.punct(stop, b',') {
                break;
            }
            at = stop + 1;
        }
    }

    /// Drops `[…]` and what follows it of each name of a list.
    fn subscripts(&mut self, from: usize, end: usize) {
        let mut at = from;
        while at < end.min(self.tokens.len()) {
            if self.punct(at, b'[') {
                let begin = at;
                while at < end && !self.punct(at, b',') {
                    at = self.next(at);
                }
                self.drop(begin..at.min(end));
            } else {
                at = self.next(at);
            }
        }
    }

    /// `USING a JOIN b ON … ON …`: the source in parentheses.
    fn merge(&mut self, at: usize) {
        let using = self.find(at, |at| self.is(at, "using"));
        let when = self.find(at, |at| self.is(at, "when"));
        let mut on = None;
        let mut joins = false;
        let mut here = using + 1;
        while here < when {
            joins |= self.is(here, "join");
            if self.is(here, "on") {
                on = Some(here);
            }
            here = self.next(here);
        }
        if let (true, Some(on)) = (joins, on) {
            self.put(using + 1..using + 1, "(");
            self.put(on..on, ") ");
        }
    }

    fn select(&mut self, at: usize) {
        if self.is(at, "select") {
            let next = at + 1 + usize::from(self.is(at + 1, "all"));
            let empty = self
                .tokens
                .get(next)
                .is_none_or(|token| matches!(token.kind, Kind::Punct(b')' | b';')))
                || self
                    .any(next, &["where", "into", "union", "except", "intersect", "order", "limit", "group"]);
            if empty {
                self.put(next..next, " NULL ");
            }
        }
        if self.all(at, &["group", "by"]) && self.any(at + 2, &["all", "distinct"]) {
            self.drop(at + 2..at + 3);
        }
        // Sets within sets are the sets of them all.
        if self.all(at, &["grouping", "sets"])
            && self.punct(at + 2, b'(')
            && self.open[at].is_some_and(|open| self.is(open.saturating_sub(1), "sets"))
        {
            let close = self.close[at + 2];
            self.drop(at..at + 3);
            self.drop(close..close + 1);
        }
        // `((SELECT 1) UNION SELECT 2)` as an expression.
        if self.punct(at, b'(') && self.any(at + 1, &["select", "values", "with"]) && at > 0 {
            let after = self.close[at] + 1;
            if self.punct(at - 1, b'(') && self.any(after, &["union", "except", "intersect"]) {
                self.put(at..at, "SELECT * FROM ");
                let name = self.stand_in("query");
                self.put(after..after, format!(" AS {name} "));
            }
        }
        // `TABLE t *` and `TABLE ONLY t`, whose TABLE is rewritten to SELECT * FROM.
        if self.is(at, "table") && at == 0 {
            if self.is(at + 1, "only") {
                self.drop(at + 1..at + 2);
            }
            let star = self.path(at + 1 + usize::from(self.is(at + 1, "only")));
            if self.is_operator(star, "*") {
                self.drop(star..star + 1);
            }
        }
        // `WINDOW` behind an operand is taken as its alias.
        if self.is(at, "window") && self.is_name(at + 1) && self.is(at + 2, "as") && self.punct(at + 3, b'(')
        {
            let select =
                (0..at).rev().find(|&before| self.open[before] == self.open[at] && self.is(before, "select"));
            if select.is_some_and(|select| self.find(select, |at| self.is(at, "from")) > at) {
                let mut end = self.close[at + 3] + 1;
                while self.punct(end, b',') && self.punct(end + 3, b'(') {
                    end = self.close[end + 3] + 1;
                }
                self.drop(at..end);
            }
        }
        if self.is(at, "values")
            && at > 1
            && self.punct(at - 1, b'(')
            && self.any(at - 2, &["any", "some", "all"])
        {
            let close = self.close[at - 1];
            self.put(at..at, "SELECT * FROM (");
            self.put(close..close, ") AS query");
        }
        if self.any(at, &["symmetric", "asymmetric"]) && self.is(at.wrapping_sub(1), "between") {
            self.drop(at..at + 1);
        }
    }
}
