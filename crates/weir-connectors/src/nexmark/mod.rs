//! The Nexmark generator: persons, auctions and bids of an online auction, for measurements.
//!
//! It follows the public model (Apache Beam and its successors): of 50 events one is a person, three are
//! auctions and 46 bids; half of the bids go to a hot auction; event time goes on evenly. A stream
//! declares one of the three tables, and as many of its columns as it likes.

mod auction;
mod bid;
mod model;
mod person;
mod table;

use std::sync::Arc;

use weir_base::clock::Clock;
use weir_base::connector::{ConnectorSpec, Need, Role, RoleSpec};
use weir_base::text::Zone;
use weir_engine::error::ConnectorError;
use weir_engine::source::SharedSource;
use weir_sql::SourceStream;

use self::model::Model;
use self::table::Table;
use crate::catalog::{choice, text};
use crate::generate::GeneratorSource;
use crate::options::{StreamOptions, check};

/// 2024-01-01 00:00:00.
const START_TIME_MS: i64 = 1_704_067_200_000;
const MAX_SPLITS: u32 = 1_000;
const MAX_EVENTS_PER_SECOND: u32 = 1_000_000;

/// What the checker and the reference page say of it.
pub(crate) static SPEC: ConnectorSpec = ConnectorSpec {
    name: "nexmark",
    summary: "The Nexmark auction generator, for measurements. The same options give the same rows every time.",
    roles: &[RoleSpec {
        role: Role::Source,
        options: &[
            choice(
                "table",
                Need::Mandatory,
                &["bid", "auction", "person"],
                "Which of the three kinds of events the stream holds; the columns are found by their names.",
            ),
            text(
                "number_of_events",
                Need::Optional(""),
                "Events of all kinds together, of which this stream holds its share; without it the stream never ends.",
            ),
            text(
                "events_per_second",
                Need::Optional("10000"),
                "Events of all kinds in one second of event time, at most 1,000,000.",
            ),
            text(
                "start_time",
                Need::Optional("2024-01-01 00:00:00"),
                "Event time of the first event, `yyyy-MM-dd HH:mm:ss`.",
            ),
            text("seed", Need::Optional("0"), "Another number gives other rows."),
            text("splits", Need::Optional("4"), "Parts that may be read in parallel, at most 1000."),
        ],
        ignored: &["encode"],
        rule: Some(rule),
        columns: None,
    }],
    shared_cluster: true,
};

/// Makes the connector of a stream.
pub(crate) fn source(stream: &SourceStream, clock: Arc<dyn Clock>) -> Result<SharedSource, ConnectorError> {
    let options = StreamOptions::new(&stream.name, &stream.options);
    let Reading { splits, model, events } = Reading::new(&options)?;
    let table = options.required("table")?;
    let table = Table::new(table, Arc::clone(&stream.declared), model, events, u64::from(splits))
        .map_err(|message| ConnectorError::permanent(format!("stream `{}`: {message}", stream.name)))?;
    Ok(Arc::new(GeneratorSource { generator: Arc::new(table), splits, rate: None, clock }))
}

/// What the options say about the events.
struct Reading {
    splits: u32,
    model: Model,
    events: Option<u64>,
}

impl Reading {
    fn new(options: &StreamOptions<'_>) -> Result<Self, ConnectorError> {
        let model = Model {
            seed: options.number("seed")?.unwrap_or(0),
            start_ms: options.instant("start_time", &Zone::UTC)?.unwrap_or(START_TIME_MS),
            events_per_second: u64::from(options.count(
                "events_per_second",
                10_000,
                MAX_EVENTS_PER_SECOND,
            )?),
        };
        let splits = options.count("splits", 4, MAX_SPLITS)?;
        Ok(Self { splits, model, events: options.number("number_of_events")? })
    }
}

fn rule(option: &dyn Fn(&str) -> Option<String>) -> Result<(), String> {
    check(SPEC.role(Role::Source), option, |options| Reading::new(options).map(drop))
}
