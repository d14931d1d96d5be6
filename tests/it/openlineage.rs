//! OpenLineage events: a file, a server on loopback, and what happens if there is none.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value as Json, json};

use crate::harness::{Project, text};

fn shop() -> Project {
    Project::models(&[
        ("a", "{{ config(materialized='table') }} select id, name from {{ ref('e') }}"),
        ("e", "{{ config(materialized='ephemeral') }} select * from {{ source('lake', 't') }}"),
        ("b", "{{ config(materialized='table', publish='bi') }} select * from {{ ref('a') }}"),
    ])
    .file("lake/t_1.csv", "id,name\n1,x\n2,\n")
    .file(
        "models/m.yml",
        "models:\n  - name: a\n    description: An a.\n    meta: {owner: the team}\n    columns:\n      - {name: id, description: Its id., data_tests: [unique]}\n      - {name: name, data_tests: [{not_null: {config: {severity: warn}}}]}\n\
         sources: [{name: lake, tables: [{name: t, external: {location: lake/*.csv}}]}]\n",
    )
}

/// The events of a file, each checked for what all of them have.
fn events(project: &Project) -> Vec<Json> {
    let events: Vec<Json> =
        project.read("ol/events.jsonl").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    events.iter().for_each(check);
    events
}

/// What the specification wants of every event.
fn check(event: &Json) {
    assert_eq!(event["schemaURL"], "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent");
    assert!(text(&event["producer"]).starts_with("urn:c360:"));
    assert!(chrono::DateTime::parse_from_rfc3339(&text(&event["eventTime"])).is_ok(), "{event}");
    let kinds = ["START", "COMPLETE", "FAIL", "ABORT"];
    assert!(kinds.contains(&text(&event["eventType"]).as_str()), "{event}");
    let id = text(&event["run"]["runId"]);
    assert!(id.len() == 36 && id.chars().all(|c| c.is_ascii_hexdigit() || c == '-'), "{id}");
    let datasets = [&event["inputs"], &event["outputs"]].into_iter().flat_map(|list| list.as_array().expect("a list"));
    let mut facets = vec![&event["run"]["facets"], &event["job"]["facets"]];
    for dataset in datasets {
        assert!(dataset["namespace"].is_string() && dataset["name"].is_string(), "{dataset}");
        facets.extend([&dataset["facets"], &dataset["inputFacets"], &dataset["outputFacets"]]);
    }
    for facet in facets.into_iter().filter_map(Json::as_object).flat_map(|facets| facets.values()) {
        assert!(facet["_producer"].is_string(), "{facet}");
        assert!(text(&facet["_schemaURL"]).starts_with("https://openlineage.io/spec/facets/"), "{facet}");
    }
}

fn find<'a>(events: &'a [Json], job: &str, kind: &str) -> &'a Json {
    let mut found = events.iter().filter(|event| event["job"]["name"] == job && event["eventType"] == kind);
    let event = found.next().unwrap_or_else(|| panic!("no {kind} of {job}"));
    assert!(found.next().is_none(), "two {kind} of {job}");
    event
}

fn to_a_file(project: &Project) {
    project.edit(
        "profiles.yml",
        "      threads:",
        "      openlineage: {path: ol/events.jsonl, namespace: shop}\n      threads:",
    );
}

#[test]
fn a_build_tells_what_it_reads_and_writes() {
    let project = shop();
    to_a_file(&project);
    project.exits(0, &["build"]);
    let events = events(&project);
    let (first, last) = (&events[0]["eventType"], find(&events, "shop.build", "COMPLETE"));
    assert_eq!((first, &last["job"]["namespace"]), (&"START".into(), &"shop".into()));
    let mut kinds: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for event in &events {
        kinds.entry(text(&event["run"]["runId"])).or_default().push(text(&event["eventType"]));
    }
    assert_eq!(kinds.len(), 6, "the run, two models, two tests, a publish: {kinds:?}");
    assert!(kinds.values().all(|kinds| *kinds == ["START", "COMPLETE"]), "{kinds:?}");

    let a = find(&events, "model.shop.a", "COMPLETE");
    assert_eq!(a["run"]["facets"]["parent"]["run"]["runId"], last["run"]["runId"]);
    assert_eq!(a["job"]["facets"]["jobType"]["jobType"], "MODEL");
    assert_eq!(a["job"]["facets"]["ownership"]["owners"], json!([{"name": "the team"}]));
    assert!(text(&a["job"]["facets"]["sql"]["query"]).contains("select id, name"));
    let root = project.path("").canonicalize().expect("a path");
    let name = |path: &str| root.join(path).to_string_lossy().into_owned();
    assert_eq!((&a["inputs"][0]["namespace"], text(&a["inputs"][0]["name"])), (&"file".into(), name("lake")));
    let output = &a["outputs"][0];
    assert_eq!(text(&output["name"]), name("warehouse/main/a"));
    assert_eq!(output["outputFacets"]["outputStatistics"]["rowCount"], 2);
    let facets = &output["facets"];
    assert_eq!(
        facets["schema"]["fields"],
        json!([{"name": "id", "type": "bigint", "description": "Its id."}, {"name": "name", "type": "varchar"}])
    );
    assert_eq!(facets["symlinks"]["identifiers"][0]["name"], "c360.main.a");
    assert_eq!(
        (&facets["version"]["datasetVersion"], &facets["documentation"]["description"]),
        (&"0".into(), &"An a.".into())
    );
    let metrics = &facets["dataQualityMetrics"];
    assert_eq!((&metrics["rowCount"], &metrics["columnMetrics"]["name"]["nullCount"]), (&2.into(), &1.into()));
    assert_eq!(metrics["columnMetrics"]["id"]["max"], 2.0);

    let tested = |name: &str| {
        let test =
            events.iter().find(|event| text(&event["job"]["name"]).contains(name) && event["eventType"] == "COMPLETE");
        test.expect("the test")["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"][0].clone()
    };
    assert_eq!(
        tested("unique_a_id"),
        json!({"assertion": "unique", "success": true, "severity": "error", "column": "id"})
    );
    assert_eq!(
        tested("not_null_a_name"),
        json!({"assertion": "not_null", "success": false, "severity": "warn", "column": "name"})
    );
    let publish = find(&events, "model.shop.b.publish", "COMPLETE");
    assert_eq!(text(&publish["inputs"][0]["name"]), name("warehouse/main/b"));
    assert_eq!(text(&publish["outputs"][0]["name"]), name("bi.db/b"));
    assert_eq!(publish["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"], 2);
}

#[test]
fn a_failure_is_told_with_its_message() {
    let project = shop().file("models/bad.sql", "{{ config(materialized='table') }} select cast('x' as int) as n");
    to_a_file(&project);
    project.exits(1, &["run"]);
    let events = events(&project);
    let message = text(&find(&events, "model.shop.bad", "FAIL")["run"]["facets"]["errorMessage"]["message"]);
    assert!(message.starts_with('C'), "{message}");
    let run = find(&events, "shop.run", "FAIL");
    assert_eq!(run["run"]["facets"]["errorMessage"]["message"], "failed: model.shop.bad");
}

#[test]
fn column_lineage_is_told_to_the_column_of_the_file() {
    let project = shop().file(
        "models/a.sql",
        "{{ config(materialized='table') }} select id, upper(name) as name from {{ ref('e') }} where id > 0",
    );
    to_a_file(&project);
    project.ok(&["run"]);
    let events = events(&project);
    let facet = &find(&events, "model.shop.a", "COMPLETE")["outputs"][0]["facets"]["columnLineage"];
    let input = |column: &str| facet["fields"][column]["inputFields"][0].clone();
    let (id, name) = (input("id"), input("name"));
    assert_eq!((&id["field"], &id["transformations"][0]["subtype"]), (&"id".into(), &"IDENTITY".into()));
    assert_eq!((&name["field"], &name["transformations"][0]["subtype"]), (&"name".into(), &"TRANSFORMATION".into()));
    assert!(text(&name["transformations"][0]["description"]).contains("upper"), "{name}");
    assert!(text(&name["name"]).ends_with("/lake"), "{name}");
    assert_eq!(
        (&facet["dataset"][0]["field"], &facet["dataset"][0]["transformations"][0]["subtype"]),
        (&"id".into(), &"FILTER".into())
    );
}

/// Paths and bodies of requests.
type Received = Arc<Mutex<Vec<(String, Json)>>>;

/// A server that answers `status` to everything, and keeps what it was told: heads and bodies.
fn server(status: &'static str) -> (String, Received) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let requests: Arc<Mutex<Vec<(String, Json)>>> = Arc::default();
    let kept = Arc::clone(&requests);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let kept = Arc::clone(&kept);
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream);
                while let Some((head, body)) = request(&mut reader) {
                    kept.lock().unwrap_or_else(PoisonError::into_inner).push((head, body));
                    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
                    if reader.get_mut().write_all(answer.as_bytes()).is_err() {
                        break;
                    }
                }
            });
        }
    });
    (address, requests)
}

fn request(reader: &mut BufReader<std::net::TcpStream>) -> Option<(String, Json)> {
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some((head, serde_json::from_slice(&body).expect("JSON")))
}

#[test]
fn events_are_posted_to_the_server_of_the_environment() {
    let (address, requests) = server("201 Created");
    let parent = "airflow/dag.task/3f5e83fa-3480-44ff-99c5-ff943904e5e8";
    let project = shop()
        .setting("OPENLINEAGE_URL", &address)
        .setting("OPENLINEAGE_NAMESPACE", "ours")
        .setting("OPENLINEAGE_API_KEY", "top-secret")
        .setting("OPENLINEAGE_PARENT_ID", parent);
    let output = project.ok(&["build"]);
    assert!(!output.all().contains("top-secret") && !output.stderr.contains("OpenLineage"), "{}", output.stderr);
    let requests = requests.lock().unwrap_or_else(PoisonError::into_inner);
    assert_eq!(requests.len(), 12);
    for (head, event) in requests.iter() {
        check(event);
        let head = head.to_lowercase();
        assert!(
            head.starts_with("post /api/v1/lineage http/1.1") && head.contains("authorization: bearer top-secret"),
            "{head}"
        );
        assert!(!event.to_string().contains("top-secret"));
        assert_eq!(event["job"]["namespace"], "ours");
    }
    let run = requests.iter().find(|(_, event)| event["job"]["name"] == "shop.build").expect("the run");
    assert_eq!(run.1["run"]["facets"]["parent"]["job"], json!({"namespace": "airflow", "name": "dag.task"}));
    let a = requests.iter().find(|(_, event)| event["job"]["name"] == "model.shop.a").expect("a model");
    assert_eq!(a.1["run"]["facets"]["parent"]["root"]["job"]["name"], "dag.task");
}

/// Nothing that a server does makes a run fail; what did not arrive is told once, and no address.
#[test]
fn a_server_that_refuses_costs_one_warning() {
    let (refusing, requests) = server("403 Forbidden");
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    for (address, why) in [(refusing, "the server answers 403"), (format!("http://user:secret@{closed}"), "error")] {
        let project = shop().setting("OPENLINEAGE_URL", &address);
        let output = project.ok(&["run"]);
        output.says(&["OpenLineage events did not arrive", why, "OPENLINEAGE_DISABLED"]);
        assert_eq!(output.stderr.matches("did not arrive").count(), 1, "{}", output.stderr);
        assert!(!output.stderr.contains("secret"), "{}", output.stderr);
    }
    assert!(!requests.lock().unwrap_or_else(PoisonError::into_inner).is_empty());
    let project = shop().setting("OPENLINEAGE_URL", "http://127.0.0.1:9").setting("OPENLINEAGE_DISABLED", "true");
    assert!(!project.ok(&["run"]).stderr.contains("OpenLineage"));
}

#[test]
fn a_mistake_in_the_settings_is_found_before_anything_runs() {
    let project = shop();
    project.edit("profiles.yml", "      threads:", "      openlineage: {ulr: http://x}\n      threads:");
    project.exits(2, &["run"]).says(&["`openlineage` has no setting `ulr`", "`url` was probably meant"]);
    assert!(!project.path("warehouse/main").exists());
}

/// The types of the specification's own Python client, which are made from its schemas, take every facet of a build: no
/// field is missing and none is unknown, on every level.
#[test]
fn events_are_those_of_the_clients_of_openlineage() {
    let python = |code: &str, project: &Project| {
        std::process::Command::new("python3").args(["-c", code]).arg(project.path("ol/events.jsonl")).output()
    };
    let project = shop();
    if !python("import openlineage.client.generated", &project).is_ok_and(|output| output.status.success()) {
        return crate::harness::skip("openlineage-python is not installed");
    }
    to_a_file(&project);
    project.ok(&["build"]);
    let output = python(READ, &project).expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Reads events into the classes whose names their facets give.
const READ: &str = r##"
import importlib, json, pkgutil, sys, typing
import attr
import openlineage.client.generated as generated
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState

classes = {}
for module in pkgutil.iter_modules(generated.__path__):
    loaded = importlib.import_module(f"{generated.__name__}.{module.name}")
    classes |= {name: value for name, value in vars(loaded).items() if attr.has(value)}

def inner(hint):
    found = [hint] if attr.has(hint) else []
    for argument in typing.get_args(hint):
        found += inner(argument)
    return found

def read(cls, value):
    if isinstance(value, list):
        return [read(cls, item) for item in value]
    hints = typing.get_type_hints(cls, vars(typing) | vars(sys.modules[cls.__module__]))
    parts = {}
    for key, part in value.items():
        if key.startswith("_"):
            continue
        of = inner(hints.get(key, str))
        if of and typing.get_origin(hints[key]) is dict:
            part = {name: read(of[-1], one) for name, one in part.items()}
        elif of and isinstance(part, (dict, list)):
            part = read(of[0], part)
        parts[key] = part
    return cls(**parts)

checked = set()
def facets(where):
    for name, facet in where.items():
        cls = classes[facet["_schemaURL"].rsplit("/", 1)[1]]
        read(cls, facet)
        checked.add(cls.__name__)
    return {}

for line in open(sys.argv[1]):
    event = json.loads(line)
    datasets = [
        [cls(namespace=one["namespace"], name=one["name"], facets=facets(one["facets"]), **{more: facets(one.get(more, {}))})
         for one in event[kind]]
        for cls, kind, more in [(InputDataset, "inputs", "inputFacets"), (OutputDataset, "outputs", "outputFacets")]
    ]
    run = Run(runId=event["run"]["runId"], facets=facets(event["run"]["facets"]))
    job = Job(namespace=event["job"]["namespace"], name=event["job"]["name"], facets=facets(event["job"]["facets"]))
    RunEvent(eventType=RunState(event["eventType"]), eventTime=event["eventTime"], run=run, job=job,
             inputs=datasets[0], outputs=datasets[1], producer=event["producer"])
wanted = {"SchemaDatasetFacet", "ColumnLineageDatasetFacet", "DataQualityAssertionsDatasetFacet", "ParentRunFacet",
          "DataQualityMetricsDatasetFacet", "OutputStatisticsOutputDatasetFacet", "SQLJobFacet", "JobTypeJobFacet"}
assert wanted <= checked, wanted - checked
"##;
