//! Lays the text of a job out: keywords in upper case, one clause a line, lines of 100 characters, comments kept.
//!
//! The formatter works on the tokens. The parser tells which words are names; everything else about a word comes from
//! its place. The layout is a function of the tokens and of where comments stand among them: lines that begin with a
//! comment, comments that end a line, empty lines around comments. All that is kept, so formatting a second time
//! changes nothing.

mod document;
mod layout;
mod source;
mod tree;

use crate::CheckErrors;
use crate::syntax::words_and_names;
use source::Source;

/// Returns the text of a job laid out anew. Refuses a text that cannot be parsed.
pub fn format(text: &str) -> Result<String, CheckErrors> {
    let (tokens, names) = words_and_names(text)?;
    let source = Source::new(text, tokens, names);
    Ok(document::print(&source, &layout::job(&source)))
}

/// Tells whether two texts are the same job: the same tokens and comments in the same order, keywords in any case.
pub fn is_same_job(one: &str, other: &str) -> bool {
    let content = |text: &str| {
        let (tokens, names) = words_and_names(text).ok()?;
        Some(Source::new(text, tokens, names).content())
    };
    match (content(one), content(other)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}
