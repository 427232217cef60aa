//! The check of a job: statement by statement in the order of the text, then the job as a whole.

use std::collections::HashSet;

use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_expr::LogicalPlan;
use weir_base::connector::ConnectorCatalog;
use weir_base::error::codes;
use weir_base::variables::Redactor;

use super::clocks::{self, Clocks};
use super::connector::{self, described, noun};
use super::flow::{self, Pending};
use super::function::Functions;
use super::settings::CheckOptions;
use super::{columns, format, late, options, stream};
use crate::changelog::Changelogs;
use crate::nodes::LookupJoin;
use crate::plan::{AppendOnly, PlanOptions, Planned, Streams, on_large_stack, plan_insert};
use crate::syntax::ast::{CreateStream, InsertInto, Name, Statement, StreamKind};
use crate::syntax::{Broken, Parsed};
use crate::{
    CheckError, CheckErrors, DimensionTable, Insert, Job, Message, Position, SinkStream, SourceStream,
    Target, TempStream, WarningKind,
};

/// Parses and checks the text of a job. Of several errors the first in the text is returned.
pub fn check(text: &str, catalog: &ConnectorCatalog, options: &CheckOptions) -> Result<Job, CheckError> {
    check_all(text, catalog, options).map_err(CheckErrors::into_first)
}

/// Parses and checks the text of a job, and goes on after errors. A statement gives one error at most, and none when
/// it uses a stream or function whose own declaration is wrong.
pub fn check_all(text: &str, catalog: &ConnectorCatalog, options: &CheckOptions) -> Result<Job, CheckErrors> {
    if text.len() > options.max_bytes {
        let complaint =
            format!("the text has {} bytes, more than the limit of {}", text.len(), options.max_bytes);
        let error = CheckError::new(Position { line: 1, column: 1 }, 1, complaint)
            .code(codes::SQL_BODY_TOO_LONG)
            .hint("shorten the text");
        return Err(error.into());
    }
    let Parsed { statements, broken, uses } = crate::syntax::parse_all(text, &options.variables);
    let used = options.variables.iter().filter(|(name, _)| uses.names.contains(*name));
    let redactor = Redactor::with_options(&used.collect(), text, uses.values);
    let not_variables = uses.warnings.into_iter();
    let warnings: Vec<_> = not_variables.map(|message| WarningKind::NotAVariable.warning(message)).collect();
    let mut checker = Checker {
        catalog,
        options,
        declared: Vec::new(),
        functions: Functions::default(),
        pending: Vec::new(),
        read: Vec::new(),
        undeclared: Vec::new(),
        errors: Vec::new(),
        append_only: Vec::new(),
        without_watermark: Vec::new(),
        job: Job { redactor: redactor.clone(), warnings, ..empty_job() },
    };
    for Broken { error, declares } in broken {
        checker.errors.push(error);
        checker.undeclared.extend(declares.into_iter().map(|name| name.value));
    }
    for statement in &statements {
        checker.statement(statement);
    }
    on_large_stack(|| checker.inserts());
    // Whatever a connector or format says of its options, it does not tell the value of a variable.
    match checker.finish() {
        Ok(mut job) => {
            job.warnings.iter_mut().for_each(|warning| warning.message.redact(&redactor));
            Ok(job)
        }
        Err(errors) => Err(errors.redacted(&redactor)),
    }
}

fn empty_job() -> Job {
    Job {
        sources: Vec::new(),
        temps: Vec::new(),
        sinks: Vec::new(),
        tables: Vec::new(),
        inserts: Vec::new(),
        warnings: Vec::new(),
        redactor: Redactor::default(),
    }
}

struct Checker<'a> {
    catalog: &'a ConnectorCatalog,
    options: &'a CheckOptions,
    /// Streams of all kinds in the order of declaration.
    declared: Vec<(StreamKind, Name)>,
    functions: Functions,
    /// The INSERT statements to plan, in the order of the text.
    pending: Vec<Pending<'a>>,
    /// For each INSERT its target and the streams it reads.
    read: Vec<(Name, Vec<String>)>,
    /// The names of streams and functions whose declarations are wrong.
    undeclared: Vec<String>,
    errors: Vec<CheckError>,
    /// The operators that take only rows that stay.
    append_only: Vec<AppendOnly>,
    /// The names of sources with event time and without `SET WATERMARK`.
    without_watermark: Vec<String>,
    job: Job,
}

impl<'a> Checker<'a> {
    fn statement(&mut self, statement: &'a Statement) {
        let (name, result) = match statement {
            Statement::Create(create) => (Some(&create.name), self.declare(create)),
            Statement::Function(create) => {
                (Some(&create.name), self.functions.declare(create, self.options.cluster))
            }
            Statement::Insert(insert) => {
                if !self.uses_undeclared(insert) {
                    let Job { sources, temps, sinks, tables, .. } = &self.job;
                    let [sources, temps] = [sources.len(), temps.len()];
                    let [sinks, tables] = [sinks.len(), tables.len()];
                    self.pending.push(Pending { insert, sources, temps, sinks, tables });
                }
                return;
            }
        };
        if let Err(error) = result {
            self.errors.push(error);
            self.undeclared.extend(name.map(|name| name.value.clone()));
        }
    }

    fn uses_undeclared(&self, insert: &InsertInto) -> bool {
        let used = || std::iter::once(&insert.target).chain(&insert.tables).chain(&insert.calls);
        self.undeclared.iter().any(|name| used().any(|used| used.value.eq_ignore_ascii_case(name)))
    }

    fn declare(&mut self, create: &CreateStream) -> Result<(), CheckError> {
        self.check_name_is_free(create.kind, &create.name)?;
        let name = create.name.value.clone();
        if create.kind == StreamKind::Temp {
            let declared = stream::declared_columns(create)?;
            let (time, schema) = stream::time_attributes(create, &declared)?;
            self.job.temps.push(TempStream { name, declared, schema, time });
        } else {
            let (spec, role) = connector::find(create, self.catalog, self.options.cluster)?;
            let checked = options::check(create, spec, role, &mut self.job.warnings)?;
            let declared = stream::columns(create, role, &checked)?;
            format::check(create, role, &checked, &declared, &mut self.job.warnings)?;
            let keys = columns::check(create, role, &checked, &declared)?;
            if create.kind == StreamKind::Source {
                let (time, schema) = stream::time_attributes(create, &declared)?;
                if time.rowtime.is_some() && create.time.as_ref().is_none_or(|time| time.watermark.is_none())
                {
                    self.without_watermark.push(name.clone());
                }
                self.job.sources.push(SourceStream {
                    name,
                    declared,
                    schema,
                    options: checked.options,
                    time,
                });
            } else if create.kind == StreamKind::Table {
                self.job.tables.push(DimensionTable {
                    name,
                    schema: declared,
                    options: checked.options,
                    keys,
                });
            } else {
                let partitioned = stream::partition_columns(create, &declared, spec.name)?;
                self.job.sinks.push(SinkStream {
                    name,
                    schema: declared,
                    partitioned,
                    options: checked.options,
                });
            }
        }
        self.declared.push((create.kind, create.name.clone()));
        Ok(())
    }

    fn check_name_is_free(&self, kind: StreamKind, name: &Name) -> Result<(), CheckError> {
        match self.find(&name.value) {
            Some((_, first)) => {
                let text = format!("{} `{}` is declared twice", noun(kind), name.value);
                let hint = format!(
                    "`{}` stands at line {}, column {}; names are compared without case",
                    first.value, first.position.line, first.position.column
                );
                Err(CheckError::new(name.position, name.length, text).hint(hint))
            }
            None => Ok(()),
        }
    }

    fn find(&self, name: &str) -> Option<&(StreamKind, Name)> {
        self.declared.iter().find(|(_, declared)| declared.value.eq_ignore_ascii_case(name))
    }

    /// Plans the INSERT statements.
    fn inserts(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        let mut clocks = Clocks::default();
        for index in flow::order(&pending) {
            if let Err(error) = self.insert(&pending[index], &mut clocks) {
                self.errors.push(error);
            }
        }
        self.job.inserts.sort_by_key(|insert| insert.offset);
        self.read.sort_by_key(|(target, _)| target.position);
    }

    fn insert(&mut self, pending: &Pending<'_>, clocks: &mut Clocks) -> Result<(), CheckError> {
        let Job { sources, temps, sinks, tables, .. } = &self.job;
        let streams = Streams {
            sources: &sources[..pending.sources],
            temps: &temps[..pending.temps],
            sinks: &sinks[..pending.sinks],
            tables: &tables[..pending.tables],
        };
        let insert = pending.insert;
        let options = PlanOptions { time_zone: self.options.time_zone.clone() };
        let Planned { target, plan, warnings, append_only } = plan_insert(insert, &streams, &options)?;
        self.job.warnings.extend(warnings);
        self.append_only.extend(append_only);
        self.read.push((insert.target.clone(), scanned_streams(&plan)));
        let insert = Insert { target, plan, offset: insert.offset };
        clocks.take_over(&mut self.job.temps, &insert);
        self.job.inserts.push(insert);
        Ok(())
    }

    /// Checks what concerns the job as a whole.
    fn finish(mut self) -> Result<Job, CheckErrors> {
        if self.errors.is_empty() {
            self.errors.extend(self.without_purpose());
        }
        self.errors.extend(self.cycle());
        let targets = self.read.iter().map(|(target, _)| target);
        self.errors.extend(clocks::mixed(&self.job, targets, &self.options.time_zone));
        if let Some(errors) = CheckErrors::sorted(std::mem::take(&mut self.errors)) {
            return Err(errors);
        }
        let changelogs = Changelogs::of(&self.job);
        let changing = self.append_only.iter().filter_map(|operator| operator.check(&changelogs).err());
        if let Some(errors) = CheckErrors::sorted(changing.collect()) {
            return Err(errors);
        }
        let late = late::warnings(&self.job, &self.append_only, &self.without_watermark);
        self.job.warnings.extend(late);
        self.warn_about_unused();
        if self.options.idle_state_retention.is_some() {
            self.job.warnings.retain(|warning| warning.kind != WarningKind::StateUntilIdle);
        }
        self.job.warnings.sort_by_key(|warning| warning.message.position);
        Ok(self.job)
    }

    fn without_purpose(&self) -> Option<CheckError> {
        let start = Position { line: 1, column: 1 };
        if self.job.inserts.is_empty() {
            return Some(
                CheckError::new(start, 1, "the job has no INSERT statement")
                    .hint("a job needs `INSERT INTO sink SELECT ...`"),
            );
        }
        let writes_out = self.job.inserts.iter().any(|insert| matches!(insert.target, Target::Sink(_)));
        (self.job.sinks.is_empty() || !writes_out).then(|| {
            CheckError::new(start, 1, "the job writes to no sink stream")
                .hint("a job needs a sink stream and an INSERT into it")
        })
    }

    /// Returns the refusal of a temp stream that is filled from itself.
    fn cycle(&self) -> Option<CheckError> {
        let target = flow::cycle(&self.read)?;
        let text = format!("stream `{}` is filled from itself", target.value);
        let error = CheckError::new(target.position, target.length, text);
        Some(error.hint("a job cannot have a cycle of streams"))
    }

    fn warn_about_unused(&mut self) {
        let read: HashSet<String> =
            self.read.iter().flat_map(|(_, read)| read).map(|name| name.to_lowercase()).collect();
        let filled: HashSet<String> =
            self.read.iter().map(|(target, _)| target.value.to_lowercase()).collect();
        for (kind, name) in &self.declared {
            let key = name.value.to_lowercase();
            let (is_read, is_filled) = (read.contains(&key), filled.contains(&key));
            let complaint = match kind {
                StreamKind::Source if !is_read => "is never read",
                StreamKind::Sink if !is_filled => "is never written to",
                StreamKind::Temp if !is_filled => "is never filled",
                StreamKind::Temp if !is_read => "is never read",
                StreamKind::Table if !is_read => "is never looked up",
                _ => continue,
            };
            self.job.warnings.push(WarningKind::UnusedStream.warning(Message {
                position: name.position,
                length: name.length,
                text: format!("{} `{}` {complaint}", described(*kind), name.value),
                hint: Some("leave its declaration out, or look for a misspelt name".to_string()),
            }));
        }
    }
}

/// Returns the names of the streams and tables that a plan reads.
fn scanned_streams(plan: &LogicalPlan) -> Vec<String> {
    let mut names = Vec::new();
    // The closure returns no error, so the walk cannot fail.
    let _ = plan.apply(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            names.push(scan.table_name.table().to_string());
        }
        if let LogicalPlan::Extension(extension) = node
            && let Some(join) = extension.node.as_any().downcast_ref::<LookupJoin>()
        {
            names.push(join.table.clone());
        }
        Ok(TreeNodeRecursion::Continue)
    });
    names
}
