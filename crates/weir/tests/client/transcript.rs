//! Runs a transcript: commands, what they print on both streams, and their exit code when it is not 0.
//!
//! A line that begins with `$ ` is a command for the shell, which goes on in lines that begin with `> `; indented below is
//! what it prints, without empty lines, and then `[1]` if that is its exit code. Times, ids and the port of the service are replaced by fixed ones, and what is
//! shown while something takes long (`... `) is left out. `UPDATE_DOCS=1` writes what is printed now; read the difference.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use weir_testkit::service::{Service, ServiceOptions};

pub const WEIR: &str = env!("CARGO_BIN_EXE_weir");

/// A service, and a user with a home of their own.
pub struct World {
    pub service: Service,
    pub home: tempfile::TempDir,
}

impl World {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts with more arguments of `weir serve`.
    pub fn start_with(more: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let directories = home.path().to_str().unwrap().to_string();
        let arguments = ["--file-directories", &directories, "--internal-webhooks", "true"];
        let arguments = arguments.iter().chain(more).map(ToString::to_string).collect();
        let options = ServiceOptions { arguments, ..ServiceOptions::default() };
        Self { service: Service::start(Path::new(WEIR), options).unwrap(), home }
    }

    /// Prepares a program that finds `weir` and the service, and nothing else of the surroundings.
    pub fn command(&self, program: &str) -> Command {
        let binaries = Path::new(WEIR).parent().unwrap().to_str().unwrap();
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", format!("{binaries}:/usr/local/bin:/usr/bin:/bin"))
            .env("HOME", self.home.path())
            .env("SERVICE", self.service.endpoint().unwrap())
            .env("S3", self.service.s3_endpoint().unwrap())
            .env("DATA", self.service.data())
            .env("PASSWORD", self.service.password())
            .current_dir(self.home.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs a line of shell, which must succeed, and returns what it prints on both streams.
    pub fn shell(&self, line: &str) -> String {
        let (text, code) = self.run(line);
        assert_eq!(code, 0, "{line}\n{text}");
        text
    }

    fn run(&self, line: &str) -> (String, i32) {
        let output = self.command("sh").args(["-c", &format!("exec 2>&1\n{line}")]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (text, output.status.code().unwrap_or(-1))
    }
}

/// Checks the transcript with a name.
pub fn check(name: &str) {
    check_in(&World::start(), name);
}

/// Checks the transcript with a name in a world of its own.
pub fn check_in(world: &World, name: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/client/transcripts/{name}.txt"));
    let expected = std::fs::read_to_string(&path).unwrap();
    let port = world.service.endpoint().unwrap().rsplit(':').next().unwrap().to_string();
    let home = world.home.path().to_str().unwrap().to_string();
    let mut found = String::new();
    for (command, shown) in steps(&expected) {
        let (text, code) = world.run(&command);
        found.push_str(&shown);
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with("... ")) {
            let line = line.replace(&format!("127.0.0.1:{port}"), "127.0.0.1:8780").replace(&home, "~");
            found.push_str(&format!("  {}\n", settle(&line).trim_end()));
        }
        if code != 0 {
            found.push_str(&format!("  [{code}]\n"));
        }
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, found).unwrap();
        return;
    }
    let differs = expected.lines().zip(found.lines()).position(|(expected, found)| expected != found);
    let line = differs.unwrap_or_else(|| expected.lines().count().min(found.lines().count()));
    assert!(
        expected == found,
        "{} differs from line {} on; the service said:\n{}\n\nexpected:\n{expected}\nfound:\n{found}",
        path.display(),
        line + 1,
        world.service.messages()
    );
}

/// Returns the commands of a transcript, each with how it and the comments before it are written.
fn steps(text: &str) -> Vec<(String, String)> {
    let mut steps: Vec<(String, String)> = Vec::new();
    let mut before = String::new();
    for line in text.lines() {
        if line.is_empty() || line.starts_with('#') {
            before.push_str(&format!("{line}\n"));
        } else if let Some(command) = line.strip_prefix("$ ") {
            steps.push((format!("{command}\n"), format!("{before}{line}\n")));
            before.clear();
        } else if let (Some(more), Some((command, shown))) = (line.strip_prefix("> "), steps.last_mut()) {
            command.push_str(&format!("{more}\n"));
            shown.push_str(&format!("{line}\n"));
        }
    }
    steps
}

/// Replaces times and ids, which differ from run to run, by fixed ones of the same length.
fn settle(line: &str) -> String {
    const TIME: &str = "dddd-dd-dd?dd:dd:dd";
    const UUID: &str = "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";
    let bytes = line.as_bytes();
    let mut out = String::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let hex = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if has_form(rest, UUID) {
            out.push_str(&UUID.replace('h', "0"));
            at += UUID.len();
        } else if has_form(rest, TIME) {
            out.push_str(if rest[10] == b'T' { "2000-01-01T00:00:00" } else { "2000-01-01 00:00:00" });
            at += TIME.len();
            if bytes.get(at) == Some(&b'.') {
                let fraction = bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                out.push_str(&format!(".{}", "0".repeat(fraction)));
                at += 1 + fraction;
            }
        } else if hex >= 32 {
            out.push_str(&"f".repeat(hex));
            at += hex;
        } else if digits == 13 {
            out.push_str("1000000000000");
            at += digits;
        } else {
            let next = hex.max(1);
            out.push_str(std::str::from_utf8(&rest[..next]).unwrap_or("?"));
            at += next;
        }
    }
    out
}

fn has_form(text: &[u8], form: &str) -> bool {
    let fits = |(byte, form): (&u8, u8)| match form {
        b'd' => byte.is_ascii_digit(),
        b'h' => byte.is_ascii_hexdigit(),
        b'?' => matches!(byte, b' ' | b'T'),
        form => *byte == form,
    };
    text.len() >= form.len() && text.iter().zip(form.bytes()).all(fits)
}

#[test]
fn times_and_ids_are_settled() {
    assert_eq!(
        settle(
            "a 2026-11-27 08:02:43 b 2026-11-28T08:02:42.679Z 8d383ab3cf3a793a111b77168e5ac813 1795766562679"
        ),
        "a 2000-01-01 00:00:00 b 2000-01-01T00:00:00.000Z ffffffffffffffffffffffffffffffff 1000000000000"
    );
}
