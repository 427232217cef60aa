//! Ids, units, time, audit records, the error catalogue; traits for clock, randomness and spawning.

pub mod audit;
pub mod clock;
pub mod connector;
pub mod error;
pub mod id;
pub mod ipv4;
pub mod money;
pub mod network;
pub mod object_key;
pub mod savepoint;
pub mod settings;
pub mod spawn;
pub mod text;
pub mod time;
pub mod variables;
