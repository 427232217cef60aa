//! The jobs of an exclusive cluster run in a network namespace in which only what routes lead to can be reached.
//!
//! Needs `ip`, `nft` and the rights of root; without them the tests are skipped, or fail for want of the programs with
//! `WEIR_TEST_SERVERS=required`.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use weir_testkit::names::NameServer;
use weir_testkit::peer::{PeerNetwork, call, connect_inside, has_namespaces, ip};
use weir_testkit::servers::Redis;
use weir_testkit::service::{Client, Service, ServiceOptions, StreamReader};

const WEIR: &str = env!("CARGO_BIN_EXE_weir");
/// Longest wait for something that takes a moment.
const LIMIT: Duration = Duration::from_secs(60);
const CLUSTERS: &str = "/v1.0/{project}/reserved_cluster";
/// Rights by which a process could leave its network, or see what passes by: `CAP_NET_ADMIN`, `CAP_NET_RAW`,
/// `CAP_SYS_MODULE`, `CAP_SYS_PTRACE` and `CAP_SYS_ADMIN`.
const RIGHTS: u64 = 1 << 12 | 1 << 13 | 1 << 16 | 1 << 19 | 1 << 21;

async fn service(environment: &[(&str, &str)]) -> (Service, Client) {
    service_of(Path::new(WEIR), environment).await
}

/// Starts a service by a program that becomes `weir`.
async fn service_of(weir: &Path, environment: &[(&str, &str)]) -> (Service, Client) {
    let environment = [("WEIR_CLUSTER_NAMESPACES", "on")].iter().chain(environment);
    let environment = environment.map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let options = ServiceOptions { environment, ..ServiceOptions::default() };
    let service = Service::start(weir, options).unwrap();
    let client = Client::log_in(&service.endpoint().unwrap(), service.password()).await.unwrap();
    (service, client)
}

/// Asks again until the answer is there.
async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "{what}: not after {LIMIT:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn create_cluster(client: &Client, name: &str) -> i64 {
    let made = client.call(Method::POST, CLUSTERS, Some(&json!({ "name": name }))).await.unwrap();
    let id = made["payload"]["cluster_id"].as_i64().unwrap();
    let one = format!("{CLUSTERS}/{id}");
    until("the cluster runs", async || {
        let cluster = client.call(Method::GET, &one, None).await.unwrap();
        (cluster["payload"]["status_code"] == 5).then_some(())
    })
    .await;
    id
}

/// Peers a cluster with a network. Returns the path of the routes of the peering.
async fn peer(service: &Service, client: &Client, cluster: i64, network: &PeerNetwork) -> String {
    let added = service.command(&["operate", "network", "add", "n1", &network.cidr()]).unwrap();
    let peerings = format!("{CLUSTERS}/{cluster}/peering");
    let asked = json!({ "name": "p1", "vpc_id": added.trim() });
    let peering = client.call(Method::POST, &peerings, Some(&asked)).await.unwrap();
    let id = peering["peering"]["id"].as_str().unwrap();
    client.call(Method::PUT, &format!("/v2.0/vpc/peerings/{id}/accept"), None).await.unwrap();
    format!("{peerings}/{id}/route")
}

/// Returns the namespace of the only cluster, as the operator sees it.
fn namespace(service: &Service) -> String {
    let listed = service.command(&["operate", "cluster", "list", "--output", "json"]).unwrap();
    let listed: Value = serde_json::from_str(&listed).unwrap();
    listed[0]["network_namespace"].as_str().unwrap().to_string()
}

/// Writes a value into a server of Redis.
fn set(redis: &Redis, key: &str, value: &str) {
    let mut server = TcpStream::connect(redis.address()).unwrap();
    write!(server, "AUTH \"{}\"\r\nSET {key} {value}\r\n", redis.password()).unwrap();
    let mut answers = [0; 10];
    server.read_exact(&mut answers).unwrap();
    assert_eq!(std::str::from_utf8(&answers), Ok("+OK\r\n+OK\r\n"));
}

fn job(name: &str, cluster: i64, sql: &str) -> Value {
    json!({ "name": name, "run_mode": "exclusive_cluster", "cluster_id": cluster, "sql_body": sql,
        "restart_when_exception": false })
}

/// Returns the text of a job that looks keys up in a server of Redis at an address.
fn look_up(address: &str, redis: &Redis) -> String {
    format!(
        "CREATE SOURCE STREAM s (k STRING) WITH (type='dis', region='local', channel='in', encode='csv', field_delimiter=',');\n\
         CREATE TABLE t (k STRING, v STRING) WITH (type='dcs_redis', cluster_address='{address}', password='{}',\n\
           key_column='k', value_type='string');\n\
         CREATE SINK STREAM o (v STRING) WITH (type='dis', region='local', channel='out', encode='csv', field_delimiter=',');\n\
         INSERT INTO o SELECT t.v FROM s JOIN t ON s.k = t.k;",
        redis.password()
    )
}

/// Checks that no thread of a process has rights that could undo its confinement, and in which network it is.
fn check_process(pid: u32, namespace: &str) {
    assert_eq!(ip(&["netns", "identify", &pid.to_string()]).unwrap().trim(), namespace);
    let threads: Vec<_> = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten().collect();
    let mut outside = 0;
    for thread in &threads {
        // One may have ended.
        let Ok(status) = std::fs::read_to_string(thread.path().join("status")) else { continue };
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            u64::from_str_radix(line.trim(), 16).unwrap()
        };
        assert_eq!((field("CapEff:") & RIGHTS, field("CapPrm:") & RIGHTS), (0, 0), "{status}");
        assert_eq!(field("NoNewPrivs:"), 1, "{status}");
        let network = std::fs::read_link(thread.path().join("ns/net")).unwrap();
        outside += usize::from(network == std::fs::read_link("/proc/self/ns/net").unwrap());
    }
    assert!(outside < threads.len(), "the process is in the network of the machine");
}

/// Returns what is on this machine of the network of a service.
fn left(service: &Service) -> Vec<String> {
    let data = service.data().metadata().unwrap();
    let place = format!("weir-{}-{}", data.dev(), data.ino());
    let namespaces = ip(&["netns", "list"]).unwrap();
    let tables = call("nft", &["list", "tables"]).unwrap();
    let names = [place.clone(), place.replace('-', "_")];
    let lines = namespaces.lines().chain(tables.lines());
    lines.filter(|line| names.iter().any(|name| line.contains(name))).map(String::from).collect()
}

fn interface_of(namespace: &str) -> String {
    let shown = ip(&["-json", "-4", "-netns", namespace, "addr", "show", "dev", "eth0"]).unwrap();
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let address: Ipv4Addr = shown[0]["addr_info"][0]["local"].as_str().unwrap().parse().unwrap();
    format!("weir{:08x}", u32::from(address) - 2)
}

fn is_interface(name: &str) -> bool {
    Path::new("/sys/class/net").join(name).exists()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_routes_lead_to_is_reached_from_the_namespace_of_a_cluster() {
    let Some(network) = PeerNetwork::make().unwrap() else { return };
    let Some(redis) = Redis::start_in(&network).unwrap() else { return };
    set(&redis, "k1", "one");
    let (mut service, mut client) = service(&[]).await;
    let cluster = create_cluster(&client, "c1").await;
    let routes = peer(&service, &client, cluster, &network).await;
    client.create_stream("in", 1).await.unwrap();
    client.create_stream("out", 1).await.unwrap();
    let job = client.create_job(&job("j1", cluster, &look_up(&redis.address(), &redis))).await.unwrap();

    // Without a route.
    client.run_job(job).await.unwrap();
    client.wait_for(job, &["job_running"], LIMIT).await.unwrap();
    client.put_records("in", ["k1"]).await.unwrap();
    let failed = client.wait_for(job, &["job_running_exception"], LIMIT).await.unwrap();
    let reason = format!("no route leads to {}", network.address());
    assert!(failed.status_desc.contains(&reason), "{failed:?}");
    client.run_job(job).await.unwrap();
    client.wait_for(job, &["job_running"], LIMIT).await.unwrap();
    let inside = namespace(&service);
    let server: SocketAddr = redis.address().parse().unwrap();
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    let machine = SocketAddr::new(network.machine().into(), listener.local_addr().unwrap().port());
    assert!(TcpStream::connect(machine).is_ok(), "it is reached from outside");
    for address in [server, machine] {
        let refused = connect_inside(&inside, address).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::NetworkUnreachable, "{address}: {refused}");
    }
    // The other end of the link is an address of the machine, to which a route is needed for all others.
    let interface = interface_of(&inside);
    let end = ip(&["-json", "-4", "addr", "show", "dev", &interface]).unwrap();
    let end: Value = serde_json::from_str(&end).unwrap();
    let end: Ipv4Addr = end[0]["addr_info"][0]["local"].as_str().unwrap().parse().unwrap();
    let refused = connect_inside(&inside, SocketAddr::new(end.into(), machine.port())).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::HostUnreachable, "{refused}");

    // With a route, which a job that runs gets too.
    let workers = service.workers();
    let [worker] = workers[..] else { panic!("{workers:?}") };
    check_process(worker, &inside);
    let route = json!({ "destination": format!("{}/32", network.address()) });
    let route = client.call(Method::POST, &routes, Some(&route)).await.unwrap();
    until("the route is there", async || connect_inside(&inside, server).ok()).await;
    let mut reader = StreamReader::from_oldest(&client, "out").await.unwrap();
    client.put_records("in", ["k1"]).await.unwrap();
    let rows = until("a row has arrived", async || {
        Some(reader.read_new(&client).await.unwrap()).filter(|rows| !rows.is_empty())
    });
    assert_eq!(rows.await, ["one"]);
    let refused = connect_inside(&inside, machine).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::NetworkUnreachable, "one host was routed: {refused}");

    // The namespace outlives the service as its workers do.
    service.kill().unwrap();
    connect_inside(&inside, server).unwrap();
    service.start_again().unwrap();
    client.move_to(&service.endpoint().unwrap());
    client.wait_for(job, &["job_running"], LIMIT).await.unwrap();
    assert_eq!((service.workers(), namespace(&service)), (workers, inside.clone()));

    // Without the route again.
    let route = route["route"]["id"].as_str().unwrap();
    client.call(Method::DELETE, &format!("{routes}/{route}"), None).await.unwrap();
    until("the route is gone", async || connect_inside(&inside, server).err()).await;

    client.call(Method::DELETE, &format!("{CLUSTERS}/{cluster}"), None).await.unwrap();
    until("nothing is left", async || left(&service).is_empty().then_some(())).await;
    assert!(!is_interface(&interface));
}

#[tokio::test(flavor = "multi_thread")]
async fn buckets_of_an_endpoint_are_reached_from_outside_and_a_service_takes_its_namespaces_along() {
    if !has_namespaces().unwrap() {
        return;
    }
    let endpoint = Service::start(Path::new(WEIR), ServiceOptions::default()).unwrap();
    let owner = Client::log_in(&endpoint.endpoint().unwrap(), endpoint.password()).await.unwrap();
    let users = owner.call(Method::GET, "/v3/users", None).await.unwrap();
    let user = users["users"][0]["id"].as_str().unwrap();
    let asked = json!({ "credential": { "user_id": user, "description": "d" } });
    let key = owner.call(Method::POST, "/v3.0/OS-CREDENTIAL/credentials", Some(&asked)).await.unwrap();
    let of_key = |member: &str| key["credential"][member].as_str().unwrap().to_string();
    endpoint.command(&["bucket", "create", "bk1"]).unwrap();
    std::fs::create_dir(endpoint.data().join("objects/bk1/in")).unwrap();
    std::fs::write(endpoint.data().join("objects/bk1/in/a.csv"), "1\n2\n").unwrap();

    // The endpoint is on a loopback address, which is not the one inside.
    let (mut service, client) = service(&[
        ("WEIR_OBJECTS_ENDPOINT", endpoint.s3_endpoint().unwrap().as_str()),
        ("WEIR_OBJECTS_ACCESS_KEY", of_key("access").as_str()),
        ("WEIR_OBJECTS_SECRET_KEY", of_key("secret").as_str()),
    ])
    .await;
    client.authorize_buckets(&["bk1"]).await.unwrap();
    let cluster = create_cluster(&client, "c1").await;
    client.create_stream("out", 1).await.unwrap();
    let sql = r#"CREATE SOURCE STREAM s (a INT) WITH (type = "obs", region = "local", bucket = "bk1", object_name = "in/",
          encode = "csv", field_delimiter = ",", row_delimiter = "\n");
        CREATE SINK STREAM o (a INT) WITH (type = "dis", region = "local", channel = "out", encode = "csv",
          field_delimiter = ",");
        INSERT INTO o SELECT a FROM s;"#;
    let job = client.create_job(&job("j1", cluster, sql)).await.unwrap();
    client.run_job(job).await.unwrap();
    client.wait_for(job, &["job_finish"], LIMIT).await.unwrap();
    let mut reader = StreamReader::from_oldest(&client, "out").await.unwrap();
    assert_eq!(reader.read_new(&client).await.unwrap(), ["1", "2"]);
    assert_eq!(left(&service).len(), 2, "a namespace and a table");
    let interface = interface_of(&namespace(&service));
    service.end().unwrap();
    assert_eq!((left(&service), is_interface(&interface)), (Vec::new(), false));
}

/// Writes a program that becomes `weir` where `/etc/resolv.conf` names another server.
fn weir_with_resolver(place: &Path, names: &NameServer) -> PathBuf {
    let (resolver, program) = (place.join("resolv.conf"), place.join("weir"));
    std::fs::write(&resolver, names.resolver()).unwrap();
    let mount = "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\"";
    let script =
        format!("#!/bin/sh\nexec unshare --mount sh -c '{mount}' {} {WEIR} \"$@\"\n", resolver.display());
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    program
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_those_of_the_cluster_and_then_of_the_machine_whose_name_server_no_route_leads_to() {
    let Some(network) = PeerNetwork::make().unwrap() else { return };
    let Some(redis) = Redis::start_in(&network).unwrap() else { return };
    set(&redis, "k1", "one");
    // On a loopback address of the machine, which is another one inside.
    let [.., number, _] = network.address().octets();
    let names =
        NameServer::start(Ipv4Addr::new(127, 77, number, 53), "cache.test", network.address()).unwrap();
    let place = tempfile::tempdir().unwrap();
    let (mut service, client) = service_of(&weir_with_resolver(place.path(), &names), &[]).await;
    let cluster = create_cluster(&client, "c1").await;
    let routes = peer(&service, &client, cluster, &network).await;
    let route = json!({ "destination": format!("{}/32", network.address()) });
    client.call(Method::POST, &routes, Some(&route)).await.unwrap();
    client.create_stream("in", 1).await.unwrap();
    client.create_stream("out", 1).await.unwrap();
    let port = redis.address().parse::<SocketAddr>().unwrap().port();
    let sql = look_up(&format!("cache.test:{port}"), &redis);
    let job = client.create_job(&job("j1", cluster, &sql)).await.unwrap();
    client.run_job(job).await.unwrap();
    client.wait_for(job, &["job_running"], LIMIT).await.unwrap();
    let mut reader = StreamReader::from_oldest(&client, "out").await.unwrap();
    client.put_records("in", ["k1"]).await.unwrap();
    let rows = until("a row has arrived", async || {
        Some(reader.read_new(&client).await.unwrap()).filter(|rows| !rows.is_empty())
    });
    assert_eq!(rows.await, ["one"]);
    let asked = names.asked();
    assert!(asked > 0, "the name server of the machine was asked");
    client.stop_job(job).await.unwrap();
    client.wait_for(job, &["job_cancel_success"], LIMIT).await.unwrap();

    // A mapping comes first, also when no route leads to where it points.
    let [a, b, c, _] = network.address().octets();
    let mapped = Ipv4Addr::new(a, b, c, 9);
    let host = json!({ "hosts_info": [{ "hostname": "cache.test", "ip": mapped }] });
    client.call(Method::POST, &format!("{CLUSTERS}/{cluster}/hosts"), Some(&host)).await.unwrap();
    client.run_job(job).await.unwrap();
    client.wait_for(job, &["job_running"], LIMIT).await.unwrap();
    client.put_records("in", ["k1"]).await.unwrap();
    let failed = client.wait_for(job, &["job_running_exception"], LIMIT).await.unwrap();
    assert!(failed.status_desc.contains(&format!("no route leads to {mapped}")), "{failed:?}");
    assert_eq!(names.asked(), asked, "nobody is asked for a name that is mapped");
    service.end().unwrap();
    assert_eq!(left(&service), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_namespace_cannot_be_made_does_not_start_and_says_why() {
    if !has_namespaces().unwrap() {
        return;
    }
    // Room for the link of one cluster.
    let links = format!("100.126.{}.0/30", std::process::id() % 256);
    let (mut service, client) = service(&[("WEIR_CLUSTER_LINK_NETWORK", links.as_str())]).await;
    let sql = "CREATE SOURCE STREAM s (a INT) WITH (type = 'datagen', rows_per_second = '1');\n\
               CREATE SINK STREAM o (a INT) WITH (type = 'blackhole');\nINSERT INTO o SELECT a FROM s;";
    let [one, other] = [create_cluster(&client, "c1").await, create_cluster(&client, "c2").await];
    let first = client.create_job(&job("j1", one, sql)).await.unwrap();
    client.run_job(first).await.unwrap();
    client.wait_for(first, &["job_running"], LIMIT).await.unwrap();
    let second = client.create_job(&job("j2", other, sql)).await.unwrap();
    // The call tells of it or the status does, whichever the reconciler is in time for.
    let _ = client.run_job(second).await;
    let view = client.wait_for(second, &["job_submit_fail"], LIMIT).await.unwrap();
    let reason = format!(
        "the network namespace of cluster {other} cannot be made: all addresses of the network of links"
    );
    assert!(view.status_desc.contains(&reason), "{view:?}");
    assert_eq!(service.workers().len(), 1);
    service.end().unwrap();
    assert_eq!(left(&service), Vec::<String>::new());
}

#[test]
fn a_service_that_must_have_namespaces_and_cannot_says_why() {
    for (variable, value, reason) in [
        ("WEIR_JOB_LOOPBACK", "true", "`job_loopback` is true"),
        ("WEIR_EXCLUSIVE_CLUSTERS_RESTRICTED", "false", "`exclusive_clusters_restricted` is false"),
        // Where nothing can be tried it is another reason.
        ("WEIR_CLUSTER_LINK_NETWORK", "127.0.0.0/16", "there can be no network namespaces of clusters"),
    ] {
        let environment = [("WEIR_CLUSTER_NAMESPACES", "on"), (variable, value)];
        let environment = environment.map(|(name, value)| (name.to_string(), value.to_string())).to_vec();
        let options = ServiceOptions { environment, ..ServiceOptions::default() };
        let refused = Service::start(Path::new(WEIR), options).unwrap_err().to_string();
        assert!(refused.contains("`cluster_namespaces` is on") && refused.contains(reason), "{refused}");
    }
}
