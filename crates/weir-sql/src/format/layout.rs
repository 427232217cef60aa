//! Where the lines of statements may end.

use super::document::{Doc, group, lead, text, text_without_lead};
use super::source::Source;
use super::tree::{Node, Pair, pair_brackets};

/// Keywords that begin a clause of a query.
const QUERY: [&str; 7] = ["SELECT", "FROM", "WHERE", "GROUP", "HAVING", "UNION", "VALUES"];
/// Keywords that begin a clause of a declaration.
const DECLARATION: [&str; 3] = ["PARTITIONED", "WITH", "TIMESTAMP"];
/// Keywords that begin a clause of `MATCH_RECOGNIZE`.
const MATCH: [&str; 9] =
    ["PARTITION", "ORDER", "MEASURES", "ONE", "ALL", "AFTER", "PATTERN", "WITHIN", "DEFINE"];
/// Keywords that begin a clause of a window.
const WINDOW: [&str; 4] = ["PARTITION", "ORDER", "ROWS", "RANGE"];
/// Keywords that begin a part of `CASE`.
const CASE: [&str; 2] = ["WHEN", "ELSE"];
/// Keywords that may begin a join.
const JOIN: [&str; 5] = ["INNER", "LEFT", "RIGHT", "FULL", "CROSS"];

/// Lays a job out.
pub(super) fn job(source: &Source<'_>) -> Vec<Doc> {
    let layout = Layout { source };
    let mut docs = Vec::new();
    let end = source.0.len() - 1;
    let mut start = 0;
    while start < end {
        let stop = (start..end).find(|index| source.0[*index].is_symbol(";"));
        let nodes = pair_brackets(source, start..stop.unwrap_or(end));
        // An empty statement has no line of its own: its `;` follows the one before.
        if !nodes.is_empty() && start > 0 {
            docs.push(Doc::Empty);
        }
        docs.extend(layout.statement(&nodes));
        docs.extend(stop.map(|index| text(source, index)).into_iter().flatten());
        start = stop.map_or(end, |index| index + 1);
    }
    if !source.0[end].before.is_empty() {
        docs.push(Doc::Lead(end));
    }
    docs
}

struct Layout<'a> {
    source: &'a Source<'a>,
}

impl Layout<'_> {
    fn is(&self, node: &Node, word: &str) -> bool {
        matches!(node, Node::Leaf(index) if self.source.0[*index].is(word))
    }

    fn is_symbol(&self, node: &Node, symbol: &str) -> bool {
        matches!(node, Node::Leaf(index) if self.source.0[*index].is_symbol(symbol))
    }

    fn is_one_of(&self, node: &Node, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(node, word))
    }

    fn group(&self, docs: Vec<Doc>) -> Vec<Doc> {
        group(self.source, docs)
    }

    fn statement(&self, nodes: &[Node]) -> Vec<Doc> {
        match nodes.first() {
            Some(first) if self.is(first, "CREATE") => {
                let clauses =
                    self.split(nodes, |nodes, at| at > 1 && self.is_one_of(&nodes[at], &DECLARATION));
                lines(clauses.into_iter().map(|clause| self.declaration(clause)), Doc::Hard)
            }
            Some(first) if self.is(first, "INSERT") => {
                let (target, query) = nodes.split_at(nodes.len().min(3));
                let mut docs = self.plain(target);
                docs.push(Doc::Hard);
                docs.extend(self.query(query));
                docs
            }
            _ => self.plain(nodes),
        }
    }

    fn declaration(&self, clause: &[Node]) -> Vec<Doc> {
        let parts = self.split(clause, |nodes, at| self.is(&nodes[at], "SET"));
        let mut parts = parts.into_iter().map(|part| self.plain(part));
        let mut docs = parts.next().unwrap_or_default();
        for part in parts {
            docs.push(Doc::Indent(std::iter::once(Doc::Line).chain(part).collect()));
        }
        self.group(docs)
    }

    fn query_clauses<'n>(&self, nodes: &'n [Node]) -> Vec<&'n [Node]> {
        self.split(nodes, |nodes, at| {
            // `IS DISTINCT FROM` begins no clause.
            self.is_one_of(&nodes[at], &QUERY)
                && !(at > 0 && self.is(&nodes[at], "FROM") && self.is(&nodes[at - 1], "DISTINCT"))
        })
    }

    fn query(&self, nodes: &[Node]) -> Vec<Doc> {
        let clauses = self.query_clauses(nodes);
        lines(clauses.into_iter().map(|clause| self.query_clause(clause)), Doc::Hard)
    }

    fn query_clause(&self, clause: &[Node]) -> Vec<Doc> {
        let [first, rest @ ..] = clause else { return Vec::new() };
        let second = |words: &[&str]| rest.first().is_some_and(|node| self.is_one_of(node, words));
        if self.is(first, "SELECT") {
            self.list(clause, 1 + usize::from(second(&["DISTINCT", "ALL"])))
        } else if self.is(first, "GROUP") {
            self.list(clause, 2)
        } else if self.is(first, "VALUES") {
            self.list(clause, 1)
        } else if self.is(first, "FROM") {
            self.tables(clause)
        } else if self.is(first, "UNION") {
            let (words, query) = clause.split_at(1 + usize::from(second(&["ALL"])));
            let mut docs = self.plain(words);
            if !query.is_empty() {
                docs.push(Doc::Hard);
                docs.extend(self.plain(query));
            }
            docs
        } else {
            self.expression(clause)
        }
    }

    /// Lays words and a list out: on one line, or each item on its own.
    fn list(&self, nodes: &[Node], words: usize) -> Vec<Doc> {
        let (words, items) = nodes.split_at(nodes.len().min(words));
        let mut docs = self.plain(words);
        if !items.is_empty() {
            let mut inner = vec![Doc::Line];
            inner.extend(self.items(items, || Doc::Line));
            docs.push(Doc::Indent(inner));
        }
        self.group(docs)
    }

    /// Lays out what is separated by commas, with a place for a line end after each.
    fn items(&self, nodes: &[Node], line: impl Fn() -> Doc) -> Vec<Doc> {
        let mut docs = Vec::new();
        for (item, comma) in self.separated(nodes) {
            docs.extend(self.expression(item));
            if let Some(comma) = comma {
                docs.extend(text(self.source, comma));
                docs.push(line());
            }
        }
        docs
    }

    /// Returns what is separated by commas, each with the comma after it.
    fn separated<'n>(&self, nodes: &'n [Node]) -> Vec<(&'n [Node], Option<usize>)> {
        let parts = nodes.split_inclusive(|node| self.is_symbol(node, ","));
        parts
            .map(|part| match part.split_last() {
                Some((comma, item)) if self.is_symbol(comma, ",") => (item, Some(comma.first())),
                _ => (part, None),
            })
            .collect()
    }

    /// Lays `FROM` out: each join has its own line.
    fn tables(&self, nodes: &[Node]) -> Vec<Doc> {
        let is_join = |nodes: &[Node], at: usize| {
            self.is_one_of(&nodes[at], &JOIN)
                || (self.is(&nodes[at], "JOIN")
                    && !self.is(&nodes[at - 1], "OUTER")
                    && !self.is_one_of(&nodes[at - 1], &JOIN))
        };
        let parts = self.split(nodes, |nodes, at| at > 0 && is_join(nodes, at));
        let separator = |parts: usize| if parts > 1 { Doc::Hard } else { Doc::Line };
        let mut docs = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            let mut inner = Vec::new();
            let mut is_first = true;
            for (table, comma) in self.separated(part) {
                match is_first {
                    true => inner.extend(self.table(table)),
                    false => inner.push(Doc::Indent(self.table(table))),
                }
                is_first = false;
                if let Some(comma) = comma {
                    inner.extend(text(self.source, comma));
                    inner.push(Doc::Indent(vec![separator(parts.len())]));
                }
            }
            match index {
                0 => docs.extend(inner),
                _ => docs.push(Doc::Indent(std::iter::once(Doc::Hard).chain(inner).collect())),
            }
        }
        self.group(docs)
    }

    fn table(&self, nodes: &[Node]) -> Vec<Doc> {
        let mut parts = self.split(nodes, |nodes, at| self.is(&nodes[at], "ON")).into_iter();
        let mut docs = parts.next().map(|table| self.plain(table)).unwrap_or_default();
        for condition in parts {
            let mut inner = vec![Doc::Line];
            inner.extend(self.expression(condition));
            docs.push(Doc::Indent(inner));
        }
        self.group(docs)
    }

    /// Lays an expression out; when it is too long it is cut before the loosest operators.
    fn expression(&self, nodes: &[Node]) -> Vec<Doc> {
        for operators in [&["OR"] as &[&str], &["AND"], &["||", "+", "-"]] {
            let parts = self.split(nodes, |nodes, at| at > 0 && self.is_operator(nodes, at, operators));
            if parts.len() > 1 {
                let mut parts = parts.into_iter();
                let mut docs = parts.next().map(|part| self.expression(part)).unwrap_or_default();
                let mut inner = Vec::new();
                for part in parts {
                    inner.push(Doc::Line);
                    inner.extend(text(self.source, part[0].first()));
                    inner.extend(self.expression(&part[1..]));
                }
                docs.push(Doc::Indent(inner));
                return self.group(docs);
            }
        }
        let docs = self.plain(nodes);
        self.group(docs)
    }

    fn is_operator(&self, nodes: &[Node], at: usize, operators: &[&str]) -> bool {
        let Node::Leaf(index) = nodes[at] else { return false };
        let piece = &self.source.0[index];
        let found =
            (piece.keyword || piece.symbol) && !piece.sign && operators.contains(&piece.text.as_ref());
        // The `AND` of a range: `BETWEEN` stands before it and no other `AND` in between.
        let belongs_to_range = || {
            nodes[..at]
                .iter()
                .rev()
                .find(|node| self.is_one_of(node, &["AND", "BETWEEN"]))
                .is_some_and(|node| self.is(node, "BETWEEN"))
        };
        found && !(operators == ["AND"] && belongs_to_range())
    }

    fn plain(&self, nodes: &[Node]) -> Vec<Doc> {
        let mut docs = Vec::new();
        for node in nodes {
            match node {
                Node::Leaf(index) => docs.extend(text(self.source, *index)),
                Node::Pair(pair) => docs.extend(self.pair(pair)),
            }
        }
        docs
    }

    fn pair(&self, pair: &Pair) -> Vec<Doc> {
        let follows = |word: &str| pair.open > 0 && self.source.0[pair.open - 1].is(word);
        if self.source.0[pair.open].is("CASE") {
            let clauses = self.split(&pair.inner, |nodes, at| self.is_one_of(&nodes[at], &CASE));
            return self.case(pair, &clauses);
        }
        if pair.inner.is_empty() {
            return self.between(pair, Vec::new(), None);
        }
        if follows("MATCH_RECOGNIZE") {
            let clauses = self.split(&pair.inner, |nodes, at| self.is_one_of(&nodes[at], &MATCH));
            let clauses = clauses.into_iter().map(|clause| self.match_clause(clause));
            return self.between(pair, lines(clauses, Doc::Hard), Some(Doc::Hard));
        }
        if follows("OVER") {
            let clauses = self.split(&pair.inner, |nodes, at| self.is_one_of(&nodes[at], &WINDOW));
            let clauses = clauses.into_iter().map(|clause| self.expression(clause));
            return self.between(pair, lines(clauses, Doc::Line), Some(Doc::Line));
        }
        if follows("PATTERN") || self.source.0[pair.open].is_symbol("{") {
            let inner = self.plain(&pair.inner);
            return self.between(pair, inner, None);
        }
        if self.is_query(&pair.inner) {
            let one_line = self.query_clauses(&pair.inner).len() == 1;
            let inner = self.query(&pair.inner);
            return self.between(pair, inner, Some(if one_line { Doc::Line } else { Doc::Hard }));
        }
        let items = self.separated(&pair.inner).len();
        // Options are read one by one, so each has a line.
        let own_lines = follows("WITH") && items > 1;
        let line = || if own_lines { Doc::Hard } else { Doc::Line };
        let inner = self.items(&pair.inner, line);
        self.between(pair, inner, Some(line()))
    }

    /// Returns brackets around something, with line ends inside them or without.
    fn between(&self, pair: &Pair, inner: Vec<Doc>, line: Option<Doc>) -> Vec<Doc> {
        let mut docs = text(self.source, pair.open);
        match line {
            Some(line) => {
                let again = if matches!(line, Doc::Hard) { Doc::Hard } else { Doc::Line };
                let mut inside = vec![line];
                inside.extend(inner);
                // Comments before the closing bracket speak of what is inside.
                inside.extend(pair.close.and_then(|close| lead(self.source, close)));
                docs.extend([Doc::Indent(inside), again]);
                docs.extend(
                    pair.close.map(|close| text_without_lead(self.source, close)).into_iter().flatten(),
                );
            }
            None => {
                docs.extend(inner);
                docs.extend(pair.close.map(|close| text(self.source, close)).into_iter().flatten());
            }
        }
        self.group(docs)
    }

    fn case(&self, pair: &Pair, clauses: &[&[Node]]) -> Vec<Doc> {
        let mut docs = text(self.source, pair.open);
        let mut inner = Vec::new();
        for clause in clauses {
            if clause.first().is_some_and(|first| self.is_one_of(first, &CASE)) {
                inner.push(Doc::Line);
                inner.extend(self.expression(clause));
            } else {
                docs.extend(self.expression(clause));
            }
        }
        docs.push(Doc::Indent(inner));
        docs.push(Doc::Line);
        docs.extend(pair.close.map(|close| text(self.source, close)).into_iter().flatten());
        self.group(docs)
    }

    fn match_clause(&self, clause: &[Node]) -> Vec<Doc> {
        match clause.first() {
            Some(first) if self.is_one_of(first, &["PARTITION", "ORDER"]) => self.list(clause, 2),
            Some(first) if self.is_one_of(first, &["MEASURES", "DEFINE"]) => self.list(clause, 1),
            _ => {
                let docs = self.plain(clause);
                self.group(docs)
            }
        }
    }

    fn is_query(&self, nodes: &[Node]) -> bool {
        match nodes.first() {
            Some(Node::Pair(pair)) => {
                self.source.0[pair.open].is_symbol("(")
                    && self.is_query(&pair.inner)
                    && nodes[1..].first().is_none_or(|next| self.is(next, "UNION"))
            }
            Some(first) => self.is_one_of(first, &["SELECT", "VALUES"]),
            None => false,
        }
    }

    /// Cuts nodes before those that begin a part.
    fn split<'n>(&self, nodes: &'n [Node], begins: impl Fn(&[Node], usize) -> bool) -> Vec<&'n [Node]> {
        let mut parts = Vec::new();
        let mut start = 0;
        for at in 1..nodes.len() {
            if begins(nodes, at) {
                parts.push(&nodes[start..at]);
                start = at;
            }
        }
        parts.push(&nodes[start..]);
        parts
    }
}

fn lines(parts: impl Iterator<Item = Vec<Doc>>, line: Doc) -> Vec<Doc> {
    let mut docs = Vec::new();
    for part in parts {
        if !docs.is_empty() {
            docs.push(if matches!(line, Doc::Hard) { Doc::Hard } else { Doc::Line });
        }
        docs.extend(part);
    }
    docs
}
