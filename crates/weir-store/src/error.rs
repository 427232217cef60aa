//! What can go wrong with the metadata.

use thiserror::Error;

/// A fault of the metadata store, or a rule of it that a write would break.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Another job, or another template, of the project has the name.
    #[error("the project has one with this name already")]
    NameTaken,
    /// The project has as many of the kind as it may have.
    #[error("the project has {limit} already")]
    TooMany {
        /// How many it may have.
        limit: u32,
    },
    /// The project has as many drafts as it may have.
    #[error("the project has {limit} draft jobs already")]
    TooManyDrafts {
        /// How many it may have.
        limit: u32,
    },
    /// Somebody else wrote the job since it was read; read it again.
    #[error("the job was changed by somebody else meanwhile")]
    Conflict,
    /// A job would go to a status to which none leads from where it is.
    #[error("job {job} cannot go from {from} to {to}")]
    NoMove {
        /// The job.
        job: i64,
        /// Its status.
        from: &'static str,
        /// The other one.
        to: &'static str,
    },
    /// An entry of the ledger whose amounts do not add up to 0, or to more than can be kept.
    #[error("the ledger takes no entry whose amounts do not add up to 0")]
    Unbalanced,
    /// A stored value of the ledger cannot be read.
    #[error("metadata store: {what} of usage {usage} cannot be read: {reason}")]
    CorruptUsage {
        /// The stretch of use.
        usage: i64,
        /// The column.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// An address that names no PostgreSQL database.
    #[error("the address of the metadata must be postgres://user:password@host:port/database")]
    BadAddress,
    /// What works on a file only was asked of a server.
    #[error(
        "the metadata are on a PostgreSQL server: copy them with pg_dump, and the file `sealing.key` of the data directory with them"
    )]
    NotAFile,
    /// A path that cannot be told to the database.
    #[error("the path is not valid UTF-8")]
    BadPath,
    /// The metadata was written by a newer release.
    #[error(
        "the metadata in `{place}` has schema version {found}, this release knows up to {known}; \
         start the newer release again, or restore a backup made before the upgrade"
    )]
    Newer {
        /// The database file, or host and database.
        place: String,
        /// Its version.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// The database failed.
    #[error("metadata store: {0}")]
    Database(#[from] sqlx::Error),
    /// A stored value of a cluster cannot be read.
    #[error("metadata store: {what} of cluster {cluster} cannot be read: {reason}")]
    CorruptCluster {
        /// The cluster.
        cluster: i64,
        /// The column.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// A stored value cannot be read.
    #[error("metadata store: {what} of job {job} cannot be read: {reason}")]
    Corrupt {
        /// The job.
        job: i64,
        /// The column.
        what: &'static str,
        /// Why.
        reason: String,
    },
}
