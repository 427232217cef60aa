//! The reference page in `docs/` is what the connectors say of themselves.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use weir_base::connector::{Role, option_key};

#[test]
fn page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/connectors.md");
    let page = weir_connectors::reference();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/reference/connectors.md is stale; run `UPDATE_DOCS=1 cargo test -p weir-connectors`"
    );
}

#[test]
fn descriptions_are_whole() {
    for connector in weir_connectors::CATALOG.0 {
        assert!(connector.summary.ends_with('.'), "{}", connector.name);
        let is_outside = ["dcs_redis", "rds"].contains(&connector.name);
        assert_eq!(connector.shared_cluster, !is_outside, "{}", connector.name);
        for role in connector.roles {
            let mut keys: Vec<String> = role.options.iter().map(|option| option_key(option.name)).collect();
            keys.extend(role.ignored.iter().map(|name| option_key(name)));
            let count = keys.len();
            keys.sort();
            keys.dedup();
            assert_eq!(keys.len(), count, "{}: an option is named twice", connector.name);
            assert!(role.options.iter().all(|option| option.meaning.ends_with('.')), "{}", connector.name);
        }
    }
    let dis = weir_connectors::CATALOG.find("DIS").unwrap();
    assert!(dis.role(Role::Source).is_some() && dis.role(Role::Sink).is_some());
}

#[test]
fn checker_refuses_the_values_that_the_connectors_refuse() {
    for (connector, role, pairs, complaint) in [
        (
            "dis",
            Role::Source,
            vec![("partition_count", "1"), ("partition_range", "[0:1]")],
            "cannot be combined",
        ),
        (
            "dis",
            Role::Source,
            vec![("start_time", "yesterday")],
            "option `start_time`: `yesterday` is not of the form",
        ),
        ("obs", Role::Source, vec![("object_name", "a/"), ("version_id", "1")], "is a prefix"),
        ("obs", Role::Source, vec![("object_name", "a"), ("rows_per_second", "-1")], "must not be negative"),
        ("obs", Role::Sink, vec![("obs_dir", "b/d")], "`rolling_interval` must be given"),
        ("obs", Role::Sink, vec![("obs_dir", "b/d"), ("rolling_size", "1x")], "not a size"),
        ("file", Role::Source, vec![("path", "a.gz"), ("follow", "true")], "cannot be followed"),
        (
            "file",
            Role::Source,
            vec![("path", "a"), ("encode", "xml"), ("follow", "true")],
            "option `follow`: a file that is one record, because `row_delimiter` is empty, cannot be followed",
        ),
        (
            "file",
            Role::Source,
            vec![("path", "a"), ("row_delimiter", ""), ("header", "true")],
            "option `header`: a file that is one record",
        ),
        ("file", Role::Sink, vec![("path", "a"), ("row_delimiter", "")], "must not be empty"),
        ("file", Role::Sink, vec![("header", "true"), ("encode", "json")], "belongs to"),
        ("datagen", Role::Source, vec![("rows_per_second", "-1")], "must not be negative"),
        ("nexmark", Role::Source, vec![("splits", "1001")], "at most 1000"),
        (
            "dcs_redis",
            Role::Table,
            vec![("cluster_address", "a:1"), ("value_type", "hash")],
            "`hash_key_column`: must be given",
        ),
        (
            "dcs_redis",
            Role::Table,
            vec![("cluster_address", "a:1,b:1"), ("value_type", "string")],
            "not a Redis cluster",
        ),
        ("rds", Role::Table, vec![("db_url", "oracle://h/d"), ("table_name", "t")], "the scheme `oracle`"),
        ("rds", Role::Table, vec![("db_url", "mysql://h/d"), ("table_name", "a..b")], "`schema.table`"),
        (
            "rds",
            Role::Table,
            vec![("db_url", "mysql://h/d"), ("table_name", "t"), ("cache_time", "-1")],
            "option `cache_time`: `-1` is not a number",
        ),
        ("file", Role::Table, vec![("row_delimiter", "")], "must not be empty"),
    ] {
        let rule = weir_connectors::CATALOG.find(connector).unwrap().role(role).unwrap().rule.unwrap();
        let lookup =
            |name: &str| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string());
        let message = rule(&lookup).unwrap_err();
        assert!(message.contains(complaint), "{connector}: {message}");
    }
}
