//! The jobs of the repository, as texts.

use std::path::{Path, PathBuf};

/// Returns the golden jobs and the jobs of the corpus, each with its path.
pub fn jobs() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests");
    let mut files = Vec::new();
    for folder in ["jobs", "conformance"] {
        collect(&root.join(folder), &mut files);
    }
    files.sort();
    let mut jobs = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a file of the repository");
        let job = match file.extension().is_some_and(|extension| extension == "toml") {
            true => text.split_once("\nsql = '''").and_then(|(_, rest)| rest.split_once("'''")),
            false => Some((text.as_str(), "")),
        };
        if let Some((job, _)) = job {
            jobs.push((file.display().to_string(), job.to_string()));
        }
    }
    jobs
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of the repository") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            collect(&path, files);
        } else if name == "job.sql" || name.ends_with(".test.toml") {
            files.push(path);
        }
    }
}
