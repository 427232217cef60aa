//! `weir serve`: the service.

mod directory;
mod namespaces;
pub mod wiring;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::{ArgMatches, Command};
use tokio::net::TcpListener;
use tokio::sync::watch;
use weir_api::listen::ListenLimits;
use weir_base::variables::Redactor;

use self::directory::{DataDirectory, Listens};
use self::wiring::Accounts;
use super::{Exit, Failure, Outcome, runtime};
use crate::config::{Settings, arguments, resolve};
use crate::logging;

/// Time left for requests under way when the service ends.
const DRAIN_LIMIT: Duration = Duration::from_secs(1);

/// How often stream records beyond their retention are removed.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// How often files are removed that a killed process had not finished, and how old they are: much older than any that is
/// being written.
const UNFINISHED_INTERVAL: Duration = Duration::from_secs(3_600);

pub fn command() -> Command {
    Command::new("serve").about("Run the service").args(arguments())
}

pub fn run(matches: &ArgMatches) -> Outcome {
    let began = Instant::now();
    let settings = Settings::new(&resolve(matches)?)?;
    logging::start(&settings.log_level, settings.log_json, Redactor::default())?;
    runtime()?.block_on(serve(settings, began))
}

async fn serve(settings: Settings, began: Instant) -> Outcome {
    // A directory that is there may be another service's, which tells more than that its port is taken. One that is not is
    // made when nothing of the network is in the way.
    let found = settings.data.exists().then(|| DataDirectory::open(&settings.data)).transpose()?;
    let listener = bind(settings.listen, "listen").await?;
    let s3_listener = match settings.s3_listen {
        Some(address) => Some(bind(address, "s3_listen").await?),
        None => None,
    };
    let metrics_listener = match settings.metrics_listen {
        Some(address) => Some(bind(address, "metrics_listen").await?),
        None => None,
    };
    let directory = match found {
        Some(directory) => directory,
        None => DataDirectory::open(&settings.data)?,
    };
    let address = listener.local_addr().map_err(fault)?;
    let parts = wiring::build(&settings, directory.path(), address).await?;
    let (stop, stopped) = watch::channel(false);
    let reconciler = {
        let stopped = stopped.clone();
        let reconciler = parts.reconciler;
        tokio::spawn(async move { reconciler.run(until_stopped(stopped)).await })
    };
    let delivery = {
        let notifications = parts.state.notifications.clone();
        tokio::spawn(notifications.deliver(until_stopped(stopped.clone())))
    };
    let alarms = tokio::spawn(parts.alarms.run(until_stopped(stopped.clone())));
    let sweeper = tokio::spawn(sweep(parts.state.clone(), stopped.clone()));
    let api = {
        let router = weir_api::router(parts.state.clone());
        let stopped = stopped.clone();
        tokio::spawn(async move {
            weir_api::listen::serve(listener, router, ListenLimits::default(), until_stopped(stopped)).await
        })
    };
    let s3_address = s3_listener.as_ref().map(TcpListener::local_addr).transpose().map_err(fault)?;
    let s3 = s3_listener.map(|listener| {
        let (state, stopped) = (parts.state.clone(), stopped.clone());
        tokio::spawn(async move { weir_api::s3::serve(listener, state, until_stopped(stopped)).await })
    });
    let metrics_address =
        metrics_listener.as_ref().map(TcpListener::local_addr).transpose().map_err(fault)?;
    let metrics = metrics_listener.map(|listener| {
        let (router, stopped) = (weir_api::metrics_router(parts.state.clone()), stopped.clone());
        let limits = ListenLimits::default();
        tokio::spawn(async move {
            weir_api::listen::serve(listener, router, limits, until_stopped(stopped)).await
        })
    });
    let listens = Listens { api: address, s3: s3_address, metrics: metrics_address };
    directory.announce(&listens).map_err(fault)?;
    greet(&parts.greeting, &listens, began);

    wait_for_signal().await?;
    tracing::info!("ending: running jobs take a final checkpoint");
    let _ = stop.send(true);
    let _ = reconciler.await;
    let _ = tokio::join!(delivery, alarms);
    let _ = tokio::time::timeout(DRAIN_LIMIT, api).await;
    if let Some(s3) = s3 {
        let _ = tokio::time::timeout(DRAIN_LIMIT, s3).await;
    }
    if let Some(metrics) = metrics {
        let _ = tokio::time::timeout(DRAIN_LIMIT, metrics).await;
    }
    sweeper.abort();
    parts.store.close().await;
    directory.retract();
    tracing::info!("ended");
    Ok(Exit::Done)
}

fn fault(error: std::io::Error) -> Failure {
    Failure::Fault(error.into())
}

async fn bind(address: SocketAddr, option: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("`{option}`: {address} cannot be listened on; choose another address or port")
    })
}

async fn until_stopped(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn sweep(state: weir_api::ApiState, stopped: watch::Receiver<bool>) {
    let mut unfinished_at = None;
    while !*stopped.borrow() {
        let now = state.clock.now();
        if unfinished_at.is_none_or(|at| now.since(at) >= UNFINISHED_INTERVAL) {
            unfinished_at = Some(now);
            match state.objects.remove_unfinished(now.minus(UNFINISHED_INTERVAL)).await {
                Ok(0) => {}
                Ok(removed) => tracing::info!(removed, "files of objects that were never finished removed"),
                Err(error) => {
                    tracing::warn!(%error, "unfinished files of objects could not be removed, will retry")
                }
            }
        }
        match state.streams.sweep_retention().await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "stream segments beyond their retention removed"),
            Err(error) => tracing::warn!(%error, "old stream records could not be removed, will retry"),
        }
        state.clock.sleep(SWEEP_INTERVAL).await;
    }
}

async fn wait_for_signal() -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .context("signals cannot be received")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(())
}

/// Says where the service is, on standard output: it is what a person or script waits for.
fn greet(greeting: &wiring::Greeting, listens: &Listens, began: Instant) {
    let address = listens.api;
    println!("weir listens on http://{address}");
    if let Some(s3) = listens.s3 {
        println!("S3 endpoint      http://{s3}");
    }
    if let Some(metrics) = listens.metrics {
        println!("metrics          http://{metrics}/metrics");
    }
    let region = &greeting.region;
    match &greeting.accounts {
        Accounts::Keystone(endpoint) => println!("region {region}, accounts of {endpoint}"),
        Accounts::Embedded { project_name, project_id, user, generated_password } => {
            match project_id.is_empty() {
                true => println!("region {region}, without a project"),
                false => println!("region {region}, project {project_name} ({project_id})"),
            }
            if let Some(password) = generated_password {
                println!("user {user} with the password {password}  (shown only now)");
            }
        }
    }
    tracing::info!(%address, ready_after_ms = began.elapsed().as_millis() as u64, "ready");
}
