//! Jobs of a scheduler: submitted, waited for, cancelled.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use ballista_core::extension::SessionConfigHelperExt;
use ballista_core::serde::protobuf::PartitionLocation;
use ballista_core::serde::protobuf::get_job_status_result::FlightProxy;
use ballista_core::serde::protobuf::job_status::Status;
use datafusion::prelude::SessionConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::envelope::unseal;
use super::wire::{Answer, Call, Caller, Refused, connect};
use crate::diag::{Diagnostic, Result, codes};

/// How long the scheduler may take to say how many executors it has.
const ANSWER: Duration = Duration::from_secs(5);
/// How long the first executor may take to be there: the cluster may just be starting.
const FIRST_EXECUTOR: Duration = Duration::from_secs(5);
/// How long a job waits without any executor.
const NO_EXECUTOR: Duration = Duration::from_secs(45);
/// What the scheduler says of a job that waited for executors after the last one was lost.
const ALL_LOST: &str = "all executors were lost";
/// How often the executors are counted while a job runs.
const COUNT: Duration = Duration::from_secs(3);
/// How long a scheduler may be away while a job runs.
const AWAY: Duration = Duration::from_secs(10);
/// How often a job is asked after, at first and at last.
const ASK: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(100));

/// A scheduler by its address.
#[derive(Clone)]
pub(super) struct Scheduler {
    address: Arc<str>,
    caller: Arc<OnceCell<Caller>>,
    /// Cancellations that are on their way.
    parting: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

/// Where the rows of a finished job are.
pub(super) struct Places {
    pub(super) parts: Vec<PartitionLocation>,
    /// Whom to ask for them; none: the executors that hold them.
    pub(super) proxy: Option<(String, u16)>,
}

impl Places {
    /// True if the rows are known to have no more than so many bytes.
    pub(super) fn fit_in(&self, bytes: u64) -> bool {
        let sizes =
            self.parts.iter().map(|part| part.partition_stats.as_ref().map(|stats| stats.num_bytes.max(0) as u64));
        sizes.sum::<Option<u64>>().is_some_and(|sum| sum <= bytes)
    }
}

impl std::fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scheduler({})", self.address)
    }
}

impl Scheduler {
    pub(super) fn new(host: &str, port: u16) -> Scheduler {
        let address = format!("{host}:{port}").into();
        Scheduler { address, caller: Arc::default(), parting: Arc::default() }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits for cancellations to arrive.
    pub(super) fn part(&self) {
        let parting = std::mem::take(&mut *self.parting.lock().unwrap_or_else(PoisonError::into_inner));
        for cancel in parting {
            // A cancellation that panics is none.
            let _ = cancel.join();
        }
    }

    /// Cancels a job from a thread of its own: what drops a job may be the end of the runtime that it ran on.
    fn cancel(&self, id: String) {
        let url = self.url();
        let cancel = move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
            let told = async { Ok::<_, String>(connect(&url).await?(Call::Cancel(id)).await.is_ok()) };
            let _ = runtime.block_on(async { tokio::time::timeout(ANSWER, told).await });
        };
        self.parting.lock().unwrap_or_else(PoisonError::into_inner).push(std::thread::spawn(cancel));
    }

    /// Whom a proxy's name means: a host and a port.
    fn proxy(&self, proxy: Option<FlightProxy>) -> Option<(String, u16)> {
        let address = match proxy? {
            FlightProxy::Local(false) => return None,
            FlightProxy::Local(true) => self.address.to_string(),
            FlightProxy::External(address) => address,
        };
        let (host, port) = address.rsplit_once(':')?;
        Some((host.to_string(), port.parse().ok()?))
    }

    fn unreachable(&self, why: &str) -> Box<Diagnostic> {
        let what = format!("the scheduler at `{}` cannot be reached", self.address);
        let found = Diagnostic::error(codes::CLUSTER_UNREACHABLE, what).note(why.to_string());
        found.help("`c360 cluster scheduler` starts one; the profile's `cluster:` says where it is")
    }

    async fn call(&self, call: Call) -> Result<Answer, Refused> {
        let connected = self.caller.get_or_try_init(|| async { connect(&self.url()).await }).await;
        match connected {
            Ok(caller) => caller(call).await,
            Err(why) => Err(Refused { away: true, why }),
        }
    }

    /// How many executors there are. Waits a little for the first one.
    ///
    /// # Errors
    /// C5030 if the scheduler cannot be reached, C5031 if there is no executor.
    pub(super) async fn executors(&self) -> Result<usize> {
        let started = Instant::now();
        loop {
            match self.count().await? {
                0 if started.elapsed() < FIRST_EXECUTOR => tokio::time::sleep(ASK.1).await,
                0 => return Err(self.nobody()),
                number => return Ok(number),
            }
        }
    }

    /// How many executors there are now.
    async fn count(&self) -> Result<usize> {
        let text = match tokio::time::timeout(ANSWER, self.ready()).await {
            Ok(Ok(text)) => text,
            Ok(Err(error)) => return Err(self.unreachable(&error.to_string())),
            Err(_) => return Err(self.unreachable("it does not answer")),
        };
        // `ready: 2 executors registered`, `not ready: 0/1 executors registered`
        let body = text.split("\r\n\r\n").nth(1).unwrap_or_default();
        match body.strip_prefix("ready: ").and_then(|rest| rest.split(' ').next()?.parse().ok()) {
            Some(number) => Ok(number),
            None if body.contains("executors registered") => Ok(0),
            None => Err(self.unreachable("what answers there is no scheduler")),
        }
    }

    fn nobody(&self) -> Box<Diagnostic> {
        let what = format!("the cluster at `{}` has no executor", self.address);
        Diagnostic::error(codes::CLUSTER_EMPTY, what)
            .help(format!("start one: `c360 cluster executor --scheduler {}`", self.address))
    }

    /// Asks the scheduler whether it is ready.
    async fn ready(&self) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(&*self.address).await?;
        let request = format!("GET /readyz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address);
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.take(1 << 16).read_to_end(&mut answer).await?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    /// Submits a plan.
    ///
    /// # Errors
    /// C5030, or C5032 if the scheduler refuses.
    pub(super) async fn submit(&self, plan: Vec<u8>, config: &SessionConfig, session: &str) -> Result<Job> {
        let settings = config.to_key_value_pairs();
        match self.call(Call::Submit { plan, settings, session: session.to_string() }).await {
            Ok(Answer::Submitted(id)) => Ok(Job { scheduler: self.clone(), id, ended: AtomicBool::new(false) }),
            Ok(_) => Err(self.unreachable("it answers what was not asked")),
            Err(Refused { away: true, why }) => Err(self.unreachable(&why)),
            Err(Refused { why, .. }) => Err(unseal(&why).unwrap_or_else(|| {
                let what = format!("the scheduler at `{}` refuses a plan", self.address);
                let found = Diagnostic::error(codes::CLUSTER_FAILED, what).note(short(&why));
                found.help("the scheduler, the executors and this program have to be of the same version")
            })),
        }
    }
}

/// How a job ends badly.
pub(super) enum Ended {
    /// An executor took results with it: the job may be run again.
    Lost(String),
    /// It would end the same way again.
    Failed(Box<Diagnostic>),
}

impl From<Box<Diagnostic>> for Ended {
    fn from(found: Box<Diagnostic>) -> Ended {
        Ended::Failed(found)
    }
}

/// A job that was submitted. Dropped before its end, it is cancelled.
pub(super) struct Job {
    scheduler: Scheduler,
    id: String,
    ended: AtomicBool,
}

impl Job {
    /// Waits for the end; gives back where the rows are.
    ///
    /// # Errors
    /// What the job fails with; C5030 if the scheduler goes away, C5032 if it forgets the job.
    pub(super) async fn wait(&self) -> Result<Places, Ended> {
        let mut pause = ASK.0;
        let mut heard = Instant::now();
        let (mut counted, mut manned) = (heard, heard);
        loop {
            let answer = self.scheduler.call(Call::Status(self.id.clone())).await;
            let why = match answer {
                Ok(Answer::Status(Some(Status::Successful(done)), proxy)) => {
                    self.ended.store(true, Ordering::Relaxed);
                    return Ok(Places { parts: done.partition_location, proxy: self.scheduler.proxy(proxy) });
                }
                Ok(Answer::Status(Some(Status::Failed(failed)), _)) => {
                    self.ended.store(true, Ordering::Relaxed);
                    return Err(match failed.error.contains(ALL_LOST) {
                        true => self.scheduler.nobody().into(),
                        false => failure(&failed.error),
                    });
                }
                Ok(Answer::Status(Some(Status::Queued(_) | Status::Running(_)), _)) => None,
                Ok(_) => Some("it has forgotten the job: it was started anew".to_string()),
                Err(refused) => Some(refused.why),
            };
            match why {
                None => heard = Instant::now(),
                Some(why) if heard.elapsed() > AWAY => return Err(self.scheduler.unreachable(&why).into()),
                Some(_) => {}
            }
            if counted.elapsed() > COUNT {
                counted = Instant::now();
                // A scheduler that does not answer is dealt with above.
                if self.scheduler.count().await.unwrap_or(1) > 0 {
                    manned = counted;
                } else if manned.elapsed() > NO_EXECUTOR {
                    return Err(self.scheduler.nobody().into());
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(ASK.1);
        }
    }

    /// Bytes that its operators spilled; 0 if nobody knows.
    pub(super) async fn spilled_bytes(&self) -> usize {
        match self.scheduler.call(Call::Spilled(self.id.clone())).await {
            Ok(Answer::Spilled(bytes)) => bytes as usize,
            _ => 0,
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if !self.ended.load(Ordering::Relaxed) {
            self.scheduler.cancel(std::mem::take(&mut self.id));
        }
    }
}

/// What Ballista says of a job that `recovery` has cancelled, and of one that could not fetch the results of another task.
const LOST: &[&str] = &["Cancelled", "has failed 1 times, most recent failure reason"];

/// What a failed job says: the diagnostic that an executor found, or Ballista's words.
fn failure(text: &str) -> Ended {
    if let Some(found) = unseal(text) {
        return Ended::Failed(found);
    }
    if LOST.iter().any(|lost| text.contains(lost)) {
        return Ended::Lost(short(text));
    }
    let found = Diagnostic::error(codes::CLUSTER_FAILED, "the cluster could not run the query").note(short(text));
    Ended::Failed(found.help("the logs of the scheduler and the executors tell more"))
}

/// A message cut to a length that fits into a note.
fn short(text: &str) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    match line.char_indices().nth(400) {
        Some((end, _)) => format!("{} ...", &line[..end]),
        None => line.to_string(),
    }
}
