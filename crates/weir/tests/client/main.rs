//! The commands that call a service, against a real one: transcripts of what they print and how they end.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

mod manual;
mod progress;
mod transcript;

use transcript::{World, check, check_in};

#[test]
fn logging_in_and_out() {
    check("login");
}

#[test]
fn jobs() {
    check_in(&World::start_with(&["--edge-groups", "1"]), "jobs");
}

#[test]
fn archives_savepoints_and_jars() {
    check("transfers");
}

#[test]
fn templates_quotas_and_the_audit() {
    check("quotas");
}

#[test]
fn clusters_hosts_and_peerings() {
    check("clusters");
}

#[test]
fn topics() {
    check("topics");
}

#[test]
fn accounts() {
    check("iam");
}

#[test]
fn groups_of_users_and_traces() {
    check("groups");
}

#[test]
fn money() {
    check_in(&World::start_with(&["--billing", "on"]), "billing");
}
