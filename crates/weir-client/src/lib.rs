//! A client of the public API: profiles, credentials, calls, waiting for jobs.
//!
//! [`Client`] sends calls and reads answers of all services on the address of the API; [`connect`] makes one from
//! what a user gives; [`Profiles`] keeps what was given. Answers stay JSON: who asks knows what it wants to see of
//! them. Nothing here knows the command line.

mod call;
mod cluster;
mod connect;
mod error;
mod form;
mod job;
mod login;
mod names;
mod objects;
mod profile;
mod wait;

pub use call::{Body, Client, Project, segment};
pub use cluster::ClusterGoal;
pub use connect::{Access, Credential, connect, release_version};
pub use error::{ClientError, Refusal};
pub use form::Form;
pub use job::{Goal, JobState};
pub use login::{Issued, Password};
pub use names::numbered;
pub use objects::Buckets;
pub use profile::{Profile, Profiles, StoredCredential};
pub use wait::{Verdict, wait};
