//! Kills workers and the service (-9) while jobs run, and checks that every record is in the output exactly once.
//!
//! `WEIR_CRASH_KILLS` and `WEIR_CRASH_SERVER_KILLS` say how often; `make crash` does it at length. All kills of a test
//! meet one job, which is fed while it lasts. When and how things die comes from `WEIR_SEED`, which a failure prints.

mod elsewhere;
mod endings;
mod logs;
mod objects;
mod plan;
mod savepoints;
mod streams;
mod world;
