//! What projects were charged: one line for each stretch of use and price, and one for each subscription.
//!
//! A line is kept with the entries of the ledger that it adds up, in their transaction, so that reading it takes no longer as
//! the ledger grows.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};
use weir_base::id::ProjectId;
use weir_base::money::Money;
use weir_base::time::Timestamp;

use crate::error::StoreError;
use crate::job_list::numbers;
use crate::ledger::PostingSubject;
use crate::store::Store;
use crate::usage::{Metered, metered};

/// Which charges a list is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BillingFilter {
    /// Only what was used after.
    pub from: Option<Timestamp>,
    /// Only what was used before.
    pub to: Option<Timestamp>,
    /// Only jobs or clusters.
    pub what: Option<Metered>,
}

/// What a stretch of use has cost at one price, in the time that a list is about. A subscription is always shown whole, as
/// it was paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BilledLine {
    /// Job or cluster.
    pub what: Metered,
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// At what size.
    pub spus: i64,
    /// Per SPU and hour.
    pub price: Money,
    /// What it has cost.
    pub charge: Money,
    /// For how many milliseconds.
    pub millis: i64,
    /// Since when.
    pub begin: Timestamp,
    /// Until when.
    pub end: Timestamp,
}

impl BilledLine {
    /// Returns the part that a filter lets through. Parts that follow on each other add up to the whole.
    fn within(self, filter: &BillingFilter) -> Self {
        let begin = filter.from.map_or(self.begin, |from| from.max(self.begin));
        let end = filter.to.map_or(self.end, |to| to.min(self.end));
        let span = i128::from(self.end.0 - self.begin.0);
        if span == 0 || (begin, end) == (self.begin, self.end) {
            return self;
        }
        let part = |whole: i64| {
            let until = |at: Timestamp| i128::from(whole) * i128::from(at.0 - self.begin.0) / span;
            // No more than the whole.
            i64::try_from(until(end) - until(begin)).unwrap_or(whole)
        };
        let charge = Money::from_micros(part(self.charge.micros()));
        Self { charge, millis: part(self.millis), begin, end, ..self }
    }
}

/// What a stretch of use has cost until the last settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UseCharge {
    /// The job or cluster.
    pub id: i64,
    /// Since when.
    pub begin: Timestamp,
    /// What it has cost.
    pub charge: Money,
}

/// A statement about the lines that a filter lets through, which has the parameters from `$1` to `$4`.
macro_rules! of_filter {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            " FROM charge_totals WHERE project_id = $1 AND end_time > $2 AND begin_time < $3
              AND ($4 IS NULL OR resource_type = $4)",
            $after
        )
    };
}

/// Binds the parameters of a filter.
macro_rules! bind_filter {
    ($query:expr, $project:expr, $filter:expr) => {
        $query
            .bind(&$project.0)
            .bind($filter.from.map_or(i64::MIN, |Timestamp(at)| at))
            .bind($filter.to.map_or(i64::MAX, |Timestamp(at)| at))
            .bind($filter.what.map(Metered::as_str))
    };
}

impl Store {
    /// Returns what a project was charged in all.
    pub async fn charged(&self, project: &ProjectId) -> Result<Money, StoreError> {
        let sum = sqlx::query_scalar(
            "SELECT CAST(COALESCE(SUM(charge), 0) AS BIGINT) FROM charge_totals WHERE project_id = $1",
        )
        .bind(&project.0)
        .fetch_one(self.pool())
        .await?;
        Ok(Money::from_micros(sum))
    }

    /// Returns all charges of a project that a filter lets through: how many lines, and their sum.
    pub async fn count_charges(
        &self,
        project: &ProjectId,
        filter: &BillingFilter,
    ) -> Result<(i64, Money), StoreError> {
        let query = sqlx::query(of_filter!(
            "SELECT COUNT(*) AS lines, CAST(COALESCE(SUM(charge), 0) AS BIGINT) AS charge",
            ""
        ));
        let row = bind_filter!(query, project, filter).fetch_one(self.pool()).await?;
        let mut sum = Money::from_micros(row.try_get("charge")?);
        if filter.from.is_some() || filter.to.is_some() {
            // Of what went on at an end of the time only a part counts.
            let query = sqlx::query(of_filter!(
                "SELECT *",
                " AND usage_id IS NOT NULL AND (begin_time < $2 OR end_time > $3)"
            ));
            for row in bind_filter!(query, project, filter).fetch_all(self.pool()).await? {
                let (whole, part) = (line(&row, &BillingFilter::default())?, line(&row, filter)?);
                sum = sum - (whole.charge - part.charge);
            }
        }
        Ok((row.try_get("lines")?, sum))
    }

    /// Returns charges of a project, those that began last first.
    pub async fn charges(
        &self,
        project: &ProjectId,
        filter: &BillingFilter,
        offset: i64,
        limit: i64,
    ) -> Result<Vec<BilledLine>, StoreError> {
        let query =
            sqlx::query(of_filter!("SELECT *", " ORDER BY begin_time DESC, id DESC LIMIT $5 OFFSET $6"));
        let rows =
            bind_filter!(query, project, filter).bind(limit).bind(offset).fetch_all(self.pool()).await?;
        rows.iter().map(|row| line(row, filter)).collect()
    }

    /// Returns what the use of jobs or of clusters has cost, by stretch and price; subscriptions are left out.
    pub async fn charges_of_use(&self, what: Metered, ids: &[i64]) -> Result<Vec<UseCharge>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let statement = format!(
            "SELECT resource_id, begin_time, charge FROM charge_totals
             WHERE resource_type = $1 AND usage_id IS NOT NULL AND resource_id IN ({}) ORDER BY id",
            numbers(ids.iter().copied())
        );
        let query = sqlx::query(AssertSqlSafe(statement)).bind(what.as_str());
        let charge = |row: &AnyRow| {
            Ok(UseCharge {
                id: row.try_get("resource_id")?,
                begin: Timestamp(row.try_get("begin_time")?),
                charge: Money::from_micros(row.try_get("charge")?),
            })
        };
        query.fetch_all(self.pool()).await?.iter().map(charge).collect()
    }
}

/// Adds revenue to its line, inside the transaction of the entry.
pub(crate) async fn add(
    connection: &mut AnyConnection,
    subject: &PostingSubject,
    amount: Money,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO charge_totals (project_id, resource_type, resource_id, resource_name, usage_id, spus, price,
            charge, millis, begin_time, end_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (usage_id, spus, price) WHERE usage_id IS NOT NULL DO UPDATE SET
            resource_name = excluded.resource_name, charge = charge_totals.charge + excluded.charge,
            millis = charge_totals.millis + excluded.millis, end_time = excluded.end_time",
    )
    .bind(&subject.project.0)
    .bind(subject.what.as_str())
    .bind(subject.id)
    .bind(&subject.name)
    .bind(subject.usage)
    .bind(subject.spus)
    .bind(subject.price.micros())
    .bind(amount.micros())
    .bind(subject.end.0 - subject.begin.0)
    .bind(subject.begin.0)
    .bind(subject.end.0)
    .execute(connection)
    .await?;
    Ok(())
}

fn line(row: &AnyRow, filter: &BillingFilter) -> Result<BilledLine, StoreError> {
    let money = |name: &str| row.try_get(name).map(Money::from_micros);
    let line = BilledLine {
        what: metered(row, row.try_get("id")?)?,
        id: row.try_get("resource_id")?,
        name: row.try_get("resource_name")?,
        spus: row.try_get("spus")?,
        price: money("price")?,
        charge: money("charge")?,
        millis: row.try_get("millis")?,
        begin: Timestamp(row.try_get("begin_time")?),
        end: Timestamp(row.try_get("end_time")?),
    };
    let is_use = row.try_get::<Option<i64>, _>("usage_id")?.is_some();
    Ok(if is_use { line.within(filter) } else { line })
}
