//! A text with places where lines may end, and its printing.
//!
//! A group is printed on one line when it fits and nothing in it ends a line; otherwise all its own places for line
//! ends are used. Where comments end lines, a line ends once, however many reasons there are.

use super::source::{Comment, Source};

/// The width of a line.
const WIDTH: usize = 100;
/// Blanks of one level.
const STEP: usize = 2;

/// A part of a document.
#[derive(Debug)]
pub(super) enum Doc {
    /// The comments before a token.
    Lead(usize),
    /// A token.
    Text(usize),
    /// The comments after a token.
    Trail(usize),
    /// A line ends here when the group does not fit.
    Line,
    /// A line ends here.
    Hard,
    /// An empty line.
    Empty,
    /// What is on one line if it fits; whether something in it ends a line.
    Group(Vec<Doc>, bool),
    /// What is indented.
    Indent(Vec<Doc>),
}

/// Returns a token with its comments.
pub(super) fn text(source: &Source<'_>, index: usize) -> Vec<Doc> {
    lead(source, index).into_iter().chain(text_without_lead(source, index)).collect()
}

/// Returns the comments before a token.
pub(super) fn lead(source: &Source<'_>, index: usize) -> Option<Doc> {
    (!source.0[index].before.is_empty()).then_some(Doc::Lead(index))
}

/// Returns a token with the comments after it.
pub(super) fn text_without_lead(source: &Source<'_>, index: usize) -> Vec<Doc> {
    let mut docs = vec![Doc::Text(index)];
    if !source.0[index].after.is_empty() {
        docs.push(Doc::Trail(index));
    }
    docs
}

/// Returns a group. Comments at its edges stay outside, so that they do not end the lines of the group.
pub(super) fn group(source: &Source<'_>, mut docs: Vec<Doc>) -> Vec<Doc> {
    let leading = docs.iter().take_while(|doc| matches!(doc, Doc::Lead(_))).count();
    let trailing = docs.iter().rev().take_while(|doc| matches!(doc, Doc::Trail(_))).count();
    let edge = docs.len().saturating_sub(trailing).max(leading);
    let after = docs.split_off(edge);
    let inside = docs.split_off(leading);
    let breaks = ends_line(source, &inside, Edge::Last);
    docs.push(Doc::Group(inside, breaks));
    docs.extend(after);
    docs
}

/// Whether what is looked at is the last of its group.
#[derive(Clone, Copy, PartialEq)]
enum Edge {
    Inner,
    Last,
}

/// Tells whether something in a group ends a line. A comment that is the last of it does not count: whether a line ends
/// behind it says nothing about the group, and may come from laying it out.
fn ends_line(source: &Source<'_>, docs: &[Doc], edge: Edge) -> bool {
    docs.iter().enumerate().any(|(index, doc)| {
        let edge = if index + 1 == docs.len() { edge } else { Edge::Inner };
        match doc {
            Doc::Lead(_) | Doc::Hard | Doc::Empty | Doc::Group(_, true) => true,
            Doc::Text(index) => source.0[*index].text.contains('\n'),
            Doc::Trail(index) => edge == Edge::Inner && source.0[*index].after.iter().any(ends_its_line),
            Doc::Line => false,
            Doc::Group(inside, false) => edge == Edge::Inner && last_comment_ends_line(source, inside),
            Doc::Indent(docs) => ends_line(source, docs, edge),
        }
    })
}

fn last_comment_ends_line(source: &Source<'_>, docs: &[Doc]) -> bool {
    match docs.last() {
        Some(Doc::Trail(index)) => source.0[*index].after.iter().any(ends_its_line),
        Some(Doc::Group(inside, _) | Doc::Indent(inside)) => last_comment_ends_line(source, inside),
        _ => false,
    }
}

fn ends_its_line(comment: &Comment<'_>) -> bool {
    comment.ends_line || comment.text.contains('\n')
}

/// How a part is printed.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Flat,
    Broken,
}

struct Printer<'a> {
    source: &'a Source<'a>,
    out: String,
    column: usize,
    /// Line ends that are due before the next token, and the indentation then.
    due: Option<(usize, usize)>,
    /// Whether the last thing printed is a comment.
    after_comment: bool,
}

/// Prints a document.
pub(super) fn print(source: &Source<'_>, docs: &[Doc]) -> String {
    let mut printer = Printer { source, out: String::new(), column: 0, due: None, after_comment: false };
    let mut stack: Vec<(usize, Mode, &Doc)> = docs.iter().rev().map(|doc| (0, Mode::Broken, doc)).collect();
    while let Some((indent, mode, doc)) = stack.pop() {
        match doc {
            Doc::Lead(index) => printer.lead(*index, indent),
            Doc::Text(index) => printer.token(*index),
            Doc::Trail(index) => printer.trail(*index, indent),
            Doc::Line if mode == Mode::Flat => {}
            Doc::Line | Doc::Hard => printer.end_line(1, indent),
            Doc::Empty => printer.end_line(2, indent),
            Doc::Group(inside, ends_line) => {
                let fits = !ends_line && printer.fits(inside, &stack);
                let mode = if fits { Mode::Flat } else { Mode::Broken };
                stack.extend(inside.iter().rev().map(|doc| (indent, mode, doc)));
            }
            Doc::Indent(inside) => stack.extend(inside.iter().rev().map(|doc| (indent + STEP, mode, doc))),
        }
    }
    if !printer.out.is_empty() {
        printer.out.push('\n');
    }
    printer.out
}

impl Printer<'_> {
    fn end_line(&mut self, lines: usize, indent: usize) {
        let before = self.due.map_or(0, |(lines, _)| lines);
        self.due = Some((lines.max(before), indent));
    }

    fn token(&mut self, index: usize) {
        let piece = &self.source.0[index];
        self.write(&piece.text, piece.spaced);
        self.after_comment = false;
    }

    fn lead(&mut self, index: usize, indent: usize) {
        let piece = &self.source.0[index];
        for comment in &piece.before {
            if comment.own_line {
                self.end_line(if comment.after_empty_line { 2 } else { 1 }, indent);
            }
            self.comment(comment, indent);
        }
        if piece.after_empty_line {
            self.end_line(2, indent);
        }
    }

    fn trail(&mut self, index: usize, indent: usize) {
        for comment in &self.source.0[index].after {
            self.comment(comment, indent);
        }
    }

    fn comment(&mut self, comment: &Comment<'_>, indent: usize) {
        self.write(comment.text, true);
        self.after_comment = true;
        if comment.ends_line {
            self.end_line(1, indent);
        }
    }

    fn write(&mut self, text: &str, spaced: bool) {
        if let Some((lines, indent)) = self.due.take().filter(|_| !self.out.is_empty()) {
            self.out.extend(std::iter::repeat_n('\n', lines));
            self.out.extend(std::iter::repeat_n(' ', indent));
            self.column = indent;
        } else if !self.out.is_empty() && (spaced || self.after_comment) {
            self.out.push(' ');
            self.column += 1;
        }
        self.out.push_str(text);
        self.column = match text.rsplit_once('\n') {
            Some((_, last)) => last.chars().count(),
            None => self.column + text.chars().count(),
        };
    }

    /// Tells whether a group fits into the rest of the line, with all that follows up to the next line end.
    fn fits(&self, group: &[Doc], rest: &[(usize, Mode, &Doc)]) -> bool {
        let column = self.due.map_or(self.column, |(_, indent)| indent);
        let mut room = WIDTH.saturating_sub(column);
        let mut begins_line = self.due.is_some() || self.out.is_empty();
        let mut stack: Vec<(Mode, &Doc)> = group.iter().rev().map(|doc| (Mode::Flat, doc)).collect();
        let mut rest = rest.iter().rev();
        // A comment may reach beyond the line when nothing follows it: breaking the group would not make it shorter.
        let mut comments = 0;
        loop {
            let Some((mode, doc)) = stack.pop().or_else(|| rest.next().map(|(_, mode, doc)| (*mode, *doc)))
            else {
                return true;
            };
            match doc {
                Doc::Line if mode == Mode::Flat => {}
                Doc::Line | Doc::Hard | Doc::Empty | Doc::Lead(_) => return true,
                Doc::Group(inside, ends_line) => {
                    let mode = if *ends_line { Mode::Broken } else { mode };
                    stack.extend(inside.iter().rev().map(|doc| (mode, doc)));
                }
                Doc::Indent(inside) => stack.extend(inside.iter().rev().map(|doc| (mode, doc))),
                Doc::Text(index) => {
                    let piece = &self.source.0[*index];
                    let first_line = piece.text.split('\n').next().unwrap_or_default();
                    let space = usize::from(piece.spaced && !begins_line);
                    let width = std::mem::take(&mut comments) + space + first_line.chars().count();
                    if width > room {
                        return false;
                    }
                    if first_line.len() < piece.text.len() {
                        return true;
                    }
                    room -= width;
                    begins_line = false;
                }
                Doc::Trail(index) => {
                    let after = &self.source.0[*index].after;
                    if after.iter().any(ends_its_line) {
                        return true;
                    }
                    comments += after.iter().map(|comment| comment.text.chars().count() + 1).sum::<usize>();
                }
            }
        }
    }
}
