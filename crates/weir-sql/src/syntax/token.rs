//! The tokens of Stream SQL. A token is a slice of the text with its place; it owns nothing.

use sqlparser::tokenizer::{Location, Span};

use crate::{CheckError, Position};

/// A token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token<'a> {
    /// What it is.
    pub kind: TokenKind,
    /// The characters of the text, quotes included; empty at the end.
    pub text: &'a str,
    /// Where it begins.
    pub position: Position,
    /// Byte offset of its first character.
    pub offset: usize,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A keyword or a bare name.
    Word,
    /// A name in back quotes.
    QuotedWord,
    /// A string; the quote character says which kind. `option` tells that it stands in a `WITH` clause, where
    /// escapes are processed in either kind.
    String {
        /// The quote character.
        quote: char,
        /// Whether it is the value of an option.
        option: bool,
    },
    /// A number without sign.
    Number,
    /// An operator or a bracket; the text says which.
    Symbol,
    /// Characters that make no token.
    Invalid(Problem),
    /// The end of the text.
    End,
}

/// Why characters make no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Problem {
    /// A string without its closing quote.
    OpenString,
    /// A back-quoted name without its closing quote.
    OpenName,
    /// Two back quotes with nothing between them.
    EmptyName,
    /// `/*` without `*/`.
    OpenComment,
    /// A number that runs into a letter.
    NumberWithLetters,
    /// A character without meaning.
    Character,
}

impl<'a> Token<'a> {
    /// Returns whether the token is the given keyword, written without back quotes in any case.
    pub fn is_word(&self, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Returns whether the token is the given operator or bracket.
    pub fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == TokenKind::Symbol && self.text == symbol
    }

    /// Returns how many characters the token takes in the text.
    pub fn length(&self) -> u32 {
        u32::try_from(self.text.chars().count()).unwrap_or(u32::MAX).max(1)
    }

    /// Returns the place of the token as the syntax tree wants it: the end is the place after the last character.
    pub fn span(&self) -> Span {
        let (mut line, mut column) = (u64::from(self.position.line), u64::from(self.position.column));
        let start = Location::new(line, column);
        for character in self.text.chars() {
            match character {
                '\n' => (line, column) = (line + 1, 1),
                _ => column += 1,
            }
        }
        Span::new(start, Location::new(line, column))
    }

    /// Makes an error at the token.
    pub fn error(&self, text: impl Into<String>) -> CheckError {
        CheckError::new(self.position, self.length(), text)
    }

    /// Returns how messages name the token. What stands in quotes may be a password and is not told: messages go into logs
    /// and audit records, and the place says which one is meant.
    pub fn describe(&self) -> String {
        const LONGEST: usize = 40;
        match self.kind {
            TokenKind::End => "the end of the text".to_string(),
            TokenKind::String { .. } => "text in quotes".to_string(),
            _ if self.text.chars().count() > LONGEST => {
                let shown: String = self.text.chars().take(LONGEST).collect();
                format!("`{shown}...`")
            }
            _ => format!("`{}`", self.text),
        }
    }
}

impl Problem {
    /// Returns the error for characters that make no token.
    pub fn error(self, token: &Token<'_>) -> CheckError {
        let (length, text, hint) = match self {
            Problem::OpenString => {
                (1, "the string is not closed".to_string(), format!("close it with `{}`", &token.text[..1]))
            }
            Problem::OpenName => {
                (1, "the name is not closed".to_string(), "close it with a back quote".to_string())
            }
            Problem::EmptyName => {
                (2, "the name is empty".to_string(), "write a name between the back quotes".to_string())
            }
            Problem::OpenComment => {
                (2, "the comment is not closed".to_string(), "close it with `*/`".to_string())
            }
            Problem::NumberWithLetters => (
                token.length(),
                format!("{} is neither a number nor a name", token.describe()),
                "a name begins with a letter or `_`; any other name goes in back quotes".to_string(),
            ),
            Problem::Character => (
                token.length(),
                format!("unexpected character {}", token.describe()),
                "names with special characters go in back quotes, text goes in quotes".to_string(),
            ),
        };
        CheckError::new(token.position, length, text).hint(hint)
    }
}
