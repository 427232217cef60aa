//! The repository of the ledger: double entry, append-only, exact.
//!
//! The amounts of an entry add up to 0; one that does not is refused here, and triggers of the database refuse to
//! change what is written. An account's balance after each entry stands in the entry, and what a stretch of use has
//! cost in a line of [`crate::charges`], so that no call adds up a history. An amount is a whole number of millionths in a
//! BIGINT: both databases add these exactly, which they do not with texts, and SQLite has no decimals.

use sqlx::AnyConnection;
use weir_base::id::ProjectId;
use weir_base::money::Money;
use weir_base::time::Timestamp;

use crate::audit::{self, AuditRecord};
use crate::charges;
use crate::error::StoreError;
use crate::jobs::exactly_one;
use crate::store::Store;
use crate::usage::{self, Metered};

/// What an amount goes to or comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Book {
    /// What the account has.
    Balance,
    /// What the installation has earned.
    Revenue,
    /// What was paid in from outside.
    Payments,
}

impl Book {
    /// Returns the stored form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Balance => "balance",
            Self::Revenue => "revenue",
            Self::Payments => "payments",
        }
    }
}

/// Why an entry is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// Use of jobs and clusters.
    Usage,
    /// Money came in.
    TopUp,
    /// A cluster was paid for in advance.
    Subscription,
}

impl EntryKind {
    /// Returns the stored form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::TopUp => "top_up",
            Self::Subscription => "subscription",
        }
    }
}

/// What revenue is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostingSubject {
    /// Project.
    pub project: ProjectId,
    /// Job or cluster.
    pub what: Metered,
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// The stretch of use; `None` for a subscription.
    pub usage: Option<i64>,
    /// At what size.
    pub spus: i64,
    /// Per SPU and hour.
    pub price: Money,
    /// Since when.
    pub begin: Timestamp,
    /// Until when.
    pub end: Timestamp,
}

/// An amount for a book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// The book.
    pub book: Book,
    /// What it receives; negative for what it gives.
    pub amount: Money,
    /// What it is for.
    pub subject: Option<PostingSubject>,
}

/// An entry to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// The account (domain) that it is about.
    pub domain: String,
    /// Why.
    pub kind: EntryKind,
    /// For people.
    pub note: String,
    /// When.
    pub booked_at: Timestamp,
    /// Its amounts, which add up to 0.
    pub postings: Vec<Posting>,
}

impl NewEntry {
    /// Returns what is added to the balance of the account, or `None` when the amounts do not add up to 0.
    pub fn change_of_balance(&self) -> Option<Money> {
        let mut sum = Money::ZERO;
        let mut change = Money::ZERO;
        for posting in &self.postings {
            sum = sum.checked_add(posting.amount)?;
            if posting.book == Book::Balance {
                change = change.checked_add(posting.amount)?;
            }
        }
        (sum == Money::ZERO).then_some(change)
    }
}

/// How far a stretch of use is charged for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageMark {
    /// The stretch.
    pub usage: i64,
    /// Up to when it was charged for before; when somebody else has charged since, nothing is written.
    pub before: Timestamp,
    /// Up to when it is charged for now.
    pub until: Timestamp,
    /// What is too small to be charged.
    pub remainder: i64,
    /// Whether it has ended there.
    pub settled: bool,
}

impl Store {
    /// Makes entries and notes how far use is charged for, all or none.
    /// `settled_at` is when all use was looked at.
    pub async fn settle(
        &self,
        entries: &[NewEntry],
        marks: &[UsageMark],
        settled_at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for mark in marks {
            let changed = sqlx::query(
                "UPDATE usage_periods SET settled_until = $1, remainder = $2, settled = $3
                 WHERE id = $4 AND settled_until = $5 AND settled = 0",
            )
            .bind(mark.until.0)
            .bind(mark.remainder)
            .bind(i64::from(mark.settled))
            .bind(mark.usage)
            .bind(mark.before.0)
            .execute(&mut *transaction)
            .await?;
            exactly_one(changed.rows_affected())?;
        }
        usage::forget_settled(&mut transaction).await?;
        for entry in entries {
            insert(&mut transaction, entry).await?;
        }
        sqlx::query(
            "INSERT INTO metering (id, settled_at) VALUES (1, $1)
             ON CONFLICT (id) DO UPDATE SET settled_at = excluded.settled_at",
        )
        .bind(settled_at.0)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Makes an entry, with the audit records of the call. Returns the balance of the account after it.
    pub async fn book(&self, entry: &NewEntry, audit: &[AuditRecord]) -> Result<Money, StoreError> {
        let mut transaction = self.begin().await?;
        let balance = insert(&mut transaction, entry).await?;
        for audit in audit {
            audit::insert(&mut transaction, audit).await?;
        }
        transaction.commit().await?;
        Ok(balance)
    }

    /// Returns the balance of an account.
    pub async fn balance(&self, domain: &str) -> Result<Money, StoreError> {
        let mut connection = self.pool().acquire().await.map_err(StoreError::Database)?;
        balance(&mut connection, domain).await
    }

    /// Returns the accounts whose balance is below 0.
    pub async fn accounts_in_arrears(&self) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT domain_id FROM ledger_entries AS entry WHERE balance_after < 0
             AND id = (SELECT MAX(id) FROM ledger_entries WHERE domain_id = entry.domain_id) ORDER BY domain_id",
        )
        .fetch_all(self.pool())
        .await?)
    }
}

async fn balance(connection: &mut AnyConnection, domain: &str) -> Result<Money, StoreError> {
    let micros: Option<i64> = sqlx::query_scalar(
        "SELECT balance_after FROM ledger_entries WHERE domain_id = $1 ORDER BY id DESC LIMIT 1",
    )
    .bind(domain)
    .fetch_optional(connection)
    .await?;
    Ok(micros.map_or(Money::ZERO, Money::from_micros))
}

/// Makes an entry on a connection, inside the transaction of what causes it.
pub(crate) async fn insert(connection: &mut AnyConnection, entry: &NewEntry) -> Result<Money, StoreError> {
    let change = entry.change_of_balance().ok_or(StoreError::Unbalanced)?;
    let before = balance(&mut *connection, &entry.domain).await?;
    let after = before.checked_add(change).ok_or(StoreError::Unbalanced)?;
    let id: i64 = sqlx::query_scalar(
        "INSERT INTO ledger_entries (domain_id, kind, note, booked_at, balance_after)
         VALUES ($1, $2, $3, $4, $5) RETURNING id",
    )
    .bind(&entry.domain)
    .bind(entry.kind.as_str())
    .bind(&entry.note)
    .bind(entry.booked_at.0)
    .bind(after.micros())
    .fetch_one(&mut *connection)
    .await?;
    for posting in &entry.postings {
        let subject = posting.subject.as_ref();
        sqlx::query(
            "INSERT INTO ledger_postings (entry_id, book, amount, project_id, resource_type, resource_id,
                resource_name, usage_id, spus, price, begin_time, end_time)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        )
        .bind(id)
        .bind(posting.book.as_str())
        .bind(posting.amount.micros())
        .bind(subject.map(|subject| &subject.project.0))
        .bind(subject.map(|subject| subject.what.as_str()))
        .bind(subject.map(|subject| subject.id))
        .bind(subject.map(|subject| &subject.name))
        .bind(subject.and_then(|subject| subject.usage))
        .bind(subject.map(|subject| subject.spus))
        .bind(subject.map(|subject| subject.price.micros()))
        .bind(subject.map(|subject| subject.begin.0))
        .bind(subject.map(|subject| subject.end.0))
        .execute(&mut *connection)
        .await?;
        if let Some(subject) = subject {
            charges::add(&mut *connection, subject, posting.amount).await?;
        }
    }
    Ok(after)
}
