//! Random calls of several users, deaths of workers and kills (-9) of the service, beside a small reference model.
//!
//! Every call is judged by what the model knows, every acknowledged or refused call must have its one audit record, and
//! whenever things come to rest, the service and the model must agree: on what there is, on every status, on the SPUs in use, on
//! the processes that run, on the money. A call that was under way when the service died may have happened or not, but wholly and once.
//!
//! `WEIR_MODEL_KILLS` says how often the service is killed; `make model` does it at length. `WEIR_MODEL_DATABASE` is `sqlite` or
//! `postgres`, where only one of the two databases for the metadata is meant. What is called and killed comes from `WEIR_SEED`, which a
//! failure prints with the last calls; the moments depend on the machine.

mod audit;
mod calls;
mod choice;
mod cluster;
mod job;
mod judge;
mod log;
mod reference;
mod rest;
mod rest_clusters;
mod user;
mod wire;
mod world;

use rand::SeedableRng;
use rand::rngs::StdRng;
use weir_testkit::seed::{SEED_VARIABLE, seed_of_run};
use weir_testkit::servers::Postgres;

use crate::world::World;

/// How often the service is killed in `make test`; takes about half a minute with a debug build.
const KILLS: u32 = 10;

/// The same with the metadata in PostgreSQL.
const POSTGRES_KILLS: u32 = 5;

/// The run that `make test` repeats.
const SEED: u64 = 4_711;

#[tokio::test(flavor = "multi_thread")]
async fn the_service_agrees_with_the_model_after_every_kill() {
    if is_meant("sqlite") {
        run("sqlite", None, KILLS).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_with_metadata_in_postgres_agrees_with_the_model_after_every_kill() {
    if !is_meant("postgres") {
        return;
    }
    let Some(server) = Postgres::start().unwrap() else { return };
    run("postgres", Some(server.address("cars")), POSTGRES_KILLS).await;
}

fn is_meant(database: &str) -> bool {
    match std::env::var("WEIR_MODEL_DATABASE") {
        Ok(meant) if meant == "sqlite" || meant == "postgres" => meant == database,
        Ok(other) => panic!("WEIR_MODEL_DATABASE is `{other}`; it must be sqlite or postgres"),
        Err(_) => true,
    }
}

/// Kills the service, with its metadata at an address or in a file, as often as the environment says, else `kills` times.
async fn run(database: &str, address: Option<String>, kills: u32) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u32>().ok());
    let asked = number("WEIR_MODEL_KILLS");
    let seed = match asked.is_none() && std::env::var(SEED_VARIABLE).is_err() {
        true => SEED,
        false => seed_of_run(),
    };
    let kills = asked.unwrap_or(kills);
    let mut world = World::start(seed, address).await.unwrap_or_else(|error| panic!("{error:#}"));
    let Err(error) = world.run(&mut StdRng::seed_from_u64(seed), kills).await else {
        println!("{database}: {}", world.figures());
        return;
    };
    panic!(
        "{error:#}\nrepeat with WEIR_SEED={seed} WEIR_MODEL_KILLS={kills} WEIR_MODEL_DATABASE={database}\n{}",
        world.keep_for_a_person()
    );
}
