//! Asks before something is destroyed.

use super::text::clean;

/// Asks on the terminal. Everything but yes is no.
pub fn confirm(question: &str) -> std::io::Result<bool> {
    eprint!("{} [y/N] ", clean(question));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
