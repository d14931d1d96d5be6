//! A MariaDB that a test has for itself: to kill it, to start it with other settings, to fill its disk. And a network
//! between it and the program that can be slow or dead.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use sqlx::mysql::{MySqlConnectOptions, MySqlRow, MySqlSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, Row};

use crate::harness::{repository, skip};

/// How long a test waits for something that has to happen.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where a server is, and who logs in.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) database: String,
}

impl Address {
    /// Rows of a query as text, columns with a bar between.
    pub(crate) fn try_ask(&self, sql: &str) -> Result<Vec<String>, sqlx::Error> {
        self.ask_all(&[sql])
    }

    /// Runs statements on one connection; the rows are those of the last one.
    fn ask_all(&self, statements: &[&str]) -> Result<Vec<String>, sqlx::Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let options = MySqlConnectOptions::new()
            .host("127.0.0.1")
            .port(self.port)
            .username(&self.user)
            .password(&self.password)
            .database(&self.database)
            .ssl_mode(MySqlSslMode::Disabled)
            .charset("utf8mb4");
        runtime.block_on(async {
            let mut connection = options.connect().await?;
            let mut rows = Vec::new();
            for sql in statements {
                rows = connection.fetch_all(AssertSqlSafe((*sql).to_string())).await?.iter().map(text).collect();
            }
            Ok(rows)
        })
    }

    /// As [`Address::try_ask`], for what has to work.
    pub(crate) fn ask(&self, sql: &str) -> Vec<String> {
        self.try_ask(sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Runs a statement and undoes it after a while: until then its locks are held.
    pub(crate) fn ask_and_hold(&self, sql: &str, time: Duration) {
        self.ask_all(&["start transaction", sql, &format!("do sleep({})", time.as_secs_f64()), "rollback"])
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Waits until a query that answers with one number answers with one that is larger than zero.
    pub(crate) fn wait_for(&self, sql: &str) {
        until(sql, || self.try_ask(sql).is_ok_and(|rows| rows.first().is_some_and(|number| number != "0")));
    }
}

/// Waits until `found`; `what` is for whoever reads that it never came.
pub(crate) fn until(what: &str, mut found: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !found() {
        assert!(Instant::now() < end, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn text(row: &MySqlRow) -> String {
    let cell =
        |at: usize| row.try_get_unchecked::<Option<String>, _>(at).expect("text").unwrap_or_else(|| "null".into());
    (0..row.len()).map(cell).collect::<Vec<_>>().join("|")
}

/// The server of `scripts/services` with an empty database `name`; none, and a word about it, if there is none.
pub(crate) fn shared(name: &str) -> Option<Address> {
    let Ok(url) = std::env::var("C360_TEST_MYSQL_URL") else {
        assert!(std::env::var_os("CI_REQUIRE_SERVICES").is_none_or(|flag| flag != "1"), "there is no MariaDB");
        skip("C360_TEST_MYSQL_URL is not set; try: eval \"$(scripts/services env)\"");
        return None;
    };
    let url = url::Url::parse(&url).expect("a URL");
    let address = Address {
        port: url.port().unwrap_or(3306),
        user: url.username().to_string(),
        password: url.password().unwrap_or_default().to_string(),
        database: url.path().trim_start_matches('/').to_string(),
    };
    Some(emptied(address, name))
}

fn emptied(address: Address, name: &str) -> Address {
    address.ask(&format!("drop database if exists {name}"));
    address.ask(&format!("create database {name}"));
    Address { database: name.to_string(), ..address }
}

/// A server of the test's own.
pub(crate) struct OwnServer {
    folder: PathBuf,
    _temporary: Option<tempfile::TempDir>,
    names: &'static str,
}

impl OwnServer {
    /// Starts one with these arguments. None, and a word about it, where no server can be had.
    pub(crate) fn start(args: &str) -> Option<OwnServer> {
        OwnServer::start_with(args, "IP:127.0.0.1,DNS:localhost")
    }

    /// Starts one whose certificate has these names.
    pub(crate) fn start_with(args: &str, names: &'static str) -> Option<OwnServer> {
        let temporary = tempfile::Builder::new().prefix("c360-db").tempdir().expect("a folder");
        let folder = temporary.path().to_path_buf();
        OwnServer { folder, _temporary: Some(temporary), names }.started(args)
    }

    /// Starts one whose data are in `folder`.
    pub(crate) fn start_in(folder: &Path, args: &str) -> Option<OwnServer> {
        OwnServer { folder: folder.to_path_buf(), _temporary: None, names: "IP:127.0.0.1" }.started(args)
    }

    fn started(self, args: &str) -> Option<OwnServer> {
        if std::env::var_os("C360_TEST_MYSQL_URL").is_none() {
            // Who has no server does not want one to be started either.
            shared("");
            return None;
        }
        if !std::env::var("PATH").is_ok_and(|path| has_server(&path)) {
            assert!(std::env::var_os("CI_REQUIRE_SERVICES").is_none_or(|flag| flag != "1"), "MariaDB is not installed");
            skip("no mariadbd is installed here, and this test needs one of its own");
            return None;
        }
        self.services("start", args);
        Some(self)
    }

    fn services(&self, verb: &str, args: &str) {
        let mut command = Command::new(repository().join("scripts/services"));
        command.args([verb, "mariadb"]).env("C360_SERVICES_DIR", &self.folder).env("C360_NO_INSTALL", "1");
        let output = command.env("C360_MARIADB_ARGS", args).env("C360_MARIADB_NAMES", self.names).output();
        let output = output.expect("scripts/services");
        assert!(output.status.success(), "{verb}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Stops it, and starts it with other arguments on the same port.
    pub(crate) fn restart(&self, args: &str) {
        self.services("stop", "");
        self.services("start", args);
    }

    /// Starts it again after a kill.
    pub(crate) fn revive(&self, args: &str) {
        self.services("start", args);
    }

    /// The end without a goodbye.
    pub(crate) fn kill(&self) {
        let pid = self.read("pid");
        assert!(Command::new("kill").args(["-9", &pid]).status().expect("kill").success());
        until("the server's end", || !alive(&pid));
    }

    /// Its address, with an empty database `name`.
    pub(crate) fn address(&self, name: &str) -> Address {
        let address = Address {
            port: self.read("port").parse().expect("a port"),
            user: "c360".to_string(),
            password: self.read("password"),
            database: "c360_test".to_string(),
        };
        emptied(address, name)
    }

    /// The certificate authority's file; none if there is no openssl.
    pub(crate) fn ca(&self) -> Option<PathBuf> {
        Some(self.folder.join("mariadb/tls/ca.pem")).filter(|path| path.exists())
    }

    fn read(&self, name: &str) -> String {
        let path = self.folder.join("mariadb").join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).trim().to_string()
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        let Ok(pid) = std::fs::read_to_string(self.folder.join("mariadb/pid")) else { return };
        let ours = |command: String| command.contains(&*self.folder.to_string_lossy());
        // The number may be another process's by now.
        if std::fs::read_to_string(format!("/proc/{}/cmdline", pid.trim())).is_ok_and(ours) {
            let _ = Command::new("kill").args(["-9", pid.trim()]).status();
        }
    }
}

/// True if the program of the server is in one of these folders, or where servers usually are.
fn has_server(path: &str) -> bool {
    let folders = std::env::split_paths(path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    folders.into_iter().any(|folder| folder.join("mariadbd").exists() || folder.join("mysqld").exists())
}

/// A process that has ended but that nobody has asked for its exit code is no process any more.
fn alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// What lies between the program and a server: TCP on loopback that can fall silent, or be slow.
pub(crate) struct Network {
    pub(crate) port: u16,
    line: Arc<Line>,
}

struct Line {
    silent: Mutex<bool>,
    changed: Condvar,
    closed: AtomicBool,
    /// Bytes a second, in each direction of each connection; zero: as many as can be.
    speed: u64,
    carried: AtomicU64,
}

impl Network {
    /// A line to `port`.
    pub(crate) fn to(port: u16, speed: u64) -> Network {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let own = listener.local_addr().expect("bound").port();
        let line = Arc::new(Line {
            silent: Mutex::new(false),
            changed: Condvar::new(),
            closed: AtomicBool::new(false),
            speed,
            carried: AtomicU64::new(0),
        });
        let accepting = Arc::clone(&line);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if accepting.closed.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                accepting.join(&client, &server);
                accepting.join(&server, &client);
            }
        });
        Network { port: own, line }
    }

    /// From now on nothing gets through, or everything does again.
    pub(crate) fn silence(&self, silent: bool) {
        *self.line.silent.lock().expect("a lock") = silent;
        self.line.changed.notify_all();
    }

    /// Bytes that got through.
    pub(crate) fn carried(&self) -> u64 {
        self.line.carried.load(Ordering::SeqCst)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.line.closed.store(true, Ordering::SeqCst);
        self.silence(false);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Line {
    /// Carries bytes one way until an end closes.
    fn join(self: &Arc<Line>, from: &TcpStream, to: &TcpStream) {
        let (mut from, mut to) = (from.try_clone().expect("a socket"), to.try_clone().expect("a socket"));
        let line = Arc::clone(self);
        std::thread::spawn(move || {
            let mut buffer = [0; 16 * 1024];
            let room = if line.speed == 0 { buffer.len() } else { 1024 };
            while let Ok(bytes) = from.read(&mut buffer[..room]) {
                let mut silent = line.silent.lock().expect("a lock");
                while *silent {
                    silent = line.changed.wait(silent).expect("a lock");
                }
                drop(silent);
                if bytes == 0 || to.write_all(&buffer[..bytes]).is_err() {
                    break;
                }
                line.carried.fetch_add(bytes as u64, Ordering::SeqCst);
                if let Some(nanos) = (bytes as u64 * 1_000_000_000).checked_div(line.speed) {
                    std::thread::sleep(Duration::from_nanos(nanos));
                }
            }
            let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
        });
    }
}
