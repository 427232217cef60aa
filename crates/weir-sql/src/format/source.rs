//! The tokens of a text with all that the layout needs to know of each: its text, the space before it, its comments.

use std::borrow::Cow;

use crate::syntax::{Token, TokenKind};

/// A comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Comment<'a> {
    /// The comment with its marks, without blanks at the end.
    pub text: &'a str,
    /// Whether it begins a line.
    pub own_line: bool,
    /// Whether nothing but blanks follows it on its line.
    pub ends_line: bool,
    /// Whether an empty line stands before it.
    pub after_empty_line: bool,
}

/// One token.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    /// Its text; keywords in upper case.
    pub text: Cow<'a, str>,
    /// Whether it is a keyword.
    pub keyword: bool,
    /// Whether it is an operator or a bracket.
    pub symbol: bool,
    /// Whether a space stands before it when it does not begin a line.
    pub spaced: bool,
    /// Whether it is `-` or `+` before its only operand.
    pub sign: bool,
    /// Whether it is `<` or `>` of a type.
    pub angle: bool,
    /// The comments before it; the first of them begins a line.
    pub before: Vec<Comment<'a>>,
    /// Whether an empty line stands between those comments and the token.
    pub after_empty_line: bool,
    /// The comments after it on its line.
    pub after: Vec<Comment<'a>>,
}

impl Piece<'_> {
    /// Returns whether the token is this keyword.
    pub fn is(&self, word: &str) -> bool {
        self.keyword && self.text == word
    }

    /// Returns whether the token is this operator or bracket.
    pub fn is_symbol(&self, symbol: &str) -> bool {
        self.symbol && self.text == symbol
    }
}

/// The tokens of a text; the last one is its end.
#[derive(Debug)]
pub(super) struct Source<'a>(pub Vec<Piece<'a>>);

impl<'a> Source<'a> {
    /// Takes a text apart.
    pub fn new(text: &'a str, tokens: Vec<Token<'a>>, names: Vec<bool>) -> Self {
        let mut pieces: Vec<Piece<'a>> = Vec::with_capacity(tokens.len());
        let mut end = 0;
        for (token, name) in tokens.into_iter().zip(names) {
            let keyword = token.kind == TokenKind::Word && !name;
            let mut gap = comments(&text[end..token.offset], end == 0);
            // What follows a comment that was put behind a mark begins a line now.
            if let Some(first) = gap.comments.first_mut()
                && pieces.last().is_some_and(|last| !last.after.is_empty())
            {
                first.own_line = true;
            }
            end = token.offset + token.text.len();
            let trailing = gap.comments.iter().take_while(|comment| !comment.own_line).count();
            let mut after = gap.comments;
            let before = after.split_off(trailing);
            // `a -- text` and a comma on the next line: the comma goes before the comment, not on a line of its own.
            let is_mark = |symbol: bool, text: &str| symbol && matches!(text, "," | ";");
            let swaps = is_mark(token.kind == TokenKind::Symbol, token.text)
                && before.is_empty()
                && after.last().is_some_and(|comment| comment.ends_line)
                && pieces.last().is_some_and(|last| !is_mark(last.symbol, &last.text));
            let swapped = if swaps { std::mem::take(&mut after) } else { Vec::new() };
            if let Some(last) = pieces.last_mut() {
                last.after.extend(after);
            }
            pieces.push(Piece {
                text: if keyword { token.text.to_uppercase().into() } else { token.text.into() },
                keyword,
                symbol: token.kind == TokenKind::Symbol,
                spaced: true,
                sign: false,
                angle: false,
                before,
                after_empty_line: gap.ends_with_empty_line,
                after: swapped,
            });
        }
        mark_angles(&mut pieces);
        mark_signs_and_spaces(&mut pieces);
        Self(pieces)
    }

    /// Returns the tokens and comments without what formatting may change.
    pub fn content(&self) -> Vec<String> {
        let text = |comment: &Comment<'_>| comment.text.to_string();
        let mut content = Vec::new();
        for piece in &self.0 {
            content.extend(piece.before.iter().map(text));
            content.push(piece.text.to_string());
            content.extend(piece.after.iter().map(text));
        }
        content
    }
}

/// What stands between two tokens.
struct Gap<'a> {
    comments: Vec<Comment<'a>>,
    ends_with_empty_line: bool,
}

fn comments(gap: &str, begins_text: bool) -> Gap<'_> {
    let mut comments: Vec<Comment<'_>> = Vec::new();
    let mut line_feeds = 0;
    let mut rest = gap;
    while let Some(character) = rest.chars().next() {
        let line = rest.starts_with("--") || rest.starts_with("//");
        let length = if line {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(within) = rest.strip_prefix("/*") {
            within.find("*/").map_or(rest.len(), |end| end + 4)
        } else {
            if character == '\n' {
                line_feeds += 1;
                if let Some(last) = comments.last_mut() {
                    last.ends_line = true;
                }
            }
            rest = &rest[character.len_utf8()..];
            continue;
        };
        comments.push(Comment {
            text: rest[..length].trim_end(),
            own_line: line_feeds > 0 || (begins_text && comments.is_empty()),
            ends_line: line,
            after_empty_line: line_feeds > 1,
        });
        line_feeds = 0;
        rest = &rest[length..];
    }
    Gap { comments, ends_with_empty_line: line_feeds > 1 }
}

/// Finds the brackets of `ARRAY<...>`, `MAP<...>` and `ROW<...>`.
fn mark_angles(pieces: &mut [Piece<'_>]) {
    let mut open: Vec<bool> = Vec::new();
    for index in 0..pieces.len() {
        let after_type = index > 0 && ["ARRAY", "MAP", "ROW"].iter().any(|word| pieces[index - 1].is(word));
        let piece = &mut pieces[index];
        if !piece.symbol {
            continue;
        }
        match piece.text.as_ref() {
            "<" if after_type => {
                piece.angle = true;
                open.push(true);
            }
            ">" if open.last() == Some(&true) => {
                piece.angle = true;
                open.pop();
            }
            "(" | "[" => open.push(false),
            ")" | "]" => drop(open.pop()),
            _ => {}
        }
    }
}

fn mark_signs_and_spaces(pieces: &mut [Piece<'_>]) {
    let mut pattern = PatternBrackets::default();
    for index in 1..pieces.len() {
        let in_pattern = pattern.follow(&pieces[index - 1], &pieces[index]);
        let is_sign = (pieces[index].is_symbol("-") || pieces[index].is_symbol("+"))
            && !in_pattern
            && !ends_operand(&pieces[index - 1]);
        let declares = is_declared(pieces, index - 1);
        let spaced = is_spaced(&pieces[index - 1], &pieces[index], in_pattern, declares);
        pieces[index].sign = is_sign;
        pieces[index].spaced = spaced;
    }
}

/// Follows the brackets of `PATTERN (...)`.
#[derive(Default)]
struct PatternBrackets {
    depth: usize,
}

impl PatternBrackets {
    /// Goes on to a token; returns whether it stands inside the brackets.
    fn follow(&mut self, previous: &Piece<'_>, piece: &Piece<'_>) -> bool {
        if self.depth == 0 {
            self.depth = usize::from(previous.is("PATTERN") && piece.is_symbol("("));
            return false;
        }
        if piece.is_symbol("(") {
            self.depth += 1;
        } else if piece.is_symbol(")") {
            self.depth -= 1;
        }
        true
    }
}

/// Tells whether a token is the name of what a statement creates or fills; a bracket after it begins no call.
fn is_declared(pieces: &[Piece<'_>], index: usize) -> bool {
    let before = |ahead: usize, words: &[&str]| {
        index.checked_sub(ahead).is_some_and(|index| words.iter().any(|word| pieces[index].is(word)))
    };
    !pieces[index].keyword
        && ((before(1, &["STREAM", "TABLE"]) && before(2, &["SOURCE", "SINK", "TEMP", "CREATE"]))
            || (before(1, &["INTO"]) && before(2, &["INSERT"])))
}

/// Keywords that end an operand, so that a sign after them has two operands.
const OPERANDS: &str = "NULL TRUE FALSE UNKNOWN END CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP LOCALTIME \
    LOCALTIMESTAMP YEAR YEARS MONTH MONTHS DAY DAYS HOUR HOURS MINUTE MINUTES SECOND SECONDS \
    MILLISECOND MILLISECONDS WEEK QUARTER DOW DOY";
/// Keywords that are written like functions.
const CALLS: &str = "CAST EXTRACT FLOOR CEIL CEILING SUBSTRING TRIM POSITION OVERLAY UNNEST ROW TABLE GROUPING \
    VARCHAR CHAR DECIMAL DEC NUMERIC TIMESTAMP CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP \
    LOCALTIME LOCALTIMESTAMP";

fn is_among(words: &str, word: &str) -> bool {
    words.split(' ').any(|of| of == word)
}

fn ends_operand(piece: &Piece<'_>) -> bool {
    match (piece.symbol, piece.keyword) {
        (true, _) => matches!(piece.text.as_ref(), ")" | "]"),
        (_, true) => is_among(OPERANDS, &piece.text),
        _ => true,
    }
}

/// Tells whether a space stands between two tokens. Where there is none the two may not make another token.
fn is_spaced(previous: &Piece<'_>, piece: &Piece<'_>, in_pattern: bool, after_declared: bool) -> bool {
    let symbol = |piece: &Piece<'_>| if piece.symbol { piece.text.to_string() } else { String::new() };
    let (before, this) = (symbol(previous), symbol(piece));
    let is_number = previous.text.starts_with(|c: char| c.is_ascii_digit());
    match (before.as_str(), this.as_str()) {
        (_, "," | ";" | ")" | "]" | "[") | ("(" | "[" | ".", _) => false,
        // `1.` would be another number.
        (_, ".") => is_number,
        _ if previous.angle && before == "<" || piece.angle => false,
        (_, "{" | "}") | ("{", _) => false,
        // Only the bounds of a quantifier have commas in a pattern.
        (",", _) | (_, "*" | "+" | "?") if in_pattern => false,
        (_, "(") if in_pattern => true,
        (_, "(") if previous.keyword => !is_among(CALLS, &previous.text),
        (_, "(") if previous.symbol => !previous.sign,
        (_, "(") => after_declared,
        // Two of them would begin a comment.
        ("-" | "+", this) if previous.sign => this == before,
        _ => true,
    }
}
