//! Scheduler and executors as processes: started, waited for, killed.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::harness::binary;

/// How long a server may take to answer, and a cluster to notice something. Far longer than either needs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A process and its log.
struct Server {
    child: Child,
    log: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(log: PathBuf, args: &[String]) -> Server {
        let out = File::create(&log).expect("a log");
        let err = out.try_clone().expect("the log again");
        let mut command = Command::new(binary());
        command.args(args).stdin(Stdio::null()).stdout(out).stderr(err).env("NO_COLOR", "1").env("RUST_LOG", "info");
        let child = command.spawn().expect("the program starts");
        Server { child, log }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn ended(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_some()
    }

    fn signal(&self, signal: &str) {
        let done = Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("kill runs");
        assert!(done.success());
    }
}

/// A scheduler with its executors.
pub(crate) struct Cluster {
    scheduler: Option<Server>,
    executors: Vec<Option<Server>>,
    port: u16,
    /// Logs and shuffle files.
    folder: TempDir,
    started: usize,
    _one: MutexGuard<'static, ()>,
}

impl Cluster {
    /// A scheduler and two executors that it knows.
    pub(crate) fn start() -> Cluster {
        let mut cluster = Cluster::scheduler_alone();
        cluster.add_executor();
        cluster.add_executor();
        cluster.wait_for_executors(2);
        cluster
    }

    /// A scheduler without executors.
    pub(crate) fn scheduler_alone() -> Cluster {
        let mut cluster = Cluster::nothing();
        cluster.start_scheduler();
        cluster
    }

    /// A port that nobody listens on.
    pub(crate) fn nothing() -> Cluster {
        let one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::Builder::new().prefix("c360-cluster").tempdir().expect("a folder");
        Cluster { scheduler: None, executors: Vec::new(), port: free_port(), folder, started: 0, _one: one }
    }

    /// Starts the scheduler, on the port that it had.
    pub(crate) fn start_scheduler(&mut self) {
        let port = self.port.to_string();
        let args = ["cluster", "scheduler", "--bind-host", "127.0.0.1", "--port", &port, "--keep-results", "20"];
        self.scheduler = Some(Server::start(self.next_log("scheduler"), &args.map(String::from)));
        self.wait_until("the scheduler answers", |cluster| cluster.ready().is_some());
    }

    /// Starts one more executor and gives its number.
    pub(crate) fn add_executor(&mut self) -> usize {
        let number = self.executors.len();
        let log = self.next_log("executor");
        let work = self.folder.path().join(format!("work{}", self.started));
        std::fs::create_dir_all(&work).expect("a folder");
        let [port, grpc] = [free_port(), free_port()].map(|port| port.to_string());
        let scheduler = format!("127.0.0.1:{}", self.port);
        let work = work.display().to_string();
        let args = [
            ["cluster", "executor", "--bind-host", "127.0.0.1"],
            ["--scheduler", &scheduler, "--work-dir", &work],
            ["--port", &port, "--grpc-port", &grpc],
            ["--vcores", "2", "--memory", "512MB"],
        ];
        self.executors
            .push(Some(Server::start(log, &args.concat().iter().map(|arg| arg.to_string()).collect::<Vec<_>>())));
        number
    }

    /// What a profile's `cluster:` says.
    pub(crate) fn url(&self) -> String {
        format!("df://127.0.0.1:{}", self.port)
    }

    /// Waits until the scheduler knows of `count` executors.
    pub(crate) fn wait_for_executors(&mut self, count: usize) {
        self.wait_until(&format!("{count} executors are there"), |cluster| cluster.ready() == Some(count));
    }

    /// Kills an executor without a word.
    pub(crate) fn kill_executor(&mut self, number: usize) {
        self.executors[number].as_ref().expect("it runs").signal("-KILL");
        drop(self.executors[number].take());
    }

    /// Makes an executor stand still, as a machine does that swaps or has lost its network: its connections stay.
    pub(crate) fn freeze_executor(&self, number: usize) {
        self.executors[number].as_ref().expect("it runs").signal("-STOP");
    }

    /// Makes the scheduler stand still.
    pub(crate) fn freeze_scheduler(&self) {
        self.scheduler.as_ref().expect("it runs").signal("-STOP");
    }

    /// Asks an executor to stop, and waits until it has.
    pub(crate) fn stop_executor(&mut self, number: usize) -> Option<i32> {
        let mut server = self.executors[number].take().expect("it runs");
        server.signal("-TERM");
        wait(&mut server)
    }

    /// Asks the scheduler to stop, and waits until it has.
    pub(crate) fn stop_scheduler(&mut self) -> Option<i32> {
        let mut server = self.scheduler.take().expect("it runs");
        server.signal("-TERM");
        wait(&mut server)
    }

    /// Kills the scheduler without a word.
    pub(crate) fn kill_scheduler(&mut self) {
        self.scheduler.as_ref().expect("it runs").signal("-KILL");
        drop(self.scheduler.take());
    }

    /// Everything that the servers wrote.
    pub(crate) fn logs(&self) -> String {
        let show = |path: &PathBuf| {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let tail: Vec<&str> = text.lines().rev().take(60).collect();
            let tail: Vec<&str> = tail.into_iter().rev().collect();
            format!("== {}\n{}\n", path.file_name().unwrap_or_default().to_string_lossy(), tail.join("\n"))
        };
        self.every_log().iter().map(show).collect()
    }

    fn every_log(&self) -> Vec<PathBuf> {
        let mut logs: Vec<PathBuf> = (std::fs::read_dir(self.folder.path()).expect("a folder").flatten())
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|kind| kind == "log"))
            .collect();
        logs.sort();
        logs
    }

    /// Queries that schedulers took until now.
    pub(crate) fn jobs(&self) -> usize {
        let logs = self.every_log();
        logs.iter().map(|path| std::fs::read_to_string(path).unwrap_or_default().matches("Job submitted").count()).sum()
    }

    /// Files of shuffles and results under the executors' folders.
    pub(crate) fn shuffle_files(&self) -> usize {
        count_files(self.folder.path(), "arrow")
    }

    /// How many executors are ready; none without an answer.
    pub(crate) fn ready(&self) -> Option<usize> {
        let text = get(SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)), "/readyz")?;
        let body = text.split("\r\n\r\n").nth(1)?;
        body.split([' ', '/']).find_map(|word| word.parse().ok())
    }

    /// Polls until `done`, and fails with the logs if that takes too long or a server ends.
    pub(crate) fn wait_until(&mut self, what: &str, mut done: impl FnMut(&mut Cluster) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !done(self) {
            let ended = self.scheduler.iter_mut().chain(self.executors.iter_mut().flatten()).any(Server::ended);
            assert!(!ended, "a server ended while waiting until {what}\n{}", self.logs());
            assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}\n{}", self.logs());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn next_log(&mut self, kind: &str) -> PathBuf {
        self.started += 1;
        self.folder.path().join(format!("{kind}{}.log", self.started))
    }
}

fn wait(server: &mut Server) -> Option<i32> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = server.child.try_wait().expect("a child") {
            return status.code();
        }
        assert!(Instant::now() < deadline, "it does not stop:\n{}", server.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A port that is free now.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}

fn get(address: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    Some(text)
}

/// Files with this extension at any depth below a folder.
pub(crate) fn count_files(folder: &Path, extension: &str) -> usize {
    let entries = std::fs::read_dir(folder).map(|entries| entries.flatten().collect::<Vec<_>>()).unwrap_or_default();
    let count = |path: PathBuf| match path.is_dir() {
        true => count_files(&path, extension),
        false => usize::from(path.extension().is_some_and(|kind| kind == extension)),
    };
    entries.into_iter().map(|entry| count(entry.path())).sum()
}
