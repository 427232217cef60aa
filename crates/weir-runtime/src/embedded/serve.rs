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
                    Ok(command) => {
                        let _ = commands.send(command).await;
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
