//! What can go wrong between the program and a MySQL server, done to real servers: never half a table, never a row twice,
//! and the old table until the new one is whole. `docs/faults.md` is the list.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::{Output, Project, skip};
use crate::mariadb::{Address, Network, OwnServer, shared};

/// Both ways in which rows travel.
const WAYS: [&str; 2] = ["load_data", "insert"];

/// A project whose mart has rows `1..=rows` and goes to `address` with more settings of the destination.
struct Mart {
    project: Project,
    password: String,
}

impl Mart {
    fn new(address: &Address, settings: &str) -> Mart {
        let Address { port, user, password, database } = address;
        let bi = format!(
            "bi: {{type: mysql, host: 127.0.0.1, port: {port}, user: {user}, database: {database}, \
             password: \"{{{{ env_var('C360_MYSQL_PASSWORD') }}}}\", {settings}}}"
        );
        let project = Project::models(&[("mart", "")]);
        project.edit("profiles.yml", "bi: {type: sqlite, path: bi.db}", &bi);
        let mart = Mart { project, password: password.clone() };
        mart.rows(10);
        mart
    }

    /// From now on the relation has so many rows.
    fn rows(&self, rows: u64) {
        self.project.write(
            "models/mart.sql",
            format!(
                "{{{{ config(materialized='table', publish={{'to': 'bi', 'key': ['id']}}) }}}}\n\
                 select n as id, md5(cast(n as varchar)) as name, n % 7 as kind from generate_series(1, {rows}) as t(n)"
            ),
        );
    }

    fn command(&self) -> Command {
        let mut command = self.project.command(&["build", "--log-format", "json"]);
        command.env("C360_MYSQL_PASSWORD", &self.password).env("C360_LOG", "c360=info");
        command
    }

    /// Builds and publishes; the exit code has to be `code`.
    fn build(&self, code: i32) -> Output {
        self.ended(self.start(), code)
    }

    fn start(&self) -> Child {
        self.command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
    }

    /// Waits for the end; nothing that was said or written may have the password.
    fn ended(&self, child: Child, code: i32) -> Output {
        let output = child.wait_with_output().expect("an end");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        let output = Output { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) };
        assert_eq!(output.code, Some(code), "{}", output.all());
        assert!(!output.all().contains(&self.password), "a secret is shown: {}", output.all());
        for file in walkdir::WalkDir::new(self.project.path("")).into_iter().flatten().filter(|at| at.path().is_file())
        {
            let bytes = std::fs::read(file.path()).expect("a file");
            let found = bytes.windows(self.password.len()).any(|part| part == self.password.as_bytes());
            assert!(!found, "a secret is in {}", file.path().display());
        }
        output
    }
}

/// The table has rows `1..=rows`, each once, whole, and there is no table beside it.
fn has(address: &Address, rows: u64) {
    let sql = "select count(*), count(distinct id), cast(coalesce(sum(id), 0) as char), \
               cast(sum(name = md5(id) and kind = id % 7) as char) from mart";
    let sum = rows * (rows + 1) / 2;
    assert_eq!(address.ask(sql), [format!("{rows}|{rows}|{sum}|{rows}")]);
    assert_eq!(address.ask("show tables like 'mart%'"), ["mart"]);
}

/// Waits until a load is under way: some rows are in the new table, not all.
fn loading(address: &Address) {
    address.wait_for("select count(*) from mart__c360_new");
}

#[test]
fn a_server_that_is_killed_in_the_middle_gets_the_load_again() {
    let Some(server) = OwnServer::start("") else { return };
    let address = server.address("killed");
    for way in WAYS {
        let mart = Mart::new(&address, &format!("bulk: {way}, connections: 2"));
        mart.build(0);
        has(&address, 10);
        mart.rows(300_000);
        let build = mart.start();
        loading(&address);
        server.kill();
        server.revive("");
        let output = mart.ended(build, 0);
        has(&address, 300_000);
        assert!(
            !output.stderr.contains("\"attempts\":1,") && !output.stderr.contains("\"attempts\":1}"),
            "{}",
            output.all()
        );
        address.ask("drop table mart");
    }
}

#[test]
fn a_server_that_stays_away_is_one_clear_error_and_keeps_the_old_table() {
    let Some(server) = OwnServer::start("") else { return };
    let address = server.address("away");
    for way in WAYS {
        let mart = Mart::new(&address, &format!("bulk: {way}, retries: 1"));
        mart.build(0);
        mart.rows(300_000);
        let build = mart.start();
        loading(&address);
        server.kill();
        mart.ended(build, 1).says(&["C6003", "it was tried 2 times"]);
        server.revive("");
        assert_eq!(address.ask("select count(*) from mart"), ["10"]);
        mart.rows(20);
        mart.build(0);
        has(&address, 20);
    }
}

#[test]
fn killed_connections_are_replaced() {
    let Some(address) = shared("c360_it_kill") else { return };
    for way in WAYS {
        let mart = Mart::new(&address, &format!("bulk: {way}"));
        mart.rows(300_000);
        let build = mart.start();
        loading(&address);
        let ours = "select id from information_schema.processlist where db = 'c360_it_kill' and id <> connection_id()";
        let victims = address.ask(ours);
        assert!(!victims.is_empty());
        for id in victims {
            // It may have ended by itself.
            let _ = address.try_ask(&format!("kill {id}"));
        }
        mart.ended(build, 0);
        has(&address, 300_000);
        address.ask("drop table mart");
    }
    address.ask("drop database c360_it_kill");
}

#[test]
fn a_row_that_somebody_locks_is_waited_for() {
    let Some(server) = OwnServer::start("--innodb-lock-wait-timeout=1") else { return };
    let address = server.address("locked");
    for way in WAYS {
        let mart = Mart::new(&address, &format!("bulk: {way}, connections: 1"));
        mart.rows(300_000);
        let build = mart.start();
        loading(&address);
        // The last row's place, held for longer than a statement waits.
        address.ask_and_hold("insert into mart__c360_new (id) values (300000)", Duration::from_millis(2500));
        mart.ended(build, 0);
        has(&address, 300_000);
        address.ask("drop table mart");
    }
}

#[test]
fn what_the_server_refuses_is_said_once_and_without_the_password() {
    let Some(server) = OwnServer::start("") else { return };
    let address = server.address("refused");
    Mart::new(&address, "").build(0);
    for sql in [
        "create user 'reader'@'127.0.0.1' identified by 'reader-secret'",
        "grant select on refused.* to 'reader'@'127.0.0.1'",
        "create user 'writer'@'127.0.0.1' identified by 'writer-secret'",
        "grant select, insert, create, alter, drop, index, update, delete on refused.* to 'writer'@'127.0.0.1'",
    ] {
        address.ask(sql);
    }
    let with = |user: &str, password: &str, database: &str| Address {
        user: user.to_string(),
        password: password.to_string(),
        database: database.to_string(),
        ..address.clone()
    };
    let refused = |stranger: &Address, settings: &str, says: &[&str]| {
        let output = Mart::new(stranger, settings).build(1);
        output.says(says);
        assert_eq!(output.stderr.matches("\"event\":\"unit_finished\"").count(), 2, "{}", output.stderr);
        has(&address, 10);
    };
    for way in WAYS {
        let bulk = format!("bulk: {way}");
        refused(
            &with("c360", "hunter2hunter2", "refused"),
            &bulk,
            &["C6002", "Access denied", "`user` and `password`"],
        );
        refused(&with("c360", &address.password, "nowhere"), &bulk, &["C6002", "Unknown database", "`database`"]);
        refused(&with("reader", "reader-secret", "refused"), &bulk, &["denied", "needs SELECT, INSERT, CREATE"]);
    }
    // Who administers a server may write to a read-only one.
    address.ask("set global read_only = 1");
    refused(&with("writer", "writer-secret", "refused"), "", &["C6003", "read-only"]);
    address.ask("set global read_only = 0");
    Mart::new(&with("writer", "writer-secret", "refused"), "").build(0);
}

#[test]
fn tls_is_demanded_and_checked_by_both_ways() {
    // The certificate is of another host, as that of a server behind an address of the cloud.
    let Some(server) = OwnServer::start_with("--local-infile=1", "DNS:db.internal") else { return };
    let Some(ca) = server.ca() else { return skip("there is no openssl to make certificates with") };
    let address = server.address("tls");
    let ca = ca.display().to_string();
    for way in WAYS {
        for mode in ["disabled", "preferred", "required"] {
            Mart::new(&address, &format!("bulk: {way}, ssl_mode: {mode}")).build(0);
        }
        let mart = Mart::new(&address, &format!("bulk: {way}, ssl_mode: verify_ca, ssl_ca: '{ca}'"));
        mart.rows(20);
        mart.build(0);
        has(&address, 20);
        let mart = Mart::new(&address, &format!("bulk: {way}, ssl_mode: verify_identity, ssl_ca: '{ca}'"));
        mart.build(1).says(&["C6002", "`ssl_mode` and `ssl_ca`"]);
        has(&address, 20);
        // Authorities that the system trusts do not know this one.
        Mart::new(&address, &format!("bulk: {way}, ssl_mode: verify_ca")).build(1).says(&["C6002", "not trusted"]);
    }
    server.restart("--skip-ssl --local-infile=0");
    for mode in ["required", "verify_ca"] {
        Mart::new(&address, &format!("ssl_mode: {mode}")).build(1).says(&["C6002", "does not support TLS"]);
    }
    // Without LOAD DATA it is inserts, unless these are not wanted.
    let output = Mart::new(&address, "ssl_mode: preferred").build(0);
    output.says(&["inserts over at most 4 connections, since LOAD DATA LOCAL is not possible"]);
    Mart::new(&address, "bulk: load_data").build(1).says(&["C6003", "`local_infile`", "set `bulk: insert` or `auto`"]);
    has(&address, 10);
}

#[test]
fn a_network_that_falls_silent_is_noticed() {
    let Some(address) = shared("c360_it_silent") else { return };
    for way in WAYS {
        let network = Network::to(address.port, 0);
        let through = Address { port: network.port, ..address.clone() };
        let settings = format!("bulk: {way}, connect_timeout: 1, read_timeout: 1, lock_timeout: 30");
        let mart = Mart::new(&through, &format!("{settings}, retries: 30"));
        mart.build(0);
        mart.rows(200_000);
        // It heals after a while: the load starts again.
        let mut build = mart.start();
        loading(&address);
        network.silence(true);
        let carried = network.carried();
        let said = read_until(&mut build, "no answer");
        assert_eq!(network.carried(), carried, "silent");
        network.silence(false);
        let output = mart.ended(build, 0);
        assert!(!said.contains(&address.password) && output.code == Some(0));
        has(&address, 200_000);
        // It does not heal: an error, before anybody loses patience, and the old table.
        mart.rows(250_000);
        mart.project.edit("profiles.yml", "retries: 30", "retries: 1");
        let build = mart.start();
        loading(&address);
        network.silence(true);
        let start = Instant::now();
        mart.ended(build, 1).says(&["C600", "it was tried 2 times"]);
        assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
        network.silence(false);
        mart.rows(30);
        mart.build(0);
        has(&address, 30);
        address.ask("drop table mart");
    }
    address.ask("drop database c360_it_silent");
}

/// Reads what a child says until it says `what`, and goes on reading behind the scenes, so that it is not held up.
fn read_until(child: &mut Child, what: &'static str) -> String {
    use std::io::{BufRead, BufReader, Read};
    let mut lines = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut said = String::new();
    while !said.contains(what) {
        assert!(lines.read_line(&mut said).expect("a line") > 0, "it never said `{what}`: {said}");
    }
    std::thread::spawn(move || {
        let mut rest = Vec::new();
        let _ = lines.read_to_end(&mut rest);
    });
    said
}

#[test]
fn a_slow_network_is_no_dead_one() {
    let Some(address) = shared("c360_it_slow") else { return };
    for way in WAYS {
        // One statement of the load takes some seconds, longer than an answer is waited for without a look at the server.
        let network = Network::to(address.port, 64 * 1024);
        let through = Address { port: network.port, ..address.clone() };
        let mart = Mart::new(
            &through,
            &format!("bulk: {way}, read_timeout: 3, retries: 0, connections: 1, ssl_mode: disabled"),
        );
        mart.rows(6_000);
        mart.build(0);
        assert!(network.carried() > 200_000, "{}", network.carried());
        has(&address, 6_000);
        address.ask("drop table mart");
    }
    address.ask("drop database c360_it_slow");
}

/// A small disk in memory; gone when this is dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// One of so many megabytes; none where nobody may mount.
    fn new(megabytes: u32) -> Option<SmallDisk> {
        let folder = tempfile::Builder::new().prefix("c360-full").tempdir().expect("a folder");
        let size = format!("size={megabytes}m");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path()).output();
        mount.is_ok_and(|output| output.status.success()).then_some(SmallDisk(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmount = || Command::new("umount").arg(self.0.path()).output().is_ok_and(|output| output.status.success());
        // The server that had its data there has just been killed.
        let end = Instant::now() + Duration::from_secs(10);
        while !unmount() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

#[test]
fn a_full_disk_keeps_the_old_table() {
    let Some(disk) = SmallDisk::new(192) else { return skip("a small disk cannot be mounted here") };
    let args = "--innodb-log-file-size=8M --innodb-buffer-pool-size=32M";
    let Some(server) = OwnServer::start_in(disk.0.path(), args) else { return };
    let address = server.address("full");
    for way in WAYS {
        let mart = Mart::new(&address, &format!("bulk: {way}"));
        mart.build(0);
        has(&address, 10);
        mart.rows(200_000);
        mart.project.edit("models/mart.sql", "n % 7 as kind", "n % 7 as kind, repeat('x', 1000) as ballast");
        mart.build(1).says(&["C6003", "is full", "look at the server's disk"]);
        has(&address, 10);
        mart.rows(5_000);
        mart.build(0);
        has(&address, 5_000);
        address.ask("drop table mart");
    }
}
