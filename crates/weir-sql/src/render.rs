//! Shows an error as people read it in a terminal: the place, the line, a caret below, a hint.

use std::fmt::Write;

use crate::{CheckError, Message, Warning};

/// Returns an error with its place in the text.
///
/// ```text
/// error[CS.13005]: unexpected `FORM`
///   --> job.sql:7:12
///    |
///  7 |   SELECT a FORM b
///    |            ^^^^
///   hint: expected `,` or `FROM`
/// ```
pub fn render(file: &str, text: &str, error: &CheckError) -> String {
    with_place(&format!("error[{}]", error.code), file, text, &error.message)
}

/// Returns a warning with its place in the text, in the form of errors.
pub fn render_warning(file: &str, text: &str, warning: &Warning) -> String {
    with_place(&format!("warning[{}]", warning.kind.name()), file, text, &warning.message)
}

fn with_place(heading: &str, file: &str, text: &str, message: &Message) -> String {
    let Message { position, length, text: complaint, hint } = message;
    let number = position.line.to_string();
    let margin = " ".repeat(number.len());
    let line = text.split('\n').nth(position.line as usize - 1).unwrap_or_default().trim_end_matches('\r');
    let before = position.column as usize - 1;
    // Tabs stay tabs in both lines, so that the caret stands below its character at any tab width.
    let indent: String = line.chars().take(before).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    let room = line.chars().count().saturating_sub(before);
    let caret = "^".repeat((*length as usize).min(room.max(1)));
    let mut shown = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(shown, "{heading}: {complaint}");
    let _ = writeln!(shown, "  --> {file}:{}:{}", position.line, position.column);
    let _ = writeln!(shown, " {margin} |");
    let _ = writeln!(shown, " {number} | {}", line.replace('\u{a0}', " "));
    let _ = writeln!(shown, " {margin} | {indent}{caret}");
    if let Some(hint) = hint {
        let _ = writeln!(shown, "  hint: {hint}");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Position;

    #[test]
    fn the_caret_stands_below_the_characters() {
        let error =
            CheckError::new(Position { line: 2, column: 3 }, 4, "unexpected `FORM`").hint("expected `FROM`");
        assert_eq!(
            render("job.sql", "SELECT a\n\u{e9} FORM b\r\n", &error),
            "error[CS.13005]: unexpected `FORM`\n  --> job.sql:2:3\n   |\n 2 | \u{e9} FORM b\n   |   ^^^^\n  hint: expected `FROM`\n"
        );
    }

    #[test]
    fn places_outside_the_text_do_no_harm() {
        let error = CheckError::new(Position { line: 9, column: 9 }, 4, "unexpected end of the text");
        assert!(render("job.sql", "a", &error).ends_with(" 9 | \n   | ^\n"));
    }
}
