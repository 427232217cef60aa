//! The newest records of sinks that are read over the gateway.
//!
//! A sink keeps its last records in a document of its own below one directory: the worker of the job writes it,
//! the service reads it. The space is bounded: what is older than [`MOST_RECORDS`] records, or [`MOST_BYTES`] bytes,
//! goes. Records are staged for a checkpoint and show when it commits, once.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use weir_base::id::{JobId, ProjectId};

use crate::streams::files::{FileLock, list_names, read_json, remove_if_present, write_json};

/// Records that a sink keeps.
pub const MOST_RECORDS: usize = 1_000;
/// Bytes of records that a sink keeps; the newest record is kept whatever its length.
pub const MOST_BYTES: usize = 1 << 20;

/// The form of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Fields between delimiters.
    Csv,
    /// One object each.
    Json,
}

/// A column of a sink.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkColumn {
    /// Name.
    pub name: String,
    /// SQL type in upper case.
    pub sql_type: String,
}

/// What is known of a sink: it is reachable from the moment that a run of its job registers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewaySink {
    /// Name in upper case.
    pub name: String,
    /// Project of the job.
    pub project: ProjectId,
    /// The application that may read it.
    pub app_id: String,
    /// Form of its records.
    pub form: RecordForm,
}

/// How records are to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordForm {
    /// Encoding.
    pub encoding: Encoding,
    /// csv: what stands between two fields.
    pub delimiter: Option<String>,
    /// Columns.
    pub columns: Vec<SinkColumn>,
}

impl GatewaySink {
    /// Whether an application may read it. Takes as long for a wrong id as for the right one.
    pub fn is_open_to(&self, app_id: &str) -> bool {
        verify_slices_are_equal(self.app_id.as_bytes(), app_id.as_bytes()).is_ok()
    }
}

/// A record and when it was written, milliseconds since the epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenRecord {
    /// When.
    pub at: i64,
    /// The encoded record.
    pub text: String,
}

/// The newest records of a stretch of writing.
#[derive(Debug, Default)]
pub struct Newest {
    records: VecDeque<WrittenRecord>,
    bytes: usize,
}

impl Newest {
    /// Adds a record; the oldest ones make room.
    pub fn push(&mut self, record: WrittenRecord) {
        self.bytes += record.text.len();
        self.records.push_back(record);
        while self.records.len() > MOST_RECORDS || (self.bytes > MOST_BYTES && self.records.len() > 1) {
            let Some(oldest) = self.records.pop_front() else { break };
            self.bytes -= oldest.text.len();
        }
    }

    /// Returns whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Takes all records out, in the order of writing.
    pub fn take(&mut self) -> Vec<WrittenRecord> {
        self.bytes = 0;
        std::mem::take(&mut self.records).into()
    }
}

/// What a subtask of a sink staged for an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staged {
    /// Subtask.
    pub subtask: usize,
    /// Epoch; grows with each staging of the subtask, over all runs of the job.
    pub epoch: u64,
}

/// The document with the records of a sink.
#[derive(Serialize, Deserialize)]
struct Shown {
    form: RecordForm,
    /// Last epoch of each subtask that is among the records.
    committed: BTreeMap<usize, u64>,
    /// In the order of writing.
    records: Vec<WrittenRecord>,
}

/// The directory of all sinks. Any number of processes may use it at once.
#[derive(Debug, Clone)]
pub struct Gateway {
    root: PathBuf,
}

impl Gateway {
    /// Uses a directory, which is made when the first sink registers.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Returns the directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Makes a sink reachable. Records of earlier runs stay when they have its form.
    pub async fn register(&self, job: JobId, sink: GatewaySink) -> io::Result<()> {
        let place = self.place(job, &sink.name);
        blocking(move || {
            std::fs::create_dir_all(&place.0)?;
            write_json(&place.sink(), &sink)
        })
        .await
    }

    /// Keeps records for [`Gateway::commit`]; durable when it returns.
    pub async fn stage(
        &self,
        job: JobId,
        sink: &str,
        staged: Staged,
        records: Vec<WrittenRecord>,
    ) -> io::Result<()> {
        let place = self.place(job, sink);
        blocking(move || write_json(&place.staged(staged), &records)).await
    }

    /// Shows what was staged, once: to repeat it changes nothing. Returns how much of it is not there any more.
    pub async fn commit(&self, job: JobId, sink: &str, all: Vec<Staged>) -> io::Result<usize> {
        let place = self.place(job, sink);
        blocking(move || place.commit(&all)).await
    }

    /// Removes what was staged above an epoch, or everything.
    pub async fn discard(&self, job: JobId, sink: &str, restored_epoch: Option<u64>) -> io::Result<()> {
        let place = self.place(job, sink);
        blocking(move || {
            for name in list_names(&place.0)? {
                let epoch = name.strip_prefix(STAGED).and_then(|rest| rest.split('-').next());
                let epoch = epoch.and_then(|epoch| epoch.parse::<u64>().ok());
                if epoch.is_some_and(|epoch| restored_epoch.is_none_or(|restored| epoch > restored)) {
                    remove_if_present(&place.0.join(name))?;
                }
            }
            Ok(())
        })
        .await
    }

    /// Returns the sinks of a job's last run, by name.
    pub async fn sinks(&self, job: JobId) -> io::Result<Vec<GatewaySink>> {
        let directory = self.job(job);
        blocking(move || {
            let mut sinks = Vec::new();
            for name in list_names(&directory)? {
                sinks.extend(read_json::<GatewaySink>(&Place(directory.join(name)).sink())?);
            }
            sinks.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(sinks)
        })
        .await
    }

    /// Returns a sink. Its name is compared without case.
    pub async fn sink(&self, job: JobId, name: &str) -> io::Result<Option<GatewaySink>> {
        let place = self.place(job, &name.to_uppercase());
        blocking(move || read_json(&place.sink())).await
    }

    /// Returns at most `limit` of the newest records of a sink, in the order of writing.
    pub async fn newest(&self, job: JobId, sink: &GatewaySink, limit: usize) -> io::Result<Vec<String>> {
        let (place, form) = (self.place(job, &sink.name), sink.form.clone());
        blocking(move || {
            let records = place.shown(form)?.records;
            let older = records.len().saturating_sub(limit);
            Ok(records.into_iter().skip(older).map(|record| record.text).collect())
        })
        .await
    }

    /// Removes the sinks of a job that are not among these names.
    pub async fn keep_only(&self, job: JobId, names: Vec<String>) -> io::Result<()> {
        let kept: Vec<_> = names.iter().map(|name| self.place(job, name).0).collect();
        let directory = self.job(job);
        blocking(move || {
            for name in list_names(&directory)? {
                let path = directory.join(name);
                if !kept.contains(&path) {
                    std::fs::remove_dir_all(&path)?;
                }
            }
            Ok(())
        })
        .await
    }

    /// Removes all sinks of a job.
    pub async fn remove(&self, job: JobId) -> io::Result<()> {
        let directory = self.job(job);
        blocking(move || match std::fs::remove_dir_all(&directory) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
        .await
    }

    fn job(&self, job: JobId) -> PathBuf {
        self.root.join(job.to_string())
    }

    /// A name may hold anything, so that its hash names the folder.
    fn place(&self, job: JobId, sink: &str) -> Place {
        let hash = hex::encode(Sha256::digest(sink.as_bytes()));
        Place(self.job(job).join(&hash[..32]))
    }
}

const STAGED: &str = "staged-";

/// The folder of a sink.
struct Place(PathBuf);

impl Place {
    fn lock(&self) -> io::Result<FileLock> {
        FileLock::acquire(&self.0.join("lock"))
    }

    fn sink(&self) -> PathBuf {
        self.0.join("sink.json")
    }

    fn newest(&self) -> PathBuf {
        self.0.join("newest.json")
    }

    fn staged(&self, staged: Staged) -> PathBuf {
        self.0.join(format!("{STAGED}{}-{}.json", staged.epoch, staged.subtask))
    }

    /// Returns what is shown in a form; records of another one do not count.
    fn shown(&self, form: RecordForm) -> io::Result<Shown> {
        let known = read_json::<Shown>(&self.newest())?;
        Ok(match known {
            Some(shown) if shown.form == form => shown,
            other => {
                let committed = other.map(|shown| shown.committed).unwrap_or_default();
                Shown { form, committed, records: Vec::new() }
            }
        })
    }

    fn commit(&self, all: &[Staged]) -> io::Result<usize> {
        if !self.0.exists() {
            return Ok(all.len());
        }
        let _lock = self.lock()?;
        let Some(sink) = read_json::<GatewaySink>(&self.sink())? else { return Ok(all.len()) };
        let mut shown = self.shown(sink.form)?;
        let is_new = |staged: &&Staged| {
            shown.committed.get(&staged.subtask).is_none_or(|committed| staged.epoch > *committed)
        };
        let new: Vec<Staged> = all.iter().filter(is_new).copied().collect();
        let mut missing = 0;
        let mut records = Vec::new();
        for staged in &new {
            match read_json::<Vec<WrittenRecord>>(&self.staged(*staged))? {
                Some(found) => records.extend(found),
                None => missing += 1,
            }
            let committed = shown.committed.entry(staged.subtask).or_default();
            *committed = staged.epoch.max(*committed);
        }
        if !new.is_empty() {
            // Subtasks wrote at the same time.
            records.sort_by_key(|record| record.at);
            let mut newest = Newest::default();
            std::mem::take(&mut shown.records).into_iter().chain(records).for_each(|r| newest.push(r));
            shown.records = newest.take();
            write_json(&self.newest(), &shown)?;
        }
        for staged in all {
            remove_if_present(&self.staged(*staged))?;
        }
        Ok(missing)
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: JobId = JobId(7);

    fn sink(name: &str) -> GatewaySink {
        GatewaySink {
            name: name.to_string(),
            project: ProjectId("p1".to_string()),
            app_id: "a1".to_string(),
            form: form(","),
        }
    }

    fn form(delimiter: &str) -> RecordForm {
        RecordForm {
            encoding: Encoding::Csv,
            delimiter: Some(delimiter.to_string()),
            columns: vec![SinkColumn { name: "a".to_string(), sql_type: "INT".to_string() }],
        }
    }

    fn record(at: i64, text: &str) -> WrittenRecord {
        WrittenRecord { at, text: text.to_string() }
    }

    fn staged(subtask: usize, epoch: u64) -> Staged {
        Staged { subtask, epoch }
    }

    async fn texts(gateway: &Gateway, limit: usize) -> Vec<String> {
        let sink = gateway.sink(JOB, "t1").await.unwrap().unwrap();
        gateway.newest(JOB, &sink, limit).await.unwrap()
    }

    async fn registered() -> (tempfile::TempDir, Gateway) {
        let place = tempfile::tempdir().unwrap();
        let gateway = Gateway::new(place.path().join("gateway"));
        gateway.register(JOB, sink("T1")).await.unwrap();
        (place, gateway)
    }

    #[tokio::test]
    async fn staged_records_show_when_they_are_committed_and_once() {
        let (_place, gateway) = registered().await;
        gateway.stage(JOB, "T1", staged(0, 5), vec![record(1, "a"), record(3, "c")]).await.unwrap();
        gateway.stage(JOB, "T1", staged(1, 5), vec![record(2, "b")]).await.unwrap();
        assert!(texts(&gateway, 100).await.is_empty());
        for _ in 0..2 {
            let missing = gateway.commit(JOB, "T1", vec![staged(0, 5), staged(1, 5)]).await.unwrap();
            assert_eq!(missing, 0);
            assert_eq!(texts(&gateway, 100).await, ["a", "b", "c"]);
        }
        assert_eq!(texts(&gateway, 2).await, ["b", "c"]);
        // Staged again by a run that was set back to before: the same rows, which are there.
        gateway.stage(JOB, "T1", staged(0, 5), vec![record(1, "a")]).await.unwrap();
        gateway.commit(JOB, "T1", vec![staged(0, 5)]).await.unwrap();
        assert_eq!(texts(&gateway, 100).await, ["a", "b", "c"]);
    }

    #[tokio::test]
    async fn what_no_checkpoint_holds_goes() {
        let (_place, gateway) = registered().await;
        for epoch in [5, 6] {
            gateway.stage(JOB, "T1", staged(0, epoch), vec![record(1, "a")]).await.unwrap();
        }
        gateway.discard(JOB, "T1", Some(5)).await.unwrap();
        assert_eq!(gateway.commit(JOB, "T1", vec![staged(0, 6)]).await.unwrap(), 1);
        gateway.discard(JOB, "T1", None).await.unwrap();
        assert_eq!(gateway.commit(JOB, "T1", vec![staged(1, 5)]).await.unwrap(), 1);
        assert!(texts(&gateway, 100).await.is_empty());
    }

    #[tokio::test]
    async fn the_space_is_bounded() {
        let (_place, gateway) = registered().await;
        for epoch in 1..=3 {
            let records: Vec<_> = (0..600).map(|row| record(row, &format!("{epoch}/{row}"))).collect();
            gateway.stage(JOB, "T1", staged(0, epoch), records).await.unwrap();
            gateway.commit(JOB, "T1", vec![staged(0, epoch)]).await.unwrap();
        }
        let kept = texts(&gateway, usize::MAX).await;
        assert_eq!((kept.len(), kept[0].as_str(), kept[999].as_str()), (1_000, "2/200", "3/599"));

        let long = "x".repeat(MOST_BYTES / 2);
        let records = [record(1, &long), record(2, &long), record(3, "end")];
        gateway.stage(JOB, "T1", staged(0, 4), records.to_vec()).await.unwrap();
        gateway.commit(JOB, "T1", vec![staged(0, 4)]).await.unwrap();
        assert_eq!(texts(&gateway, usize::MAX).await.len(), 2);
        let longest = "x".repeat(MOST_BYTES + 1);
        gateway.stage(JOB, "T1", staged(0, 5), vec![record(4, &longest)]).await.unwrap();
        gateway.commit(JOB, "T1", vec![staged(0, 5)]).await.unwrap();
        assert_eq!(texts(&gateway, usize::MAX).await, [longest]);
    }

    #[tokio::test]
    async fn records_of_another_form_go_when_a_sink_registers_again() {
        let (_place, gateway) = registered().await;
        gateway.stage(JOB, "T1", staged(0, 1), vec![record(1, "a")]).await.unwrap();
        gateway.commit(JOB, "T1", vec![staged(0, 1)]).await.unwrap();
        gateway.register(JOB, GatewaySink { app_id: "a2".to_string(), ..sink("T1") }).await.unwrap();
        assert_eq!(texts(&gateway, 1).await, ["a"]);
        let known = gateway.sink(JOB, "T1").await.unwrap().unwrap();
        assert!(known.is_open_to("a2") && !known.is_open_to("a1"));
        gateway.register(JOB, GatewaySink { form: form(";"), ..sink("T1") }).await.unwrap();
        assert!(texts(&gateway, 1).await.is_empty());
        // What was shown once is not shown again, in whatever form.
        gateway.stage(JOB, "T1", staged(0, 1), vec![record(1, "a")]).await.unwrap();
        gateway.commit(JOB, "T1", vec![staged(0, 1)]).await.unwrap();
        assert!(texts(&gateway, 1).await.is_empty());
    }

    #[tokio::test]
    async fn sinks_go_with_their_run_and_with_their_job() {
        let (_place, gateway) = registered().await;
        gateway.register(JOB, sink("../T 2")).await.unwrap();
        let names = async || {
            let sinks = gateway.sinks(JOB).await.unwrap();
            sinks.into_iter().map(|sink| sink.name).collect::<Vec<_>>()
        };
        assert_eq!(names().await, ["../T 2", "T1"]);
        assert!(gateway.sink(JobId(8), "T1").await.unwrap().is_none());
        gateway.keep_only(JOB, vec!["T1".to_string()]).await.unwrap();
        assert_eq!(names().await, ["T1"]);
        for _ in 0..2 {
            gateway.remove(JOB).await.unwrap();
            assert!(gateway.sink(JOB, "T1").await.unwrap().is_none());
            // A checkpoint may still name what went with it.
            assert_eq!(gateway.commit(JOB, "T1", vec![staged(0, 9)]).await.unwrap(), 1);
        }
    }
}
