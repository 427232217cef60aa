//! Texts that commands take from files and from standard input.

use std::io::Read;

use anyhow::Context;
use clap::ArgMatches;

use super::access::text;

/// Returns an argument, or what comes on standard input without the line break at its end.
pub fn argument_or_input(matches: &ArgMatches, name: &str) -> anyhow::Result<String> {
    if let Some(given) = text(matches, name) {
        return Ok(given.to_string());
    }
    let input = read_input(name)?;
    Ok(input.strip_suffix('\n').unwrap_or(&input).to_string())
}

fn read_input(what: &str) -> anyhow::Result<String> {
    let mut input = String::new();
    std::io::stdin()
        .read_to_string(&mut input)
        .with_context(|| format!("the {what} cannot be read from standard input"))?;
    Ok(input)
}
