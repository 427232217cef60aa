//! What surrounds a job: objects, identity, notifications, streams; an embedded and a remote form each.

pub mod gateway;
pub mod identity;
pub mod notifications;
pub mod objects;
pub mod sealing;
pub mod streams;
