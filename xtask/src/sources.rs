//! Checks on the text of source files: a first line that says what the file is for, its length, open ends without an issue.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// A file longer than this, tests left out, has more than one subject.
const LONGEST_FILE: usize = 800;

/// Where source files are.
const PLACES: &[&str] = &["crates", "xtask", "fuzz"];

/// Returns the complaints about the source files below `root`.
pub fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut files = Vec::new();
    for place in PLACES {
        let place = root.join(place);
        if place.is_dir() {
            collect(&place, &mut files)?;
        }
    }
    files.sort();
    let mut complaints = Vec::new();
    for file in &files {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let name = file.strip_prefix(root).unwrap_or(file).display().to_string();
        complaints
            .extend(complaints_about(&text).into_iter().map(|complaint| format!("{name}: {complaint}")));
    }
    Ok(complaints)
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "target") {
                collect(&path, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

fn complaints_about(text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    // A fuzz target and a program for one purpose may start with an attribute such as `#![no_main]`.
    let first = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with("#!["));
    if !first.is_some_and(|line| line.starts_with("//! ")) {
        complaints.push("the first line must be a `//!` text that says what the file is for".to_string());
    }
    let length = text.lines().take_while(|line| line.trim() != "#[cfg(test)]").count();
    if length > LONGEST_FILE {
        complaints
            .push(format!("{length} lines without tests, more than {LONGEST_FILE}: split it by subject"));
    }
    for (number, line) in text.lines().enumerate() {
        if let Some(place) = todo_in(line)
            && !line[place..].contains('#')
        {
            complaints.push(format!("line {}: a TODO needs the number of its issue, `#123`", number + 1));
        }
    }
    complaints
}

/// Returns where the mark of unfinished work stands in the comment of a line.
fn todo_in(line: &str) -> Option<usize> {
    let comment = line.find("//")?;
    ["TODO", "FIXME"]
        .iter()
        .find_map(|mark| line[comment..].find(&format!(" {mark}")))
        .map(|place| comment + place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_file_has_no_complaints() {
        assert!(complaints_about("//! Says why.\n\nfn f() {}\n").is_empty());
        assert!(complaints_about("#![no_main]\n//! Says why.\n").is_empty());
    }

    #[test]
    fn a_file_without_a_text_is_named() {
        assert_eq!(complaints_about("use std::fmt;\n").len(), 1);
        assert_eq!(complaints_about("").len(), 1);
    }

    #[test]
    fn a_long_file_is_named_and_its_tests_are_not_counted() {
        let long = format!("//! Long.\n{}", "fn f() {}\n".repeat(800));
        assert_eq!(complaints_about(&long).len(), 1);
        let tested = format!("//! Short.\n#[cfg(test)]\n{}", "fn f() {}\n".repeat(800));
        assert!(complaints_about(&tested).is_empty());
    }

    #[test]
    fn an_open_end_needs_an_issue() {
        let mark = "TODO";
        assert_eq!(complaints_about(&format!("//! T.\n// {mark} later\n")).len(), 1);
        assert!(complaints_about(&format!("//! T.\n// {mark} when it can be read, #214\n")).is_empty());
    }
}
