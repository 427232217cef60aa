//! `weir backup`: a copy of the metadata, made while the service runs.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Arg, ArgMatches, Command, value_parser};

use super::serve::wiring::{database_file, sealer, store};
use super::{Exit, Outcome, private, runtime};
use crate::config::{Settings, arguments, resolve};

pub fn command() -> Command {
    Command::new("backup")
        .about("Copy the metadata and the key that opens its secrets into a new directory; safe while the service runs")
        .long_about(
            "Copy the metadata and the key that opens its secrets into a new directory, which only you can read; safe while the service runs.\n\n\
             Buckets and streams are not copied: they are plain files below the data directory (or where `objects_endpoint` \
             says), which any program copies while the service is stopped. To \
             restore, stop the service and put the files back into its data directory, in which no `weir.db-wal` and `weir.db-shm` \
             of before may be left. Metadata on a PostgreSQL server are copied by its own pg_dump; `sealing.key` of the data directory belongs to \
             such a copy, too. docs/reliability.md says how.",
        )
        .args(arguments().into_iter().map(|argument| argument.hide(true)))
        .arg(
            Arg::new("to")
                .long("to")
                .value_name("DIR")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("Directory to make; it must not exist"),
        )
}

pub fn run(matches: &ArgMatches) -> Outcome {
    let settings = Settings::new(&resolve(matches)?)?;
    let Some(to) = matches.get_one::<PathBuf>("to") else { return Ok(Exit::Refused) };
    runtime()?.block_on(async {
        if settings.database.is_none() && !database_file(&settings).exists() {
            bail!(
                "there is no metadata in `{}`; name another directory with --data",
                settings.data.display()
            );
        }
        let store = store(&settings).await?;
        private::make_directory(to).with_context(|| format!("cannot make `{}`", to.display()))?;
        let file = to.join("weir.db");
        // The copy is written into it.
        private::make_file(&file).with_context(|| format!("cannot make `{}`", file.display()))?;
        if let Err(error) = store.copy_to(&file).await {
            // Nothing but what was just made.
            let _ = std::fs::remove_file(&file);
            let _ = std::fs::remove_dir(to);
            return Err(error.into());
        }
        store.close().await;
        let key = sealer(&settings)?;
        if key.path().exists() {
            std::fs::copy(key.path(), to.join("sealing.key")).context("the key cannot be copied")?;
        }
        eprintln!("the metadata are in `{}`", to.display());
        Ok(())
    })?;
    Ok(Exit::Done)
}
