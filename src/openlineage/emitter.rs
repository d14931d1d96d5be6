//! Events of a run on their way out.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::Settings;
use super::event::{Events, Moment};
use super::transport::Transport;
use crate::diag::{Diagnostic, codes};
use crate::engine::Engine;
use crate::manifest::Manifest;
use crate::project::Target;
use crate::run::{RunEvent, RunResult, UnitInfo};

/// Events that may wait.
const QUEUE: usize = 4096;
/// Events that are on their way at the same time.
const SENDING: usize = 8;

/// What events are about.
#[derive(Clone)]
pub struct Surroundings {
    /// The project.
    pub manifest: Arc<Manifest>,
    /// The engine.
    pub engine: Arc<Engine>,
    /// Where it runs.
    pub target: Target,
    /// Folder of the project.
    pub root: PathBuf,
    /// Folder of the artifacts.
    pub target_path: PathBuf,
    /// The verb.
    pub command: String,
    /// Id of the run.
    pub invocation_id: String,
}

/// What is told.
enum Told {
    RunStarted(DateTime<Utc>),
    Unit(UnitInfo, Moment, DateTime<Utc>),
    RunEnded(Box<RunResult>, DateTime<Utc>),
}

/// How it went.
#[derive(Debug, Default)]
struct Tally {
    lost: AtomicU64,
    why: Mutex<Option<String>>,
}

impl Tally {
    fn lose(&self, why: String) {
        self.lost.fetch_add(1, Ordering::Relaxed);
        self.why.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
    }
}

/// See the module.
pub struct Emitter {
    queue: mpsc::Sender<Told>,
    worker: JoinHandle<()>,
    tally: Arc<Tally>,
    timeout: Duration,
}

impl Emitter {
    /// Starts to send what it will be told. Has to be called inside of a runtime.
    pub fn start(settings: Settings, around: Surroundings) -> Emitter {
        let (queue, told) = mpsc::channel(QUEUE);
        let tally = Arc::new(Tally::default());
        let timeout = settings.timeout;
        let worker = tokio::spawn(work(settings, around, told, Arc::clone(&tally)));
        Emitter { queue, worker, tally, timeout }
    }

    /// Listens. Never waits.
    pub fn event(&self, event: &RunEvent) {
        let told = match event {
            RunEvent::Started { at, .. } => Told::RunStarted(*at),
            RunEvent::UnitStarted { unit, at } => Told::Unit(unit.clone(), Moment::Started, *at),
            RunEvent::UnitFinished { unit, result, at } => Told::Unit(unit.clone(), Moment::Ended(result.clone()), *at),
            RunEvent::Finished { result } => Told::RunEnded(result.clone(), Utc::now()),
            _ => return,
        };
        if self.queue.try_send(told).is_err() {
            self.tally.lose("there was more to tell than could be sent".into());
        }
    }

    /// Waits for what is still on its way, for a while. The warning says what did not arrive.
    pub async fn close(self) -> Option<Box<Diagnostic>> {
        let Emitter { queue, mut worker, tally, timeout } = self;
        drop(queue);
        if tokio::time::timeout(timeout, &mut worker).await.is_err() {
            worker.abort();
            tally.lose(format!("not all were sent {} s after the run", timeout.as_secs_f64()));
        }
        let lost = tally.lost.load(Ordering::Relaxed);
        let why = tally.why.lock().unwrap_or_else(PoisonError::into_inner).take();
        (lost > 0).then(|| {
            let events = crate::stdx::plural(lost, "OpenLineage event");
            Diagnostic::warning(codes::STORE_ERROR, format!("{events} did not arrive: {}", why.unwrap_or_default()))
                .note("the run itself is not affected")
                .help(
                    "check `openlineage:` of the profile and OPENLINEAGE_URL; OPENLINEAGE_DISABLED=true sends nothing",
                )
        })
    }
}

async fn work(settings: Settings, around: Surroundings, told: mpsc::Receiver<Told>, tally: Arc<Tally>) {
    let transport = match Transport::open(&settings) {
        Ok(transport) => transport,
        Err(why) => return tally.lose(why),
    };
    let events = Events::new(settings, around);
    let queue = futures::stream::unfold(told, |mut told| async move { Some((told.recv().await?, told)) });
    let (events, transport, tally) = (&events, &transport, &tally);
    let send = |told: Told| async move {
        let event = match told {
            Told::RunStarted(at) => Some(events.run_started(at)),
            Told::Unit(unit, moment, at) => events.unit(&unit, &moment, at).await,
            Told::RunEnded(result, at) => Some(events.run_ended(&result, at)),
        };
        if let Some(event) = event
            && let Err(why) = transport.send(&event).await
        {
            tally.lose(why);
        }
    };
    queue.for_each_concurrent(SENDING, send).await;
}
