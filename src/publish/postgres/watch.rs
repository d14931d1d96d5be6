//! Is the server still at work, or is nobody there any more?
//!
//! A statement may take hours, and a network may swallow packets without a word; from this end both look the same. So
//! every `read_timeout` the server is asked over a new connection. If it does not answer, or does not know our session any
//! more, twice in a row, the attempt is given up and the next one begins. The session of the old one may still be there with
//! its locks, so the next attempt ends it.

use sqlx::Row;
use sqlx::postgres::PgConnection;

use super::super::place::Place;
use super::config::PostgresConfig;
use super::connect::connect;
use super::failure::Failure;
use crate::diag::codes;

/// A session, as the server knows it. Numbers of processes are used again; times are not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    pid: i32,
    began: String,
}

impl Session {
    /// The session of `connection`.
    pub(super) async fn of(connection: &mut PgConnection) -> Result<Session, sqlx::Error> {
        let sql = "select pid, backend_start::text from pg_stat_activity where pid = pg_backend_pid()";
        let row = sqlx::query(sql).fetch_one(connection).await?;
        Ok(Session { pid: row.try_get(0)?, began: row.try_get(1)? })
    }

    /// Does `work`, and gives it up when the session or its server is lost.
    pub(super) async fn guard<T>(
        &self,
        config: &PostgresConfig,
        place: &Place,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            biased;
            result = work => result,
            why = self.until_lost(config) => Err(Failure::Lost(place.failed(codes::PUBLISH_FAILED, why))),
        }
    }

    /// Ends when the session is lost, with words for why.
    async fn until_lost(&self, config: &PostgresConfig) -> String {
        let mut suspicions = 0;
        loop {
            tokio::time::sleep(config.read_timeout).await;
            let looked =
                tokio::time::timeout(config.connect_timeout + config.read_timeout, self.is_there(config)).await;
            let why = match looked {
                Ok(Ok(true)) => None,
                // Somebody is there, even if we are not let in.
                Ok(Err(sqlx::Error::Database(_))) => None,
                Ok(Ok(false)) => Some("the server ended the session, and nothing of that was heard".to_string()),
                Ok(Err(_)) | Err(_) => {
                    let silence = config.read_timeout.as_secs();
                    Some(format!("no answer for more than {silence} s, and none to a new connection either"))
                }
            };
            suspicions = if why.is_some() { suspicions + 1 } else { 0 };
            if let Some(why) = why.filter(|_| suspicions > 1) {
                return why;
            }
        }
    }

    async fn is_there(&self, config: &PostgresConfig) -> Result<bool, sqlx::Error> {
        let mut connection = connect(config).await?;
        let sql = "select count(*) from pg_stat_activity where pid = $1 and backend_start::text = $2";
        let row = sqlx::query(sql).bind(self.pid).bind(&self.began).fetch_one(&mut connection).await?;
        Ok(row.try_get::<i64, _>(0)? > 0)
    }

    /// Ends it on the server, where it may hold locks for as long as the server waits for us.
    pub(super) async fn end(&self, connection: &mut PgConnection) {
        let sql = "select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and backend_start::text = $2";
        // It may have ended by itself.
        let _ = sqlx::query(sql).bind(self.pid).bind(&self.began).fetch_optional(connection).await;
    }
}
