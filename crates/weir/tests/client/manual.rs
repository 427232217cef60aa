//! Completion scripts and man pages, made from the commands as they are.

use std::process::Command;

use super::transcript::WEIR;

#[test]
fn shells_get_a_script_that_knows_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = Command::new(WEIR).args(["completion", shell]).output().unwrap();
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{shell}");
        for word in ["subscribe", "resume-savepoint", "whoami"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let bash = format!(
        "eval \"$({WEIR} completion bash)\"; COMP_WORDS=(weir job st); COMP_CWORD=2; _weir weir st job; echo \"${{COMPREPLY[@]}}\""
    );
    let output = Command::new("bash").args(["-c", &bash]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "stop", "{output:?}");
}

#[test]
fn every_command_has_a_man_page() {
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("man1");
    let output = Command::new(WEIR).arg("man").arg(&directory).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let page = |name: &str| std::fs::read_to_string(directory.join(format!("{name}.1"))).unwrap();
    assert!(page("weir").contains("Exit codes"));
    assert!(page("weir-job-run").contains("resume\\-savepoint"));
    assert!(page("weir-iam-key-create").contains("secret key"));
    assert!(!directory.join("weir-worker.1").exists(), "it is not for people");
    let nowhere = Command::new(WEIR).args(["man", "/dev/null/x"]).output().unwrap();
    assert_eq!(nowhere.status.code(), Some(1));
}
