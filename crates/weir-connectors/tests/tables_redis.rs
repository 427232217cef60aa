//! Dimension tables in a real Redis server.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

mod common;

use common::tables::{ask, keys, table};
use common::world;
use weir_base::network::NetworkSettings;
use weir_connectors::Network;
use weir_engine::lookup::SharedLookup;
use weir_testkit::servers::Redis;

async fn fill(redis: &Redis, commands: &[&[&str]]) -> redis::Value {
    let info = redis::ConnectionInfo::clone(&{
        use redis::IntoConnectionInfo;
        let address = redis::ConnectionAddr::Tcp("127.0.0.1".to_string(), port(redis));
        let settings = redis::RedisConnectionInfo::default().set_password(redis.password());
        address.into_connection_info().unwrap().set_redis_settings(settings)
    });
    let client = redis::Client::open(info).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut last = redis::Value::Nil;
    for command in commands {
        let mut sent = redis::cmd(command[0]);
        command[1..].iter().for_each(|argument| {
            sent.arg(*argument);
        });
        last = sent.query_async(&mut connection).await.unwrap();
    }
    last
}

fn port(redis: &Redis) -> u16 {
    redis.address().rsplit_once(':').unwrap().1.parse().unwrap()
}

const KV: &[(&str, &str)] = &[("k", "STRING"), ("v", "STRING")];

fn connect(redis: &Redis, columns: &[(&str, &str)], more: &[(&str, &str)]) -> SharedLookup {
    let (address, password) = (redis.address(), redis.password());
    let mut options = vec![
        ("type", "dcs_redis"),
        ("cluster_address", address.as_str()),
        ("password", password.as_str()),
        ("key_column", "k"),
        ("cache_time", "0"),
    ];
    options.extend_from_slice(more);
    weir_connectors::table(&table(columns, &options), &world().environment).unwrap()
}

/// A job whose cluster maps a made-up name to the machine of the server, with and without a route there.
#[tokio::test]
async fn a_server_under_a_mapped_name() {
    let Some(redis) = Redis::start().unwrap() else { return };
    fill(&redis, &[&["SET", "s1", "a"]]).await;
    let (address, password) = (format!("Redis.made.up:{}", port(&redis)), redis.password());
    let options = [
        ("type", "dcs_redis"),
        ("cluster_address", address.as_str()),
        ("password", password.as_str()),
        ("key_column", "k"),
        ("value_type", "string"),
    ];
    let asked = keys(KV, &[0], &[&["s1"]]);
    let mut environment = world().environment;
    for (route, reached) in [(None, true), (Some("127.0.0.0/8"), true), (Some("10.0.0.0/8"), false)] {
        environment.network = Network::new(&NetworkSettings {
            hosts: [("redis.made.up".to_string(), "127.0.0.1".parse().unwrap())].into(),
            destinations: route.map(|route| vec![route.parse().unwrap()]),
            ..NetworkSettings::default()
        });
        let found =
            ask(&weir_connectors::table(&table(KV, &options), &environment).unwrap(), &[0], &asked).await;
        match found {
            Ok(rows) => assert!(reached && rows == ["0: s1|a"], "{route:?}: {rows:?}"),
            Err(error) => {
                assert!(!reached && error.message.contains("no route leads to 127.0.0.1"), "{error}")
            }
        }
    }
}

#[tokio::test]
async fn values_of_every_type() {
    let Some(redis) = Redis::start().unwrap() else { return };
    fill(
        &redis,
        &[
            &["SET", "s1", "a"],
            &["SET", "s2", ""],
            &["RPUSH", "l1", "c", "a", "c"],
            &["SADD", "t1", "c", "a", "b"],
            &["ZADD", "z1", "2", "a", "1", "c"],
            &["HSET", "h1", "f", "x", "g", "y"],
        ],
    )
    .await;
    let one = |value_type| connect(&redis, KV, &[("value_type", value_type)]);
    let asked = keys(KV, &[0], &[&["s1"], &["missing"], &["s2"], &["l1"], &["t1"], &["z1"], &["h1"]]);
    // The keys of other types are as good as missing.
    for (value_type, expected) in [
        ("string", vec!["0: s1|a", "2: s2|"]),
        ("list", vec!["3: l1|c,a,c"]),
        ("set", vec!["4: t1|a,b,c"]),
        ("zset", vec!["5: z1|c,a"]),
    ] {
        assert_eq!(ask(&one(value_type), &[0], &asked).await.unwrap(), expected, "{value_type}");
    }
    let columns = &[("v", "STRING"), ("f", "STRING"), ("k", "STRING")];
    let hash = connect(&redis, columns, &[("value_type", "hash"), ("hash_key_column", "f")]);
    let asked = keys(columns, &[1, 2], &[&["f", "h1"], &["g", "h1"], &["x", "h1"], &["f", "s1"]]);
    assert_eq!(ask(&hash, &[1, 2], &asked).await.unwrap(), ["0: x|f|h1", "1: y|g|h1"]);
}

#[tokio::test]
async fn many_keys_take_few_round_trips() {
    let Some(redis) = Redis::start().unwrap() else { return };
    let rows: Vec<String> = (0..2_500).map(|key| format!("key-{key}")).collect();
    let mut set = vec!["MSET"];
    rows.iter().for_each(|key| set.extend([key.as_str(), key.as_str()]));
    fill(&redis, &[&set, &["CONFIG", "RESETSTAT"]]).await;
    let asked: Vec<[&str; 1]> = rows.iter().map(|key| [key.as_str()]).collect();
    let asked: Vec<&[&str]> = asked.iter().map(|key| &key[..]).collect();
    let table = connect(&redis, KV, &[("value_type", "string")]);
    assert_eq!(ask(&table, &[0], &keys(KV, &[0], &asked)).await.unwrap().len(), 2_500);
    let statistics = format!("{:?}", fill(&redis, &[&["INFO", "commandstats"]]).await);
    assert!(statistics.contains("cmdstat_mget:calls=3,"), "{statistics}");
}

#[tokio::test]
async fn a_value_that_is_no_text_is_a_fault_of_its_key_alone() {
    let Some(redis) = Redis::start().unwrap() else { return };
    let script = "redis.call('SET', 'k1', string.char(255)) redis.call('SET', 'k2', 'a')";
    fill(&redis, &[&["EVAL", script, "0"]]).await;
    let table = connect(&redis, KV, &[("value_type", "string")]);
    let answer = table.look_up(&[0], &keys(KV, &[0], &[&["k1"], &["k2"]])).await.unwrap();
    assert_eq!(answer.keys, [1]);
    assert_eq!(answer.faults.len(), 1);
    assert_eq!(answer.faults[0].reason, "column `v`: the value in Redis is not UTF-8");
}

#[tokio::test]
async fn faults_are_told_by_whether_they_may_go_away_and_without_secrets() {
    let Some(mut redis) = Redis::start().unwrap() else { return };
    let asked = keys(KV, &[0], &[&["k1"]]);
    let wrong = connect(&redis, KV, &[("value_type", "string"), ("password", "swordfish")]);
    let error = wrong.look_up(&[0], &asked).await.unwrap_err();
    assert!(!error.transient && error.message.contains("option `password`"), "{error}");
    assert!(error.message.contains("table `T`") && !error.message.contains("swordfish"), "{error}");
    let none = connect(&redis, KV, &[("value_type", "string"), ("password", "")]);
    let error = none.look_up(&[0], &asked).await.unwrap_err();
    assert!(!error.transient && error.message.contains("give option `password`"), "{error}");

    let table = connect(&redis, KV, &[("value_type", "string")]);
    assert_eq!(ask(&table, &[0], &asked).await.unwrap(), Vec::<String>::new());
    redis.stop();
    let error = table.look_up(&[0], &asked).await.unwrap_err();
    assert!(error.transient, "{error}");
    redis.start_again().unwrap();
    fill(&redis, &[&["SET", "k1", "back"]]).await;
    let again = match ask(&table, &[0], &asked).await {
        Err(error) if error.transient => ask(&table, &[0], &asked).await,
        answer => answer,
    };
    assert_eq!(again.unwrap(), ["0: k1|back"], "a new connection is made");
}
