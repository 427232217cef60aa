//! The worker's end of its socket: commands come in, observations go out, to each who is connected.

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, watch};
use weir_connectors::Network;

use super::protocol::Command;
use crate::Observation;

pub(super) async fn serve(
    listener: UnixListener,
    observed: watch::Receiver<Observation>,
    commands: mpsc::Sender<Command>,
    network: Network,
) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve_one(stream, observed.clone(), commands.clone(), network.clone()));
    }
}

async fn serve_one(
    stream: UnixStream,
    mut observed: watch::Receiver<Observation>,
    commands: mpsc::Sender<Command>,
    network: Network,
) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    observed.mark_changed();
    loop {
        tokio::select! {
            line = lines.next_line() => {
                let Ok(Some(line)) = line else { return };
                match serde_json::from_str(&line) {
                    // Also while the job starts.
                    Ok(Command::Reach(networks)) => network.lead_to(networks.into_iter().collect()),
                    // Who waited here would tell the service nothing meanwhile, which takes that for the worker's death. The
                    // service repeats what it has no answer to.
                    Ok(command) => {
                        if let Err(error) = commands.try_send(command) {
                            tracing::debug!(%error, "a command was not taken");
                        }
                    }
                    Err(error) => tracing::warn!(%error, "a command that the worker does not know was ignored"),
                }
            }
            changed = observed.changed() => {
                if changed.is_err() {
                    return;
                }
                let Ok(mut text) = serde_json::to_vec(&*observed.borrow_and_update()) else { return };
                text.push(b'\n');
                if write.write_all(&text).await.is_err() {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use weir_base::id::JobId;
    use weir_base::savepoint::{SavepointAsk, SavepointPlace};
    use weir_base::time::Timestamp;

    use super::*;

    #[tokio::test]
    async fn a_worker_that_takes_no_commands_goes_on_telling_how_it_is() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let (observations, observed) = watch::channel(Observation::starting(1, Timestamp(0), None));
        // Nobody receives.
        let (commands, _receiver) = mpsc::channel(4);
        let network = Network::default();
        let serving = tokio::spawn(serve(listener, observed, commands, network.clone()));
        let (read, mut write) = UnixStream::connect(&path).await.unwrap().into_split();
        let ask =
            SavepointAsk { at: Timestamp(1), place: SavepointPlace::of_job(JobId(7), None), stop: true };
        let asked = (0..10).map(|_| Command::Savepoint(ask.clone()));
        // The last one tells that those before it were read.
        for command in asked.chain([Command::Reach([].into())]) {
            let line = format!("{}\n", serde_json::to_string(&command).unwrap());
            write.write_all(line.as_bytes()).await.unwrap();
        }
        let told = async {
            while network.resolve("10.0.0.1", 1).await.is_ok() {
                tokio::task::yield_now().await;
            }
            observations.send_replace(Observation::starting(2, Timestamp(0), None));
            let mut lines = BufReader::new(read).lines();
            while let Some(line) = lines.next_line().await.unwrap() {
                if serde_json::from_str::<Observation>(&line).unwrap().attempt == 2 {
                    return;
                }
            }
            panic!("the worker closed its socket");
        };
        tokio::time::timeout(Duration::from_secs(60), told).await.expect("the worker is mute");
        serving.abort();
    }
}
