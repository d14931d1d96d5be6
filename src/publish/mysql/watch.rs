//! Is the server still at work, or is nobody there any more?
//!
//! A statement may take hours, and a network may swallow packets without a word; from this end both look the same: no
//! answer. A limit of time would end the one for the sake of the other. So after `read_timeout` without any
//! progress the server is asked over a new connection:
//!
//! - it does not answer, twice: the network or the server is gone;
//! - one of our sessions is not in its list any more: it ended without a word that reached us;
//! - a session of ours is idle there while we wait for its answer, again and again: the answer is lost, or nothing of the
//!   question gets through (a large one over a slow line takes a while to arrive, and the server is idle until then);
//! - otherwise it is at work, however long it takes.
//!
//! What is lost is given up and may be tried again. Sessions of a load that was given up may still be there, one
//! of them with the advisory lock; the next load ends them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use parking_lot::Mutex;
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection, Executor, Row};

use super::super::config::MysqlConfig;
use super::super::place::Place;
use super::connect::connect;
use super::failure::{Failure, Said, is_full, judge};

/// So often a session has to be found idle, one after the other, until it counts as lost.
const IDLE: u32 = 10;

/// A session of ours on the server.
#[derive(Debug)]
pub(super) struct Session {
    id: u64,
    opened: Instant,
    waiting: AtomicBool,
    closed: AtomicBool,
}

impl Session {
    /// Says that an answer is waited for, until the guard is gone.
    pub(super) fn waits(&self) -> Waiting<'_> {
        self.waiting.store(true, Ordering::Relaxed);
        Waiting(self)
    }

    /// It is over, and nobody has to look for it.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }
}

/// See [`Session::waits`].
pub(super) struct Waiting<'a>(&'a Session);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.store(false, Ordering::Relaxed);
    }
}

/// Watches over the sessions of one publish.
#[derive(Debug, Default)]
pub(super) struct Watch {
    sessions: Mutex<Vec<Arc<Session>>>,
    progress: AtomicU64,
    lost: AtomicBool,
    /// Which server it was: behind one address there may be several.
    server: Mutex<Option<String>>,
}

/// What a look at the server found.
enum Pulse {
    /// It is at work, or one cannot tell.
    Fine,
    /// It does not answer.
    Silent,
    /// A session of ours is not there any more.
    Gone,
    /// A session that we wait for is idle.
    Idle,
}

impl Watch {
    /// From now on session `id` is looked for.
    pub(super) fn enter(&self, id: u64) -> Arc<Session> {
        let flag = || AtomicBool::new(false);
        let session = Arc::new(Session { id, opened: Instant::now(), waiting: flag(), closed: flag() });
        self.sessions.lock().push(Arc::clone(&session));
        session
    }

    /// As [`Watch::enter`], for a connection of sqlx.
    pub(super) async fn enter_sqlx(&self, connection: &mut MySqlConnection) -> Result<Arc<Session>, sqlx::Error> {
        let row = connection.fetch_one("select connection_id()").await?;
        Ok(self.enter(row.try_get_unchecked(0)?))
    }

    /// Something arrived at the server.
    pub(super) fn moved(&self) {
        self.progress.fetch_add(1, Ordering::Relaxed);
    }

    /// True if the last load was given up: its connections are of no use, not even for a goodbye.
    pub(super) fn lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Does `work`, and gives it up when the server is lost.
    pub(super) async fn guard<T>(
        &self,
        config: &MysqlConfig,
        place: &Place,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        self.lost.store(false, Ordering::Relaxed);
        tokio::select! {
            biased;
            result = work => result,
            why = self.until_lost(config) => {
                self.lost.store(true, Ordering::Relaxed);
                Err(judge(place, Said::lost(why)))
            }
        }
    }

    /// Ends when the server is lost, with words for why.
    async fn until_lost(&self, config: &MysqlConfig) -> String {
        let (mut seen, mut suspicions) = (0, 0);
        loop {
            tokio::time::sleep(config.read_timeout).await;
            let progress = self.progress.load(Ordering::Relaxed);
            if std::mem::replace(&mut seen, progress) != progress {
                suspicions = 0;
                continue;
            }
            let pulse = self.feel(config).await;
            suspicions = if matches!(pulse, Pulse::Fine) { 0 } else { suspicions + 1 };
            let silence = config.read_timeout.as_secs();
            match pulse {
                Pulse::Gone => return "the server ended the connection, and nothing of that was heard".to_string(),
                Pulse::Silent if suspicions > 1 => {
                    return format!("no answer for more than {silence} s, and none to a new connection either");
                }
                Pulse::Idle if suspicions >= IDLE => {
                    let silence = silence * u64::from(IDLE);
                    return format!(
                        "no answer for more than {silence} s, although the server waits for us: it was lost"
                    );
                }
                Pulse::Fine | Pulse::Silent | Pulse::Idle => {}
            }
        }
    }

    async fn feel(&self, config: &MysqlConfig) -> Pulse {
        let look = async {
            let mut connection = connect(config).await?;
            let pulse = self.look(&mut connection).await?;
            let _ = connection.close().await;
            Ok::<Pulse, sqlx::Error>(pulse)
        };
        match tokio::time::timeout(config.connect_timeout + config.read_timeout, look).await {
            Ok(Ok(pulse)) => pulse,
            // Somebody is there, even if we are not let in.
            Ok(Err(error)) if error.as_database_error().is_some() || is_full(&error) => Pulse::Fine,
            Ok(Err(_)) | Err(_) => Pulse::Silent,
        }
    }

    async fn look(&self, connection: &mut MySqlConnection) -> Result<Pulse, sqlx::Error> {
        if !self.same_server(connection).await? {
            return Ok(Pulse::Fine);
        }
        let ours: Vec<_> =
            self.sessions.lock().iter().filter(|one| !one.closed.load(Ordering::Relaxed)).cloned().collect();
        let list = ours.iter().map(|session| session.id.to_string()).collect::<Vec<_>>().join(", ");
        if list.is_empty() {
            return Ok(Pulse::Fine);
        }
        let sql = format!("select id, command from information_schema.processlist where id in ({list})");
        let mut found: Vec<(u64, String)> = Vec::new();
        for row in connection.fetch_all(AssertSqlSafe(sql)).await? {
            found.push((row.try_get_unchecked(0)?, row.try_get_unchecked(1)?));
        }
        for session in ours.iter().filter(|session| !session.closed.load(Ordering::Relaxed)) {
            match found.iter().find(|(id, _)| *id == session.id) {
                None => return Ok(Pulse::Gone),
                Some((_, command)) if command == "Sleep" && session.waiting.load(Ordering::Relaxed) => {
                    return Ok(Pulse::Idle);
                }
                Some(_) => {}
            }
        }
        Ok(Pulse::Fine)
    }

    /// True if the sessions are of the server that `connection` reached.
    async fn same_server(&self, connection: &mut MySqlConnection) -> Result<bool, sqlx::Error> {
        let name = server_name(connection).await?;
        Ok(*self.server.lock().get_or_insert_with(|| name.clone()) == name)
    }

    /// Ends what an earlier load left on the server, which may hold locks for hours. Call it with the first connection of a load.
    pub(super) async fn sweep(&self, connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
        let left = std::mem::take(&mut *self.sessions.lock());
        let name = server_name(connection).await?;
        let same = self.server.lock().replace(name.clone()).is_some_and(|before| before == name);
        if !same || left.is_empty() {
            return Ok(());
        }
        // A server that was restarted numbers its sessions anew, and one of these numbers may be somebody else's.
        let row = connection.fetch_one("show global status like 'Uptime'").await?;
        let uptime = row.try_get_unchecked::<String, _>(1)?.parse().unwrap_or(0);
        for session in left.iter().filter(|session| !session.closed.load(Ordering::Relaxed)) {
            if session.opened.elapsed().as_secs() < uptime {
                // It may have ended by itself.
                let _ = connection.execute(AssertSqlSafe(format!("kill {}", session.id))).await;
            }
        }
        Ok(())
    }
}

async fn server_name(connection: &mut MySqlConnection) -> Result<String, sqlx::Error> {
    let sql = "select concat(@@hostname, ' ', @@port, ' ', @@server_id)";
    connection.fetch_one(sql).await?.try_get_unchecked(0)
}
