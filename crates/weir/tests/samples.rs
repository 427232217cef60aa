//! The samples that the service offers: every file is offered, has a test that it passes, and is accepted by the checker.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use weir_control::SAMPLES;

const WEIR: &str = env!("CARGO_BIN_EXE_weir");
/// What a sample says that a shared cluster refuses.
const EXCLUSIVE: &str = "exclusive cluster";

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples")
}

#[test]
fn every_file_is_offered_and_has_a_test() {
    let files = |end: &str| -> BTreeSet<String> {
        let names = std::fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().file_name());
        let names = names.map(|name| name.into_string().unwrap());
        names.filter_map(|name| name.strip_suffix(end).map(str::to_string)).collect()
    };
    let offered: Vec<&str> = SAMPLES.iter().map(|sample| sample.name).collect();
    assert_eq!(offered, files(".sql").iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(files(".sql"), files(".test.toml"));
}

#[test]
fn a_sample_can_become_a_template_as_it_is() {
    for sample in SAMPLES {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        assert!(sample.name.len() <= 64 && sample.name.bytes().all(is_name), "{}", sample.name);
        assert!(sample.sql.starts_with("-- ") && sample.sql.len() <= 10_000, "{}", sample.name);
        assert!((20..=512).contains(&sample.desc().len()), "{}: {}", sample.name, sample.desc());
    }
}

#[test]
fn the_checker_finds_no_mistake() {
    for sample in SAMPLES {
        let accepts = |cluster: &str| {
            let file = directory().join(format!("{}.sql", sample.name));
            let output = Command::new(WEIR).args(["check", "--cluster", cluster]).arg(file).output().unwrap();
            output.status.success()
        };
        assert!(accepts("exclusive"), "{}", sample.name);
        assert_eq!(accepts("shared"), !sample.desc().contains(EXCLUSIVE), "{}", sample.name);
    }
}

#[test]
fn what_comes_out_is_what_its_test_says() {
    let output = Command::new(WEIR).args(["test", "--stress"]).arg(directory()).output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    let told = format!("{shown}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}");
    assert!(shown.contains(&format!("{} passed, 0 failed", SAMPLES.len())), "{told}");
}
