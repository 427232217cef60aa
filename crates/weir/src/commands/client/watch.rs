//! `--watch`: shows an answer again whenever it has changed.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use clap::{Arg, ArgMatches, value_parser};

use crate::commands::{Exit, Failure, Outcome, told};

const DEFAULT_SECONDS: &str = "2";

pub fn argument() -> Arg {
    Arg::new("watch")
        .long("watch")
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value(DEFAULT_SECONDS)
        .value_name("SECONDS")
        .value_parser(value_parser!(u16).range(1..))
        .help("Look again every so many seconds, 2 by default, and show what has changed, until interrupted")
}

/// Shows a view once, or again and again.
pub async fn show(matches: &ArgMatches, view: impl AsyncFn() -> Result<String, Failure>) -> Outcome {
    let Some(seconds) = matches.get_one::<u16>("watch") else {
        print!("{}", view().await?);
        return Ok(Exit::Done);
    };
    let pause = Duration::from_secs(u64::from(*seconds));
    let is_terminal = std::io::stdout().is_terminal();
    let mut shown: Option<String> = None;
    loop {
        match view().await {
            Ok(text) if shown.as_ref() != Some(&text) => {
                // On a terminal it takes the place of the last one.
                let clear = if is_terminal { "\x1b[H\x1b[2J" } else { "" };
                print!("{clear}{text}");
                if std::io::stdout().flush().is_err() {
                    return Ok(Exit::Done);
                }
                shown = Some(text);
            }
            Ok(_) => {}
            // A service that is started again answers the next time.
            Err(Failure::Fault(error)) if shown.is_some() => eprintln!("fault: {}", told(&error)),
            Err(failure) => return Err(failure),
        }
        tokio::time::sleep(pause).await;
    }
}
