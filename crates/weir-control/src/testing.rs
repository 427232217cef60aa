//! The use-cases for tests of what no call from outside can bring about.

use std::path::Path;
use std::sync::Arc;

use weir_base::clock::{Clock, SystemClock};
use weir_cloud::gateway::Gateway;
use weir_cloud::identity::{ClientCredential, Identity, IdentityOptions, SecretKey};
use weir_cloud::notifications::{Publisher, RemoteTopics};
use weir_cloud::objects::{Objects, ObjectsConfig};
use weir_cloud::sealing::Sealer;
use weir_runtime::{Confinement, EmbeddedRunner, Shares, WorkerConfig};
use weir_store::{Store, StoredAccounts};

use crate::control::{Control, ControlParts};
use crate::options::ControlOptions;

/// Returns the use-cases with all that they keep under a directory. Nobody is known, and each project is an account.
pub(crate) async fn control(place: &Path, options: ControlOptions) -> Arc<Control> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = Store::open(&place.join("weir.db")).await.unwrap();
    let sealer = Sealer::new(place.join("sealing.key"));
    let accounts = Arc::new(StoredAccounts::new(store.clone(), sealer.clone()));
    let objects = Objects::new(ObjectsConfig::Local(place.join("objects")));
    let config = WorkerConfig::under(place);
    let workers = place.join("workers");
    let shares = Shares::new(Confinement::Off, 1 << 30, place).unwrap();
    let runner =
        EmbeddedRunner::new(workers, "false".into(), config, shares, objects.clone(), clock.clone()).unwrap();
    let nobody = ClientCredential::Token(SecretKey::new("none"));
    let topics = RemoteTopics::new("http://localhost", "p1", nobody, clock.clone()).unwrap();
    Control::new(ControlParts {
        store,
        sealer,
        identity: Arc::new(Identity::new(accounts, clock.clone(), IdentityOptions::default())),
        objects,
        gateway: Gateway::new(place.join("gateway")),
        publisher: Publisher::Remote(Arc::new(topics)),
        runner: Arc::new(runner),
        clock,
        options,
    })
}
