//! Text for people: tables, and what came from elsewhere as a terminal may be shown it.

use std::borrow::Cow;
use std::io::IsTerminal;

/// Returns a text that came from elsewhere as one that a terminal shows and does not obey: control characters, and those
/// that turn the direction of writing, stand as escapes such as `\u{1b}`. Line breaks and
/// tabs stay.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    // Lines of other systems end with a return, too, which tells nothing.
    for character in text.replace("\r\n", "\n").chars() {
        match is_obeyed(character) {
            true => out.extend(character.escape_default()),
            false => out.push(character),
        }
    }
    Cow::Owned(out)
}

fn is_obeyed(character: char) -> bool {
    let turns = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (character.is_control() && !matches!(character, '\n' | '\t'))
}

/// Returns a text that is asked for as it is, for standard output: cleaned on a terminal, exact elsewhere.
pub fn for_output(text: &str) -> Cow<'_, str> {
    match std::io::stdout().is_terminal() {
        true => clean(text),
        false => Cow::Borrowed(text),
    }
}

/// Returns rows under headings, columns padded to the widest value. Numbers stand at the right.
pub fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    // A line break would take a table apart.
    let cell = |cell: &String| clean(cell).replace('\n', " ");
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(cell).collect()).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(std::iter::once(headings[column].chars().count())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let numeric = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .all(|cell| cell.is_empty() || cell.parse::<f64>().is_ok())
    };
    let right: Vec<bool> = (0..headings.len()).map(numeric).collect();
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells
            .iter()
            .enumerate()
            .map(|(i, cell)| match right[i] {
                true => format!("{cell:>width$}", width = widths[i]),
                false => format!("{cell:<width$}", width = widths[i]),
            })
            .collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    let mut text = line(&headings.iter().map(ToString::to_string).collect::<Vec<_>>());
    text.push_str(&line(&widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>()));
    for row in &rows {
        text.push_str(&line(row));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        for (text, shown) in [
            ("a\u{1b}[31mEVIL", "a\\u{1b}[31mEVIL"),
            ("a\rb\u{9b}c\u{7f}", "a\\rb\\u{9b}c\\u{7f}"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("a\r\nb\tü", "a\nb\tü"),
        ] {
            assert_eq!(clean(text), shown);
        }
        assert_eq!(table(&["a"], &[vec!["x\u{1b}[2J\ny".to_string()]]), "a\n------------\nx\\u{1b}[2J y\n");
    }
}
