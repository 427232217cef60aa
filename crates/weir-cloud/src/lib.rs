//! What surrounds a job: objects, identity, notifications, streams; an embedded and a remote form each.
