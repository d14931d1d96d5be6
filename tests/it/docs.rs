//! `docs generate` and `docs serve`: what stands in the data of the pages, and what must not. How pages look and work is
//! tested in a browser (tests/browser).

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::harness::Project;

const SITE: &str = "target/docs";

/// The value of a data file of a site.
fn data(project: &Project, site: &str, name: &str) -> Json {
    let text = project.read(&format!("{site}/data/{name}.js"));
    let start = format!("c360Data(\"{name}\",");
    let inner = text.strip_prefix(&start).and_then(|text| text.strip_suffix(");\n")).expect("one call");
    serde_json::from_str(inner).expect("JSON")
}

/// The position of a node in the index.
fn number(index: &Json, id: &str) -> usize {
    let nodes = index["nodes"].as_array().expect("nodes");
    nodes.iter().position(|node| node["id"] == id).unwrap_or_else(|| panic!("no {id}"))
}

fn node(project: &Project, site: &str, id: &str) -> Json {
    let index = data(project, site, "index");
    data(project, site, &format!("nodes/{}", number(&index, id)))
}

fn column<'a>(node: &'a Json, name: &str) -> &'a Json {
    let columns = node["columns"].as_array().expect("columns");
    columns.iter().find(|column| column["name"] == name).unwrap_or_else(|| panic!("no column {name} in {columns:?}"))
}

/// Names and bytes of the files of a site.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(path) = open.pop() {
        for entry in std::fs::read_dir(&path).expect("a folder").flatten() {
            match entry.path() {
                path if path.is_dir() => open.push(path),
                path => {
                    let name = path.strip_prefix(folder).expect("below").to_string_lossy().into_owned();
                    files.insert(name, std::fs::read(&path).expect("a file"));
                }
            }
        }
    }
    files
}

#[test]
fn customer360_as_a_site() {
    let project = Project::customer360();
    std::fs::remove_file(project.path("data/lake/log_content/20220407.json")).expect("the day is there");
    project.ok(&["build"]);
    let output = project.ok(&["docs", "generate"]);
    assert!(output.stderr.contains("written in"), "{}", output.stderr);
    let site = "target/c360/docs";
    let index = data(&project, site, "index");

    // The graph knows everything from the files to the destination.
    let nodes = index["nodes"].as_array().expect("nodes");
    let of_type = |kind: &str| nodes.iter().filter(|node| node["type"] == kind).count();
    assert_eq!((of_type("source"), of_type("seed"), of_type("model"), of_type("destination")), (5, 3, 11, 1));
    assert_eq!(index["tests"].as_array().expect("tests").len(), 87);
    assert_eq!(index["graph"]["y"].as_array().expect("places").len(), nodes.len());
    let edges: Vec<usize> = serde_json::from_value(index["edges"].clone()).expect("numbers");
    let layers: Vec<usize> = serde_json::from_value(index["graph"]["layer"].clone()).expect("numbers");
    assert!(edges.chunks(2).all(|edge| layers[edge[0]] < layers[edge[1]]));
    let totals = number(&index, "model.c360.mart_totals");
    assert!(edges.chunks(2).any(|edge| edge == [totals, number(&index, "destination.bi")]));
    assert_eq!(index["nodes"][totals]["status"], "success");
    assert_eq!(index["nodes"][totals]["tests"], json!({"pass": 9}));

    // A mart's column is followed to the field of the files.
    let lineage = data(&project, site, "lineage");
    let name = |node: usize, column: usize| lineage["columns"][node][column].clone();
    let direct: Vec<usize> = serde_json::from_value(lineage["direct"].clone()).expect("numbers");
    let at = lineage["columns"][totals].as_array().expect("columns").iter().position(|name| name == "Total_Duration");
    let mut open = vec![(totals, at.expect("the column"))];
    let mut reached = Vec::new();
    while let Some((node, column)) = open.pop() {
        for edge in direct.chunks(5).filter(|edge| (edge[0], edge[1]) == (node, column)) {
            if !reached.contains(&(edge[2], edge[3])) {
                reached.push((edge[2], edge[3]));
                open.push((edge[2], edge[3]));
            }
        }
    }
    let log = number(&index, "source.c360.lake.log_content");
    assert!(reached.iter().any(|(node, at)| *node == log && name(*node, *at) == json!(["_source", "TotalDuration"])));

    // The source knows its days, and the one that has no file.
    let source = &node(&project, site, "source.c360.lake.log_content")["source"];
    assert_eq!((&source["from"], &source["to"]), (&json!("2022-04-01"), &json!("2022-04-30")));
    assert_eq!(source["missing"], json!(["2022-04-07"]));
    assert_eq!(source["count"], 29);
    assert_eq!(source["files"][0]["path"], "data/lake/log_content/20220401.json");
    assert_eq!(index["home"]["sources"][0]["missing"], json!(["2022-04-07"]));

    // A mart's page has its rows, its code, its plan and its publish.
    let page = node(&project, site, "model.c360.mart_kpis");
    assert_eq!(page["samples"]["columns"], json!(["kpi", "dim", "value"]));
    assert_eq!(page["samples"]["rows"].as_array().expect("rows").len(), 20);
    assert!(page["code"]["compiled"]["text"].as_str().expect("SQL").contains("select"));
    assert!(page["code"]["plan"]["text"].as_str().expect("a plan").contains("Projection"));
    assert_eq!(page["publishes"][0]["last"]["status"], "success");

    // Small, and the same again.
    let size: usize = files(&project.path(site)).values().map(Vec::len).sum();
    assert!(size < 1_000_000, "{size} bytes");
    project.ok(&["docs", "generate", "--artifacts", "target/c360", "--output", "again"]);
    assert!(files(&project.path(site)) == files(&project.path("again")), "the same artifacts give other bytes");
}

#[test]
fn hidden_columns_keep_their_values() {
    let project = Project::models(&[
        ("people", "select 1 as id, 'ann@example.com' as Email, 'Ann' as name, 'blue' as likes"),
        ("mails", "select id, lower(email) as mail, concat(name, '!') as greeting from {{ ref('people') }}"),
        ("likes", "select likes, count(*) as n from {{ ref('people') }} group by likes"),
        ("secret", "select 42 as answer"),
    ])
    .file(
        "models/people.yml",
        "models:\n  - name: people\n    columns:\n      - {name: email, tags: [PII]}\n      \
         - {name: name, meta: {c360: {sample: false}}}\n  - name: secret\n    config: {meta: {c360: {sample: false}}}\n",
    );
    project.ok(&["build"]);
    project.ok(&["docs", "generate"]);
    let people = node(&project, SITE, "model.shop.people");
    assert_eq!(people["samples"]["columns"], json!(["id", "likes"]));
    assert_eq!(people["samples"]["hidden"], json!(["Email", "name"]));
    let mails = node(&project, SITE, "model.shop.mails");
    assert_eq!(mails["samples"]["columns"], json!(["id"]));
    assert_eq!(node(&project, SITE, "model.shop.likes")["samples"]["rows"], json!([["blue", "1"]]));
    assert!(node(&project, SITE, "model.shop.secret").get("samples").is_none());
    for (name, bytes) in files(&project.path(SITE)) {
        // The page of code shows the literals that the models write.
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains("\"ann@example.com\"") && !text.contains("\"Ann!\""), "{name}");
    }
    assert!(!project.read("target/samples.json").contains("ann@example.com"));

    project.ok(&["docs", "generate", "--no-samples"]);
    assert!(node(&project, SITE, "model.shop.likes").get("samples").is_none());
    assert!(!project.path("target/samples.json").exists());
}

#[test]
fn columns_as_declared_and_as_they_are() {
    let project = Project::models(&[("orders", "select 1 as id, 2.5 as price, 'x' as note")]).file(
        "models/orders.yml",
        "models:\n  - name: orders\n    description: 'All *orders*. </script><script>alert(1)</script>'\n    columns:\n      \
         - {name: ID, description: The key., data_tests: [unique]}\n      - {name: price}\n      - {name: gone}\n",
    );
    project.ok(&["build"]);
    project.ok(&["docs", "generate"]);
    let orders = node(&project, SITE, "model.shop.orders");
    let html = orders["descriptionHtml"].as_str().expect("HTML");
    assert!(html.starts_with("<p>All <em>orders</em>. &lt;/script&gt;"), "{html}");
    assert_eq!(column(&orders, "id")["descriptionHtml"], "<p>The key.</p>");
    assert_eq!(column(&orders, "id")["tests"].as_array().expect("tests").len(), 1);
    assert_eq!(column(&orders, "note")["undeclared"], true);
    assert_eq!(column(&orders, "gone")["absent"], true);
    assert_eq!(column(&orders, "price")["type"], "double");
    let index = data(&project, SITE, "index");
    assert_eq!(index["home"]["documented"]["columns"], json!([1, 3]));
}

#[test]
fn a_mistake_does_not_cost_the_site() {
    let project = Project::models(&[("good", "select 1 as a"), ("bad", "select {{ nothing_like_this() }}")]);
    let output = project.exits(2, &["docs", "generate"]);
    output.says(&["nothing_like_this", "written in"]);
    assert!(node(&project, SITE, "model.shop.good")["code"].get("compiled").is_some());
    assert!(node(&project, SITE, "model.shop.bad")["code"].get("compiled").is_none());
}

#[test]
fn what_is_declared_alone() {
    let project = Project::models(&[("a", "select 1 as x"), ("b", "select x + 1 as y from {{ ref('a') }}")]);
    project.ok(&["build"]);
    project.ok(&["docs", "generate"]);
    project.ok(&["docs", "generate", "--empty-catalog"]);
    assert!(!project.path("target/catalog.json").exists() && !project.path("target/samples.json").exists());
    let page = node(&project, SITE, "model.shop.b");
    assert!(page.get("samples").is_none() && page.get("stats").is_none());
    // Lineage needs no table.
    assert_eq!(column(&page, "y")["expression"], "x + 1");

    // The manifest of `parse` has no SQL, and is taken as it is.
    project.ok(&["parse"]);
    std::fs::remove_dir_all(project.path("target/compiled")).expect("it was compiled");
    std::fs::remove_file(project.path("target/run_results.json")).expect("it was built");
    project.ok(&["docs", "generate", "--no-compile"]);
    assert!(node(&project, SITE, "model.shop.b")["code"].get("compiled").is_none());
}

#[test]
fn other_folders_and_own_assets() {
    let project = Project::models(&[("a", "select 1 as x")])
        .file("docs-assets/assets/logo.svg", "<svg/>")
        .file("site/notes.txt", "mine");
    project.exits(2, &["docs", "generate", "--output", "site"]).says(&["C1010", "holds other files"]);
    assert_eq!(project.read("site/notes.txt"), "mine");
    project.ok(&["docs", "generate", "--output", "public/docs"]);
    assert_eq!(project.read("public/docs/assets/logo.svg"), "<svg/>");
    project.exits(2, &["docs", "serve", "--no-open", "--port", "0"]).says(&["there is no site", "c360 docs generate"]);
}

/// A server that ends with the test.
struct Serving {
    child: Child,
    port: u16,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Serving {
    fn start(project: &Project, args: &[&str]) -> Serving {
        let all = [&["docs", "serve", "--port", "0", "--no-open"], args].concat();
        let mut command = project.command(&all);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let told = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once("http://localhost:")?;
            rest.split('/').next()?.parse().ok()
        });
        // Somebody has to read on, or the server stops writing.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Serving { port: told.expect("an address"), child }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("an answer");
        text
    }

    /// Asks until the answer has `part`.
    fn wait_for(&self, path: &str, part: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self.get(path).contains(part) {
            assert!(Instant::now() < deadline, "{path} never had {part}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

#[test]
fn a_site_is_served() {
    let project = Project::models(&[("a", "select 1 as x")]);
    project.ok(&["docs", "generate"]);
    let serving = Serving::start(&project, &[]);
    let page = serving.get("/");
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("text/html") && !page.contains("__live"), "{page}");
    assert!(serving.get("/data/index.js").contains("c360Data(\"index\","));
    assert!(serving.get("/../dbt_project.yml").starts_with("HTTP/1.1 404"));
}

#[test]
fn a_watched_site_follows_the_project() {
    let project = Project::models(&[("a", "select 1 as x")]);
    let serving = Serving::start(&project, &["--watch"]);
    assert!(serving.get("/").contains("__live/live.js"));
    assert!(serving.get("/__live/version.js").contains("c360Live(1);"));
    project.write("models/b.sql", "select x from {{ ref('a') }}");
    serving.wait_for("/__live/version.js", "c360Live(2);");
    assert!(serving.get("/data/index.js").contains("model.shop.b"));
    // A mistake leaves the site that was there, and the next change is seen again.
    project.write("dbt_project.yml", "name: [");
    project.write("models/c.sql", "select 3 as z");
    assert!(serving.get("/data/index.js").contains("model.shop.b"));
    project.write("dbt_project.yml", "name: shop\nversion: '1.0'\nprofile: shop\n");
    serving.wait_for("/data/index.js", "model.shop.c");
}
