//! Global variables in option values: what is replaced, by what, and what is said about it.

mod support;

use support::{CATALOG, assert_error};
use weir_base::variables::Variables;
use weir_sql::flink::{FlinkOptions, flink_script};
use weir_sql::{CheckError, CheckOptions, Job, check, check_all, variable_names};

fn options(variables: &[(&str, &str)]) -> CheckOptions {
    CheckOptions { variables: variables.iter().copied().collect(), ..CheckOptions::default() }
}

/// A job whose sink has a channel of this literal.
fn text(channel: &str) -> String {
    format!(
        "CREATE SINK STREAM s (a STRING) WITH (type='dis', encode='json', channel={channel});\n\
         INSERT INTO s SELECT 'x'"
    )
}

/// Where the value of the option `channel` begins.
const COLUMN: u32 = 74;

fn job(channel: &str, variables: &[(&str, &str)]) -> Job {
    match check(&text(channel), &CATALOG, &options(variables)) {
        Ok(job) => job,
        Err(error) => panic!("{channel}: {error}"),
    }
}

fn refused(text: &str, variables: &[(&str, &str)]) -> CheckError {
    check(text, &CATALOG, &options(variables)).map(|_| ()).expect_err(text)
}

fn warnings(job: &Job) -> Vec<(u32, String)> {
    job.warnings
        .iter()
        .map(|warning| (warning.message.position.column, warning.message.text.clone()))
        .collect()
}

#[test]
fn a_variable_stands_for_its_value() {
    let variables = [("name", "v"), ("a.b-c_1", "w"), ("empty", "")];
    for (channel, value) in [
        ("'{{name}}'", "v"),
        ("\"{{name}}\"", "v"),
        ("'x-{{name}}-y'", "x-v-y"),
        ("'{{ name }}{{\tname\n}}'", "vv"),
        ("'{{name}}{{a.b-c_1}}'", "vw"),
        ("'x{{empty}}'", "x"),
        ("'{{{name}}}'", "{v}"),
        ("'\\n{{name}}\\t''{{name}}'", "\nv\t'v"),
        ("'\\\\{{name}}'", "\\v"),
        ("'${name}'", "${name}"),
    ] {
        let job = job(channel, &variables);
        assert_eq!(job.sinks[0].options.get("channel"), Some(value), "{channel}");
        assert_eq!(warnings(&job), [], "{channel}");
    }
}

#[test]
fn a_value_is_taken_as_it_is_and_cannot_end_its_string() {
    for value in [
        "it's",
        "say \"x\"",
        "''",
        "\"\"",
        "\\",
        "\\n",
        "\\u0041",
        "a\nb",
        "{{name}}",
        "{{other}}",
        "x', type='print",
        "x\", type=\"print",
        "x'); DROP",
        "-- x",
        "/* x",
    ] {
        for channel in ["'{{name}}'", "\"{{name}}\""] {
            let job = job(channel, &[("name", value), ("other", "o")]);
            assert_eq!(job.sinks[0].options.get("channel"), Some(value), "{channel}");
            assert_eq!(job.sinks[0].options.get("type"), Some("dis"), "{channel}");
        }
    }
}

#[test]
fn places_behind_a_value_are_those_of_the_text() {
    let text = "CREATE SINK STREAM s (a STRING) WITH (type='dis', encode='json', channel='{{v}}', typo='1')";
    let error = refused(text, &[("v", "a\nvery\nlong\nvalue")]);
    assert_eq!((error.message.position.line, error.message.position.column), (1, 83));
}

#[test]
fn an_unknown_name_is_refused_where_it_stands() {
    let many: Vec<(String, String)> = (0..12).map(|n| (format!("variable_{n:02}"), "x".into())).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let listed: Vec<String> = many[..10].iter().map(|(name, _)| format!("`{name}`")).collect();
    let listed = format!("defined are {} and others", listed.join(", "));
    for (channel, variables, column, length, name, hint) in [
        ("'x-{{nam}}'", &[("name", "v")][..], 3, 7, "nam", "did you mean `name`?"),
        ("'{{ NAME }}'", &[("name", "v")], 1, 10, "NAME", "did you mean `name`?"),
        ("'{{name}}{{key}}'", &[("name", "v")], 9, 7, "key", "defined are `name`"),
        ("'\u{e9}{{key}}'", &[], 2, 7, "key", "no global variable is defined"),
        ("'{{key}}'", &many, 1, 7, "key", listed.as_str()),
    ] {
        let text = text(channel);
        let complaint = format!("unknown global variable `{name}`");
        let expected = ("CS.13005", 1, COLUMN + column, length, complaint.as_str(), hint);
        assert_error(&text, &refused(&text, variables), expected);
    }
}

#[test]
fn every_unknown_name_of_a_job_is_told() {
    let text =
        "CREATE SINK STREAM a (x INT) WITH (type='{{a}}');\nCREATE SINK STREAM b (x INT) WITH (type='{{b}}')";
    let errors = check_all(text, &CATALOG, &options(&[])).map(|_| ()).expect_err("two names");
    let found: Vec<_> = errors.iter().map(|error| error.message.text.as_str()).collect();
    assert_eq!(found, ["unknown global variable `a`", "unknown global variable `b`"]);
}

#[test]
fn what_looks_like_a_variable_and_is_none_stays_with_a_warning() {
    let complaint = "`{{` begins no global variable here and stays in the value";
    for (channel, value, column) in [
        ("'{{name'", "{{name", Some(1)),
        ("'{{name}'", "{{name}", Some(1)),
        ("'x{{na me}}'", "x{{na me}}", Some(2)),
        ("'{{}}'", "{{}}", Some(1)),
        ("'{{'", "{{", Some(1)),
        ("'{{name}} {{'", "v {{", Some(10)),
        ("'{\"a\":{\"b\":1}}'", "{\"a\":{\"b\":1}}", None),
        ("'{{\"a\":1}}'", "{{\"a\":1}}", None),
        ("'}}'", "}}", None),
    ] {
        let job = job(channel, &[("name", "v")]);
        assert_eq!(job.sinks[0].options.get("channel"), Some(value), "{channel}");
        let expected: Vec<_> = column.map(|at| (COLUMN + at, complaint.to_string())).into_iter().collect();
        assert_eq!(warnings(&job), expected, "{channel}");
    }
}

#[test]
fn an_escaped_brace_is_an_escape_that_does_not_exist() {
    let text = text("'x\\{{name}}'");
    let error = refused(&text, &[("name", "v")]);
    assert_eq!(
        (error.message.position.column, error.message.text.as_str()),
        (COLUMN + 2, "`\\{` is not an escape")
    );
    let behind = self::text("'{{name}}\\d'");
    let error = refused(&behind, &[("name", "very long")]);
    assert_eq!(error.message.position.column, COLUMN + 9);
}

#[test]
fn only_option_values_have_variables() {
    let text = "CREATE SINK STREAM s (a STRING) WITH (type='print');\nINSERT INTO s SELECT '{{name}}'";
    let options = CheckOptions { cluster: weir_sql::Cluster::Local, ..options(&[("name", "v")]) };
    let job = check(text, &CATALOG, &options).expect("a job");
    assert!(format!("{:?}", job.inserts[0].plan).contains("{{name}}"));
    assert_eq!(variable_names(text).len(), 0);
    let names = variable_names(&self::text("'{{ b }}{{a}}{{b}}{{c'"));
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["a", "b"]);
}

/// Faults whose messages quote the value of an option, or a part of it.
#[test]
fn no_complaint_tells_a_value() {
    const SECRET: &str = "planted;Secret.x=1";
    for options in [
        "type='{{v}}'",
        "type='dis', encode='{{v}}', channel='c'",
        "type='dis', encode='json', channel='c', enable_output_null='{{v}}'",
        "type='dis', encode='json', channel='c', json_config='{{v}}'",
        "type='dis', encode='json', channel='c', json_schema='{{v}}'",
        "type='dis', encode='json', channel='c', json_config='a=b[{{v}}'",
    ] {
        let text = format!("CREATE SINK STREAM s (a STRING) WITH ({options});\nINSERT INTO s SELECT 'x'");
        let error = refused(&text, &[("v", SECRET)]);
        let said = format!("{error} {error:?} {}", weir_sql::render("job.sql", &text, &error)).to_lowercase();
        for part in ["planted", "secret", "x=1"] {
            assert!(!said.contains(part), "{options}: {said}");
        }
    }
    let error = refused("CREATE SINK STREAM s (a INT) WITH (type='{{v}}')", &[("v", "dos")]);
    assert_eq!(error.message.text, "unknown type `{{v}}`");
}

#[test]
fn neither_the_job_nor_its_plans_show_a_value() {
    let job = job("'planted-{{v}}'", &[("v", "Secret")]);
    assert_eq!(job.sinks[0].options.get("channel"), Some("planted-Secret"));
    assert!(!format!("{job:?}").contains("Secret"), "{job:?}");
    assert_eq!(job.redactor.redact("cannot reach `planted-Secret`"), "cannot reach `planted-{{v}}`");
    assert!(!format!("{:?}", options(&[("v", "Secret")])).contains("Secret"));
}

#[test]
fn flink_text_names_the_variable() {
    let text = "CREATE SOURCE STREAM f (a STRING) WITH (type='file', path='/{{dir}}/in.csv', encode='csv');\n\
                CREATE SINK STREAM s (a STRING) WITH (type='print');\nINSERT INTO s SELECT a FROM f";
    let options = CheckOptions { cluster: weir_sql::Cluster::Local, ..options(&[("dir", "it's/planted")]) };
    let job = check(text, &support::FILES, &options).expect("a job");
    let options = FlinkOptions { time_zone: "UTC".to_string(), bindings: Default::default() };
    let setup = flink_script(&job, &options).expect("a script").setup.join("\n");
    assert!(setup.contains("'path' = '/{{dir}}/in.csv'"), "{setup}");
}

#[test]
fn variables_that_the_text_does_not_use_hide_nothing() {
    let job = job("'c'", &[("v", "channel")]);
    assert_eq!(job.redactor.redact("the channel is gone"), "the channel is gone");
    assert_eq!(Variables::default(), Variables::from([] as [(&str, &str); 0]));
}
