//! The administration of streams, consumers and positions, and the sweep that forgets old records.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use weir_base::id::random_hex_id;

use super::catalog::{PartitionEntry, PartitionStatus, StreamEntry};
use super::partition::PartitionLog;
use super::store::{Inner, partition_directory};
use super::{
    App, Checkpoint, LocalStreams, Measure, MinutePoint, NewStream, StreamChange, StreamsError, apps, change,
    consumers, files, staging,
};

impl LocalStreams {
    /// Creates a stream; it can be used at once.
    pub async fn create_stream(
        &self,
        project: &str,
        new: NewStream,
    ) -> Result<Arc<StreamEntry>, StreamsError> {
        let project = project.to_string();
        self.blocking(move |inner| inner.create_stream(&project, new)).await
    }

    /// Returns a stream by name.
    pub async fn describe_stream(&self, project: &str, name: &str) -> Result<Arc<StreamEntry>, StreamsError> {
        let (project, name) = (project.to_string(), name.to_string());
        self.blocking(move |inner| inner.catalog.stream(&project, &name)).await
    }

    /// Returns a stream by id.
    pub async fn stream_by_id(&self, project: &str, id: &str) -> Result<Arc<StreamEntry>, StreamsError> {
        let found = self.list_streams(project).await?.into_iter().find(|entry| entry.id == id);
        found.ok_or_else(|| StreamsError::NoStream(id.to_string()))
    }

    /// Lists the streams of a project by name.
    pub async fn list_streams(&self, project: &str) -> Result<Vec<Arc<StreamEntry>>, StreamsError> {
        let project = project.to_string();
        self.blocking(move |inner| inner.streams(&project)).await
    }

    /// Changes the number of partitions. The last ones go first; they stay readable until their records
    /// expire, and come back first when the stream grows again.
    pub async fn resize_stream(&self, project: &str, name: &str, target: u32) -> Result<(), StreamsError> {
        let (project, name) = (project.to_string(), name.to_string());
        self.blocking(move |inner| {
            let directory = {
                let entry = inner.catalog.stream(&project, &name)?;
                inner.catalog.stream_directory(&project, &entry)?
            };
            inner.update(&project, &name, |entry, now| {
                change::resize(entry, target, now)?;
                create_partitions(&directory, entry)
            })
        })
        .await
    }

    /// Changes attributes of a stream.
    pub async fn change_stream(
        &self,
        project: &str,
        name: &str,
        wanted: StreamChange,
    ) -> Result<(), StreamsError> {
        let (project, name) = (project.to_string(), name.to_string());
        self.blocking(move |inner| inner.update(&project, &name, |entry, _| change::apply(entry, wanted)))
            .await
    }

    /// Changes the labels of a stream: `change` gets the present ones, and may refuse.
    pub async fn change_tags(
        &self,
        project: &str,
        name: &str,
        change: impl FnOnce(&mut Vec<super::Tag>) -> Result<(), StreamsError> + Send + 'static,
    ) -> Result<(), StreamsError> {
        let (project, name) = (project.to_string(), name.to_string());
        self.blocking(move |inner| inner.update(&project, &name, |entry, _| change(&mut entry.tags))).await
    }

    /// Deletes a stream with its records, positions and staged transactions.
    pub async fn delete_stream(&self, project: &str, name: &str) -> Result<(), StreamsError> {
        let (project, name) = (project.to_string(), name.to_string());
        self.blocking(move |inner| inner.delete_stream(&project, &name)).await
    }

    /// Creates a consumer.
    pub async fn create_app(&self, project: &str, name: &str) -> Result<App, StreamsError> {
        let (project, name) = (project.to_string(), name.to_string());
        self.blocking(move |inner| apps::create(&inner.catalog, &project, &name, inner.now_ms())).await
    }

    /// Returns a consumer, created when it is new.
    pub async fn ensure_app(&self, project: &str, name: &str) -> Result<App, StreamsError> {
        let (project, name) = (project.to_string(), name.to_string());
        self.blocking(move |inner| {
            let _lock = inner.catalog.lock(&project)?;
            apps::ensure(&inner.catalog, &project, &name, inner.now_ms())
        })
        .await
    }

    /// Returns a consumer.
    pub async fn app(&self, project: &str, name: &str) -> Result<App, StreamsError> {
        let (project, name) = (project.to_string(), name.to_string());
        self.blocking(move |inner| apps::get(&inner.catalog, &project, &name)).await
    }

    /// Lists the consumers of a project by name.
    pub async fn list_apps(&self, project: &str) -> Result<Vec<App>, StreamsError> {
        let project = project.to_string();
        self.blocking(move |inner| apps::list(&inner.catalog, &project)).await
    }

    /// Deletes a consumer and its positions.
    pub async fn delete_app(&self, project: &str, name: &str) -> Result<(), StreamsError> {
        let (project, name) = (project.to_string(), name.to_string());
        self.blocking(move |inner| apps::delete(&inner.catalog, &project, &name)).await
    }

    /// Returns, by consumer, the names of the streams in which it has positions.
    pub async fn app_streams(&self, project: &str) -> Result<BTreeMap<String, Vec<String>>, StreamsError> {
        let project = project.to_string();
        self.blocking(move |inner| {
            let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for entry in inner.streams(&project)? {
                for app in consumers::apps(&inner.catalog.stream_directory(&project, &entry)?)? {
                    all.entry(app).or_default().push(entry.name.clone());
                }
            }
            Ok(all)
        })
        .await
    }

    /// Returns the positions of a consumer in a stream, by partition.
    pub async fn checkpoints(
        &self,
        project: &str,
        stream: &str,
        app: &str,
    ) -> Result<BTreeMap<u32, Checkpoint>, StreamsError> {
        let (project, stream, app) = (project.to_string(), stream.to_string(), app.to_string());
        self.blocking(move |inner| {
            let entry = inner.catalog.stream(&project, &stream)?;
            apps::get(&inner.catalog, &project, &app)?;
            Ok(consumers::positions(&inner.catalog.stream_directory(&project, &entry)?, &app)?)
        })
        .await
    }

    /// Stores a position of a consumer, which must exist, in a partition that can be read.
    pub async fn store_checkpoint(
        &self,
        project: &str,
        stream: &str,
        app: &str,
        partition: u32,
        checkpoint: Checkpoint,
    ) -> Result<(), StreamsError> {
        let (project, stream, app) = (project.to_string(), stream.to_string(), app.to_string());
        self.blocking(move |inner| {
            let _lock = inner.catalog.lock(&project)?;
            let entry = inner.catalog.stream(&project, &stream)?;
            apps::get(&inner.catalog, &project, &app)?;
            inner.readable_log(&project, &entry, partition)?;
            let directory = inner.catalog.stream_directory(&project, &entry)?;
            Ok(consumers::store(&directory, &app, partition, checkpoint)?)
        })
        .await
    }

    /// Forgets the position of a consumer in one partition, or in all.
    pub async fn delete_checkpoints(
        &self,
        project: &str,
        stream: &str,
        app: &str,
        partition: Option<u32>,
    ) -> Result<(), StreamsError> {
        let (project, stream, app) = (project.to_string(), stream.to_string(), app.to_string());
        self.blocking(move |inner| {
            let _lock = inner.catalog.lock(&project)?;
            let entry = inner.catalog.stream(&project, &stream)?;
            apps::get(&inner.catalog, &project, &app)?;
            let directory = inner.catalog.stream_directory(&project, &entry)?;
            match partition {
                Some(partition) => consumers::delete(&directory, &app, partition)?,
                None => consumers::delete_all(&directory, &app)?,
            }
            Ok(())
        })
        .await
    }

    /// Returns the counts per minute between two instants in seconds, of one partition or of all. They
    /// hold what went through this process.
    pub fn points(
        &self,
        stream: &StreamEntry,
        partition: Option<u32>,
        measure: Measure,
        from_seconds: i64,
        to_seconds: i64,
    ) -> Vec<MinutePoint> {
        self.inner.meter.points(&stream.id, partition, measure, from_seconds, to_seconds)
    }

    /// Drops the records of all streams that are older than their stream keeps them, and what a deletion
    /// broken off has left behind. To be called every few minutes. Returns how many segments went.
    pub async fn sweep_retention(&self) -> Result<usize, StreamsError> {
        self.blocking(Inner::sweep).await
    }
}

impl Inner {
    fn streams(&self, project: &str) -> Result<Vec<Arc<StreamEntry>>, StreamsError> {
        let mut all = Vec::new();
        for name in self.catalog.names(project)? {
            match self.catalog.stream(project, &name) {
                Ok(entry) => all.push(entry),
                // Deleted since the names were listed.
                Err(StreamsError::NoStream(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    fn create_stream(&self, project: &str, new: NewStream) -> Result<Arc<StreamEntry>, StreamsError> {
        change::check_new(&new)?;
        let _lock = self.catalog.lock(project)?;
        match self.catalog.stream(project, &new.name) {
            Ok(_) => return Err(StreamsError::StreamExists(new.name)),
            Err(StreamsError::NoStream(_)) => {}
            Err(error) => return Err(error),
        }
        let now = self.now_ms();
        let name = new.name.clone();
        let entry = StreamEntry {
            id: random_hex_id(),
            name: new.name,
            created_ms: now,
            modified_ms: now,
            stream_type: new.stream_type,
            data_type: new.data_type,
            data_duration_hours: new.data_duration_hours,
            auto_scale: new.auto_scale,
            data_schema: new.data_schema,
            csv_delimiter: new.csv_delimiter,
            compression_format: new.compression_format,
            tags: new.tags,
            sys_tags: new.sys_tags,
            partitions: (0..new.partition_count).map(|id| PartitionEntry { id, deleted_ms: None }).collect(),
            scalings: Vec::new(),
        };
        let directory = self.catalog.stream_directory(project, &entry)?;
        std::fs::create_dir_all(staging::directory(&directory))?;
        create_partitions(&directory, &entry)?;
        self.catalog.save(project, &entry)?;
        self.catalog.stream(project, &name)
    }

    fn update(
        &self,
        project: &str,
        name: &str,
        change: impl FnOnce(&mut StreamEntry, i64) -> Result<(), StreamsError>,
    ) -> Result<(), StreamsError> {
        let _lock = self.catalog.lock(project)?;
        let mut entry = StreamEntry::clone(&*self.catalog.stream(project, name)?);
        let now = self.now_ms();
        change(&mut entry, now)?;
        entry.modified_ms = now;
        self.catalog.save(project, &entry)
    }

    fn delete_stream(&self, project: &str, name: &str) -> Result<(), StreamsError> {
        let _lock = self.catalog.lock(project)?;
        let entry = self.catalog.stream(project, name)?;
        let directory = self.catalog.stream_directory(project, &entry)?;
        self.catalog.remove(project, name)?;
        self.forget(&entry.id);
        Ok(remove_tree(&directory)?)
    }

    fn sweep(&self) -> Result<usize, StreamsError> {
        let mut dropped = 0;
        for project in self.catalog.projects()? {
            let mut ids = Vec::new();
            let lock = self.catalog.lock(&project)?;
            let streams = self.streams(&project)?;
            for entry in &streams {
                ids.push(entry.id.clone());
            }
            remove_orphans(&self.catalog.project(&project)?.join("streams"), &ids)?;
            drop(lock);
            for entry in streams {
                dropped += self.sweep_stream(&project, &entry)?;
            }
        }
        Ok(dropped)
    }

    fn sweep_stream(&self, project: &str, entry: &StreamEntry) -> Result<usize, StreamsError> {
        let directory = self.catalog.stream_directory(project, entry)?;
        let now = self.now_ms();
        let mut dropped = 0;
        for partition in &entry.partitions {
            let cutoff = match entry.status(partition, now) {
                PartitionStatus::Expired => now,
                _ => now.saturating_sub(entry.retention_ms()),
            };
            match self.log(&directory, entry, partition.id).drop_before(cutoff) {
                Ok(count) => dropped += count,
                // The stream was deleted meanwhile.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(dropped),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(dropped)
    }
}

fn create_partitions(directory: &Path, entry: &StreamEntry) -> Result<(), StreamsError> {
    for partition in &entry.partitions {
        PartitionLog::create(&partition_directory(directory, partition.id))?;
    }
    // The names down to the partitions must be durable before records are.
    for parent in [directory.join("partitions"), directory.to_path_buf()] {
        files::sync_directory(&parent)?;
    }
    let ancestors = directory.ancestors().skip(1).take(3);
    ancestors.into_iter().try_for_each(files::sync_directory)?;
    Ok(())
}

/// Removes the directory of a stream. It is moved away first, so that nobody who still writes to it can
/// bring a part of it back.
fn remove_tree(directory: &Path) -> std::io::Result<()> {
    let doomed = directory.with_file_name(format!(".deleted-{}", random_hex_id()));
    match std::fs::rename(directory, &doomed) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        renamed => renamed?,
    }
    std::fs::remove_dir_all(&doomed)
}

/// Removes directories that no stream of the catalog owns: what is left when a deletion, or a creation,
/// was broken off. The caller holds the lock of the project.
fn remove_orphans(streams: &Path, ids: &[String]) -> std::io::Result<()> {
    let entries = match std::fs::read_dir(streams) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        let owned = path.file_name().is_some_and(|name| ids.iter().any(|id| name == id.as_str()));
        if !owned {
            std::fs::remove_dir_all(&path)?;
        }
    }
    Ok(())
}
