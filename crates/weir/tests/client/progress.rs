//! What takes long is shown while it lasts, and what is watched is shown again when it has changed.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Stdio};

use super::transcript::World;

/// Ends the command whatever the test does.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_watched_list_is_shown_again_when_it_has_changed() {
    let world = World::start();
    world.shell("echo $PASSWORD | weir login --endpoint $SERVICE");
    let mut watching = world
        .command("weir")
        .args(["job", "list", "--output", "json", "--watch=1"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let _watching = Ended(watching);
    assert_eq!(lines.next().unwrap().unwrap(), r#"{"jobs":[],"total":0}"#);
    world.shell("echo SELECT | weir job create - --name first");
    let second = lines.next().unwrap().unwrap();
    assert!(second.ends_with(r#""total":1}"#) && second.contains(r#""name":"first""#), "{second}");
}

#[test]
fn a_service_that_is_slow_to_answer_is_named_while_it_is_waited_for() {
    let world = World::start();
    // It takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let mut waiting = world
        .command("weir")
        .args(["job", "list", "--endpoint", &endpoint])
        .env("WEIR_TOKEN", "t")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(waiting.stderr.take().unwrap()).lines();
    let _waiting = Ended(waiting);
    assert_eq!(lines.next().unwrap().unwrap(), format!("... waiting for the service at {endpoint}"));
}
