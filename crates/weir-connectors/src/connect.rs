//! Makes the connector of a checked stream.

use std::sync::Arc;

use weir_engine::error::ConnectorError;
use weir_engine::lookup::SharedLookup;
use weir_engine::sink::SharedSink;
use weir_engine::source::SharedSource;
use weir_sql::{DimensionTable, SinkStream, SourceStream};

use crate::environment::Environment;
use crate::options::StreamOptions;
use crate::{apig, blackhole, datagen, dcs_redis, dis, file, nexmark, obs, print, rds};

/// Makes the connector of a source stream. Touches nothing but local paths, whose access is checked.
pub fn source(stream: &SourceStream, environment: &Environment) -> Result<SharedSource, ConnectorError> {
    if let Some(source) = environment.sources.get(&stream.name.to_lowercase()) {
        return Ok(Arc::clone(source));
    }
    let options = StreamOptions::new(&stream.name, &stream.options);
    match options.required("type")?.to_ascii_lowercase().as_str() {
        "obs" => obs::source(stream, environment),
        "dis" => dis::source(stream, environment),
        "file" => file::source(stream, environment),
        "datagen" => datagen::source(stream, environment),
        "nexmark" => nexmark::source(stream, Arc::clone(&environment.clock)),
        other => Err(options.error("type", format!("there is no source connector `{other}`"))),
    }
}

/// Removes what a sink of a deleted job staged and never committed. A bucket or stream that is gone took it along.
pub async fn discard_staged(stream: &SinkStream, environment: &Environment) -> Result<(), ConnectorError> {
    let options = StreamOptions::new(&stream.name, &stream.options);
    let is_there = match options.required("type")?.to_ascii_lowercase().as_str() {
        "obs" => obs::has_bucket(stream, environment).await?,
        "dis" => dis::has_channel(stream, environment).await?,
        // A file is left alone: to discard without a checkpoint is how a sink begins a fresh run, which empties it.
        _ => return Ok(()),
    };
    match is_there {
        true => sink(stream, environment)?.discard_uncommitted(None).await,
        false => Ok(()),
    }
}

/// Makes the connector of a sink stream. Touches nothing but local paths, whose access is checked.
pub fn sink(stream: &SinkStream, environment: &Environment) -> Result<SharedSink, ConnectorError> {
    if let Some(sink) = environment.sinks.get(&stream.name.to_lowercase()) {
        return Ok(Arc::clone(sink));
    }
    let options = StreamOptions::new(&stream.name, &stream.options);
    match options.required("type")?.to_ascii_lowercase().as_str() {
        "obs" => obs::sink(stream, environment),
        "dis" => dis::sink(stream, environment),
        "file" => file::sink(stream, environment),
        "apig" => apig::sink(stream, environment),
        "print" => print::sink(stream, environment),
        "blackhole" => Ok(blackhole::sink()),
        other => Err(options.error("type", format!("there is no sink connector `{other}`"))),
    }
}

/// Makes the connector of a dimension table. Touches nothing but local paths, whose access is checked.
pub fn table(table: &DimensionTable, environment: &Environment) -> Result<SharedLookup, ConnectorError> {
    let options = StreamOptions::of_table(table);
    match options.required("type")?.to_ascii_lowercase().as_str() {
        "dcs_redis" => dcs_redis::table(table, environment),
        "rds" => rds::table(table, environment),
        "file" => file::table(table, environment),
        other => Err(options.error("type", format!("there is no table connector `{other}`"))),
    }
}
