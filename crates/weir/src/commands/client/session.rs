//! A client that shows on standard error what it waits for, once that takes longer than a second.

use std::future::Future;
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::{Arg, ArgAction, ArgMatches, value_parser};
use weir_client::{Client, ClientError, connect};

use super::access;
use super::output::Output;
use crate::commands::Failure;
use crate::commands::confirm::confirm;
use crate::commands::text::clean;

/// What is over by then needs no word.
const PATIENCE: Duration = Duration::from_secs(1);
/// Time between two looks at the clock.
const TICK: Duration = Duration::from_millis(200);

/// A client with what its commands need.
pub struct Session {
    pub client: Client,
    pub output: Output,
}

impl Session {
    /// Connects to the service that the arguments and the environment name.
    pub async fn open(matches: &ArgMatches) -> Result<Self, Failure> {
        let access = access::access(matches)?;
        let what = format!("waiting for the service at {}", access.endpoint);
        let connected = while_shown(&Progress::new(&what), connect(&access)).await;
        let (client, _) = connected.map_err(failure)?;
        Ok(Self { client, output: Output::of(matches) })
    }

    /// Waits for a call.
    pub async fn ask<T>(&self, call: impl Future<Output = Result<T, ClientError>>) -> Result<T, Failure> {
        self.ask_for(&format!("waiting for the service at {}", self.client.endpoint()), call).await
    }

    /// Waits for something else than an ordinary call.
    pub async fn ask_for<T>(
        &self,
        what: &str,
        call: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, Failure> {
        while_shown(&Progress::new(what), call).await.map_err(failure)
    }

    /// Whether answers are shown as JSON.
    pub fn is_json(&self) -> bool {
        self.output == Output::Json
    }
}

/// The argument of commands that destroy something.
pub fn yes() -> Arg {
    Arg::new("yes").long("yes").action(ArgAction::SetTrue).help("Do not ask")
}

/// The arguments of commands that wait for what they have begun.
pub fn waiting() -> [Arg; 2] {
    [
        Arg::new("no-wait")
            .long("no-wait")
            .action(ArgAction::SetTrue)
            .help("Do not wait: return when the service has taken it on"),
        Arg::new("timeout")
            .long("timeout")
            .value_name("SECONDS")
            .value_parser(value_parser!(u64))
            .conflicts_with("no-wait")
            .help("Wait no longer than this; then the exit code is 3 and what was begun goes on"),
    ]
}

/// Returns how long to wait: `None` is not at all, `Some(None)` without end.
pub fn patience(matches: &ArgMatches) -> Option<Option<Duration>> {
    let limit = matches.get_one::<u64>("timeout").copied().map(Duration::from_secs);
    (!matches.get_flag("no-wait")).then_some(limit)
}

/// Asks whether something should be destroyed, unless `--yes` was given; anything but yes is an error.
pub fn sure(matches: &ArgMatches, question: &str) -> anyhow::Result<()> {
    if matches.get_flag("yes") || confirm(question)? {
        return Ok(());
    }
    anyhow::bail!("nothing was done")
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let is_fault = error.is_fault();
        let error = anyhow::Error::new(error);
        if is_fault { Self::Fault(error) } else { Self::Input(error) }
    }
}

/// Makes the failure of a command; one whose session in a profile is over is told how to get another.
fn failure(error: ClientError) -> Failure {
    if error.is_about_credential() && !access::is_from_environment() {
        return Failure::Input(anyhow::anyhow!("{error} (`weir login` makes a new session)"));
    }
    error.into()
}

/// What is waited for.
pub struct Progress {
    began: Instant,
    text: Mutex<String>,
}

impl Progress {
    pub fn new(text: &str) -> Self {
        Self { began: Instant::now(), text: Mutex::new(text.to_string()) }
    }

    /// Says what is waited for now.
    pub fn set(&self, text: String) {
        *self.text.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }

    fn text(&self) -> String {
        self.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Waits for something and shows it: on a terminal as one line that is kept fresh and goes away in the end, elsewhere as a
/// line whenever there is something new to tell.
pub async fn while_shown<T>(progress: &Progress, future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let is_terminal = std::io::stderr().is_terminal();
    let mut shown: Option<String> = None;
    loop {
        if let Ok(result) = tokio::time::timeout(TICK, &mut future).await {
            if is_terminal && shown.is_some() {
                eprint!("\r\x1b[K");
            }
            return result;
        }
        let waited = progress.began.elapsed();
        if waited < PATIENCE {
            continue;
        }
        let text = clean(&progress.text()).into_owned();
        if is_terminal {
            eprint!("\r\x1b[K{text}  {} s", waited.as_secs());
            // A terminal that is gone is no reason to stop.
            let _ = std::io::stderr().flush();
        } else if shown.as_ref() != Some(&text) {
            eprintln!("... {text}");
        }
        shown = Some(text);
    }
}
