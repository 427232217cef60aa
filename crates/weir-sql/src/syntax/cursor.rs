//! The parser's place in the tokens: looking, taking, complaining.
//!
//! The grammar itself is in the other files of this folder, as further methods of [`Parser`].

use sqlparser::ast::Ident;
use weir_base::variables::Variables;

use super::ast::Name;
use super::lexer::tokenize;
use super::literal::name_text;
use super::pattern::PatternDetails;
use super::token::{Token, TokenKind};
use super::variables::Uses;
use super::words::is_hard_word;
use crate::CheckError;
use crate::suggest::nearest;

/// How deep queries, expressions and types may be nested. Each level takes a few stack frames here and in
/// everything that walks the tree later, and threads have as little as 2 MB.
const MAX_NESTING: u32 = 36;
/// How many levels a query counts for: its frames are larger, about 40 kB a query in a build without optimisation.
const QUERY_LEVELS: u32 = 4;

/// A recursive-descent parser over the tokens of one job.
pub(crate) struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    next: usize,
    /// For each token whether it was taken as a name; every other word is a keyword.
    names: Vec<bool>,
    nesting: u32,
    /// Global variables that `{{name}}` in option values stands for; `None` leaves it as it is.
    pub(super) variables: Option<&'a Variables>,
    pub(super) uses: Uses,
    /// Height of the expression trees made since it was last set to zero; see `expression.rs`.
    pub(super) height: u32,
    /// Nodes made so far, and how many of them are copies; see `expression.rs`.
    pub(super) nodes: u64,
    pub(super) copied_nodes: u64,
    /// What was found in the statement that is being parsed.
    pub(super) found: Found,
}

/// What the statement of a query holds besides its tree.
#[derive(Default)]
pub(super) struct Found {
    pub patterns: Vec<PatternDetails>,
    pub tables: Vec<Name>,
    pub calls: Vec<Name>,
}

impl<'a> Parser<'a> {
    /// Makes a parser at the beginning of a text.
    pub fn new(text: &'a str, variables: Option<&'a Variables>) -> Self {
        let tokens = tokenize(text);
        Self {
            names: vec![false; tokens.len()],
            tokens,
            next: 0,
            nesting: 0,
            variables,
            uses: Uses::default(),
            height: 0,
            nodes: 0,
            copied_nodes: 0,
            found: Found::default(),
        }
    }

    /// Returns the next token without taking it.
    pub fn peek(&self) -> Token<'a> {
        self.peek_at(0)
    }

    /// Returns the token `ahead` places behind the next one without taking it.
    pub fn peek_at(&self, ahead: usize) -> Token<'a> {
        let last = self.tokens.len() - 1;
        self.tokens[(self.next + ahead).min(last)]
    }

    /// Returns the place in the tokens.
    pub fn place(&self) -> usize {
        self.next
    }

    /// Returns the tokens that were taken since a place.
    pub fn taken_since(&self, place: usize) -> &[Token<'a>] {
        self.tokens.get(place..self.next).unwrap_or_default()
    }

    /// Begins a new statement: nothing is found, nothing is nested. Returns what was found before.
    pub(super) fn forget(&mut self) -> Found {
        (self.nesting, self.height) = (0, 0);
        std::mem::take(&mut self.found)
    }

    /// Returns the token that was taken last.
    pub fn taken_before(&self) -> Option<Token<'a>> {
        self.next.checked_sub(1).and_then(|index| self.tokens.get(index)).copied()
    }

    /// Takes the next token. At the end it goes on returning the end.
    pub fn take(&mut self) -> Token<'a> {
        let token = self.peek();
        if token.kind != TokenKind::End {
            self.next += 1;
        }
        token
    }

    /// Takes the next token as a name.
    pub fn take_name(&mut self) -> Token<'a> {
        if let Some(name) = self.names.get_mut(self.next) {
            *name = true;
        }
        self.take()
    }

    /// Returns the tokens, and for each whether it is a name.
    pub fn into_tokens(self) -> (Vec<Token<'a>>, Vec<bool>) {
        (self.tokens, self.names)
    }

    /// Returns whether the next tokens are these keywords.
    pub fn peek_words(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(ahead, word)| self.peek_at(ahead).is_word(word))
    }

    /// Takes the next token if it is this keyword.
    pub fn take_word(&mut self, word: &str) -> bool {
        self.take_words(&[word])
    }

    /// Takes the next tokens if they are these keywords.
    pub fn take_words(&mut self, words: &[&str]) -> bool {
        let found = self.peek_words(words);
        if found {
            self.next += words.len();
        }
        found
    }

    /// Takes the next token if it is this operator or bracket.
    pub fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = self.peek().is_symbol(symbol);
        if found {
            self.next += 1;
        }
        found
    }

    /// Takes a keyword that must be there.
    pub fn expect_word(&mut self, word: &str) -> Result<Token<'a>, CheckError> {
        match self.peek().is_word(word) {
            true => Ok(self.take()),
            false => Err(self.expected(&format!("`{word}`"))),
        }
    }

    /// Takes an operator or bracket that must be there.
    pub fn expect_symbol(&mut self, symbol: &str) -> Result<Token<'a>, CheckError> {
        self.expect_symbol_or(symbol, "")
    }

    /// Takes an operator or bracket that must be there; the complaint names what else would be accepted.
    pub fn expect_symbol_or(&mut self, symbol: &str, others: &str) -> Result<Token<'a>, CheckError> {
        match self.peek().is_symbol(symbol) {
            true => Ok(self.take()),
            false => Err(self.expected(&format!("{others}`{symbol}`"))),
        }
    }

    /// Returns the error that the next token is not what the grammar wants.
    pub fn expected(&self, wanted: &str) -> CheckError {
        let token = self.peek();
        match token.kind {
            TokenKind::Invalid(problem) => problem.error(&token),
            TokenKind::End => token.error("unexpected end of the text").hint(format!("expected {wanted}")),
            _ => token.error(format!("unexpected {}", token.describe())).hint(self.hint_for(token, wanted)),
        }
    }

    /// Returns what would be accepted in place of a token, or what was probably meant.
    fn hint_for(&self, token: Token<'a>, wanted: &str) -> String {
        if let Some(meant) = misspelt_keyword(&token, wanted) {
            return format!("did you mean `{meant}`?");
        }
        match self.taken_before() {
            Some(before) if before.is_symbol("=") && token.is_symbol("=") => {
                "equality is written with one `=`".to_string()
            }
            // `{,}` of a pattern is not made right by leaving the comma out.
            Some(before) if before.is_symbol(",") && !token.is_symbol("}") => {
                format!("expected {wanted}, or no `,` before it")
            }
            // `"a, b = "c"`: the quote that seems to open `c` closes a string that was not closed before.
            Some(before)
                if matches!(before.kind, TokenKind::String { .. })
                    && before.offset + before.text.len() == token.offset
                    && token.kind == TokenKind::Word =>
            {
                let place = before.position;
                format!(
                    "expected {wanted}; the string that ends here begins at line {}, column {}: is a quote missing before it?",
                    place.line, place.column
                )
            }
            _ => format!("expected {wanted}"),
        }
    }

    /// Takes a name that must be there; `what` says which.
    pub fn expect_name(&mut self, what: &str) -> Result<Token<'a>, CheckError> {
        let token = self.peek();
        match token.kind {
            TokenKind::QuotedWord => Ok(self.take_name()),
            TokenKind::Word if !is_hard_word(token.text) => Ok(self.take_name()),
            TokenKind::Word => Err(token
                .error(format!("`{}` is a reserved word and cannot be {what} as it is", token.text))
                .hint(format!("expected {what}; put a reserved word in back quotes to use it as a name"))),
            TokenKind::String { .. } => Err(self
                .expected(what)
                .hint(format!("expected {what}; quotes make text, a name in quotes takes back quotes"))),
            _ => Err(self.expected(what)),
        }
    }

    /// Takes a name for the statements of a job.
    pub fn name(&mut self, what: &str) -> Result<Name, CheckError> {
        self.expect_name(what).map(|token| name_of(&token))
    }

    /// Takes a name for a query.
    pub fn ident(&mut self, what: &str) -> Result<Ident, CheckError> {
        self.expect_name(what).map(|token| ident_of(&token))
    }

    /// Parses one or more things separated by commas.
    pub fn comma_separated<T>(
        &mut self,
        mut parse: impl FnMut(&mut Self) -> Result<T, CheckError>,
    ) -> Result<Vec<T>, CheckError> {
        let mut list = vec![parse(self)?];
        while self.take_symbol(",") {
            list.push(parse(self)?);
        }
        Ok(list)
    }

    /// Parses something one level deeper; refuses what is too deep.
    pub fn nested<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, CheckError>,
    ) -> Result<T, CheckError> {
        self.deeper(1, parse)
    }

    /// Parses a query one level deeper; refuses what is too deep.
    pub fn nested_query<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, CheckError>,
    ) -> Result<T, CheckError> {
        self.deeper(QUERY_LEVELS, parse)
    }

    fn deeper<T>(
        &mut self,
        levels: u32,
        parse: impl FnOnce(&mut Self) -> Result<T, CheckError>,
    ) -> Result<T, CheckError> {
        if self.nesting + levels > MAX_NESTING {
            return Err(self
                .peek()
                .error("nested too deep")
                .hint("split the statement, for example with a temp stream"));
        }
        self.nesting += levels;
        let result = parse(self);
        self.nesting -= levels;
        result
    }
}

/// Returns the keyword of those in back quotes that a word nearly is.
fn misspelt_keyword<'w>(token: &Token<'_>, wanted: &'w str) -> Option<&'w str> {
    const SHORTEST: usize = 3;
    if token.kind != TokenKind::Word || token.text.len() < SHORTEST {
        return None;
    }
    let quoted = wanted.split('`').skip(1).step_by(2);
    let words = quoted.flat_map(|words| words.split(|letter: char| !letter.is_ascii_uppercase()));
    let meant = nearest(token.text, words.filter(|word| word.len() >= SHORTEST))?;
    // A keyword in the wrong place is not misspelt.
    (!meant.eq_ignore_ascii_case(token.text)).then_some(meant)
}

/// Returns a name token as the statements of a job hold it.
pub(crate) fn name_of(token: &Token<'_>) -> Name {
    Name { value: name_text(token), position: token.position, length: token.length() }
}

/// Returns a name token as queries hold it.
pub(crate) fn ident_of(token: &Token<'_>) -> Ident {
    match token.kind {
        TokenKind::QuotedWord => Ident::with_quote_and_span('`', token.span(), name_text(token)),
        _ => Ident::with_span(token.span(), token.text),
    }
}
