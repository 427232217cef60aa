//! Lists of the jobs of a project: all, a page of them, or their number.

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe, Row};
use weir_base::id::{JobId, ProjectId, UserId};
use weir_base::time::Timestamp;

use crate::error::StoreError;
use crate::job_record::{JobRecord, RunFacts, RunPhase};
use crate::jobs::{SELECT_JOBS, SELECT_STATES, facts_from_row, from_row, seen_at};
use crate::store::Store;

/// Which jobs a list is about.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// Part of the name, case-sensitive.
    pub name_part: Option<String>,
    /// Only jobs of this user.
    pub user: Option<UserId>,
    /// Only jobs of users with this name.
    pub user_name: Option<String>,
    /// Only jobs of this type.
    pub job_type: Option<String>,
    /// Only jobs whose type begins like this.
    pub job_type_prefix: Option<String>,
    /// Only jobs of this exclusive cluster.
    pub cluster_id: Option<i64>,
    /// Only jobs that are this far.
    pub phase: Option<RunPhase>,
}

/// Which part of the jobs that match: those with ids between two others, from one end on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobRange {
    /// Only greater ids.
    pub above: Option<JobId>,
    /// Only smaller ids.
    pub below: Option<JobId>,
    /// Whether it begins with the greatest of these.
    pub from_greatest: bool,
    /// Jobs to leave out there.
    pub offset: usize,
    /// Jobs at most.
    pub limit: usize,
}

/// What the status of a job is computed from.
#[derive(Debug, Clone, PartialEq)]
pub struct JobState {
    /// The job.
    pub id: JobId,
    /// Intent and runs.
    pub facts: RunFacts,
    /// When a runtime last said something of the present attempt.
    pub seen_at: Option<Timestamp>,
}

/// The conditions of a list. Those that do not bind are left out of the text, because a plan is made for the text: with
/// them no index would do.
struct Conditions<'a> {
    text: String,
    values: Vec<Value<'a>>,
}

enum Value<'a> {
    Text(&'a str),
    Number(i64),
}

impl<'a> Conditions<'a> {
    fn new(project: &'a ProjectId, filter: &'a JobFilter) -> Self {
        let text = "jobs.deleted_at IS NULL AND jobs.project_id = $1".to_string();
        let mut conditions = Self { text, values: vec![Value::Text(&project.0)] };
        if let Some(part) = &filter.name_part {
            conditions.add("instr(jobs.name, {}) > 0", Value::Text(part));
        }
        if let Some(user) = &filter.user {
            conditions.add("jobs.user_id = {}", Value::Text(&user.0));
        }
        if let Some(name) = &filter.user_name {
            conditions.add("jobs.user_name = {}", Value::Text(name));
        }
        if let Some(job_type) = &filter.job_type {
            conditions.add("jobs.job_type = {}", Value::Text(job_type));
        }
        if let Some(prefix) = &filter.job_type_prefix {
            conditions.add("substr(jobs.job_type, 1, length({})) = {}", Value::Text(prefix));
        }
        if let Some(cluster) = filter.cluster_id {
            conditions.add("jobs.cluster_id = {}", Value::Number(cluster));
        }
        match filter.phase {
            None => {}
            Some(RunPhase::Draft) => conditions.also("jobs.intent = 'draft'"),
            Some(RunPhase::UnderWay) => {
                conditions.also("jobs.end_kind IS NULL AND jobs.intent IN ('run', 'recover')");
            }
            Some(RunPhase::Stopping) => {
                conditions.also("jobs.end_kind IS NULL AND jobs.intent IN ('stop', 'freeze')");
            }
            Some(RunPhase::Ended(kind)) => conditions.add("jobs.end_kind = {}", Value::Text(kind.as_str())),
        }
        conditions
    }

    fn between(mut self, range: &JobRange) -> Self {
        if let Some(above) = range.above {
            self.add("jobs.id > {}", Value::Number(above.0));
        }
        if let Some(below) = range.below {
            self.add("jobs.id < {}", Value::Number(below.0));
        }
        self
    }

    /// Adds a condition in which `{}` stands for the value.
    fn add(&mut self, condition: &str, value: Value<'a>) {
        self.values.push(value);
        let parameter = format!("${}", self.values.len());
        self.also(&condition.replace("{}", &parameter));
    }

    /// Adds a condition.
    fn also(&mut self, condition: &str) {
        self.text.push_str(" AND ");
        self.text.push_str(condition);
    }

    /// Binds the values to a statement around the conditions.
    fn bind(&self, statement: String) -> Query<'_, Any, AnyArguments> {
        self.values.iter().fold(sqlx::query(AssertSqlSafe(statement)), |query, value| match value {
            Value::Text(text) => query.bind(*text),
            Value::Number(number) => query.bind(*number),
        })
    }
}

impl Store {
    /// Returns the jobs of a project that match, by ascending id.
    pub async fn jobs(&self, project: &ProjectId, filter: &JobFilter) -> Result<Vec<JobRecord>, StoreError> {
        let conditions = Conditions::new(project, filter);
        let statement = format!("{SELECT_JOBS} WHERE {} ORDER BY jobs.id", conditions.text);
        let rows = conditions.bind(statement).fetch_all(self.pool()).await?;
        rows.iter().map(from_row).collect()
    }

    /// Returns what the statuses of the jobs that match are computed from, by ascending id. No definition is read.
    pub async fn job_states(
        &self,
        project: &ProjectId,
        filter: &JobFilter,
    ) -> Result<Vec<JobState>, StoreError> {
        let conditions = Conditions::new(project, filter);
        let statement = format!("{SELECT_STATES} WHERE {} ORDER BY jobs.id", conditions.text);
        let state = |row: &AnyRow| {
            let id: i64 = row.try_get("id")?;
            Ok(JobState { id: JobId(id), facts: facts_from_row(id, row)?, seen_at: seen_at(row)? })
        };
        conditions.bind(statement).fetch_all(self.pool()).await?.iter().map(state).collect()
    }

    /// Returns jobs of a project, in the order of their ids in the call; one that is not there is left out.
    pub async fn jobs_by_id(&self, project: &ProjectId, ids: &[JobId]) -> Result<Vec<JobRecord>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let all = JobFilter::default();
        let mut conditions = Conditions::new(project, &all);
        conditions.also(&format!("jobs.id IN ({})", numbers(ids.iter().map(|id| id.0))));
        let statement = format!("{SELECT_JOBS} WHERE {}", conditions.text);
        let rows = conditions.bind(statement).fetch_all(self.pool()).await?;
        let mut jobs = rows.iter().map(from_row).collect::<Result<Vec<_>, _>>()?;
        jobs.sort_by_key(|job| ids.iter().position(|id| *id == job.id));
        Ok(jobs)
    }

    /// Returns some of the jobs of a project that match, in the order of the range.
    pub async fn jobs_in_range(
        &self,
        project: &ProjectId,
        filter: &JobFilter,
        range: JobRange,
    ) -> Result<Vec<JobRecord>, StoreError> {
        let conditions = Conditions::new(project, filter).between(&range);
        let order = if range.from_greatest { "DESC" } else { "ASC" };
        // Ids are found first, so that the rows of other pages are not read.
        let statement = format!(
            "{SELECT_JOBS} WHERE jobs.id IN (SELECT id FROM jobs WHERE {} ORDER BY id {order} LIMIT {} OFFSET {})
             ORDER BY jobs.id {order}",
            conditions.text, range.limit, range.offset
        );
        let rows = conditions.bind(statement).fetch_all(self.pool()).await?;
        rows.iter().map(from_row).collect()
    }

    /// Counts the jobs of a project that match.
    pub async fn count_jobs(&self, project: &ProjectId, filter: &JobFilter) -> Result<usize, StoreError> {
        let conditions = Conditions::new(project, filter);
        let statement = format!("SELECT COUNT(*) AS found FROM jobs WHERE {}", conditions.text);
        let row = conditions.bind(statement).fetch_one(self.pool()).await?;
        let count: i64 = row.try_get("found")?;
        Ok(usize::try_from(count).unwrap_or(0))
    }
}

/// Writes numbers as the members of a list of SQL.
pub(crate) fn numbers(numbers: impl Iterator<Item = i64>) -> String {
    numbers.map(|number| number.to_string()).collect::<Vec<_>>().join(", ")
}
