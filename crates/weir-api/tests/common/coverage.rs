//! Which tests provoke which error code: what the files of tests say.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Folders with tests over HTTP, relative to the crate, and the extension of their files.
const FOLDERS: [(&str, &str); 2] = [("tests", "rs"), ("../../tests/rest", "yaml")];

/// Returns the numbers of the codes that tests expect, each with the names of the files.
pub fn of_tests() -> BTreeMap<u32, BTreeSet<String>> {
    let mut covered: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
    for (folder, extension) in FOLDERS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|found| found != extension) {
                continue;
            }
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            for number in numbers(&text) {
                covered.entry(number).or_default().insert(name.clone());
            }
        }
    }
    covered
}

/// Returns the numbers after every `CS.` of a text.
fn numbers(text: &str) -> impl Iterator<Item = u32> {
    text.match_indices("CS.").filter_map(|(at, _)| text.get(at + 3..at + 8)?.parse().ok())
}
