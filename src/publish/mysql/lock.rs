//! The advisory lock on a table: one publish at a time.

use sqlx::Row;
use sqlx::mysql::MySqlConnection;

use super::super::config::MysqlConfig;
use super::super::place::Place;
use super::failure::{Failure, judge};
use super::table::Table;
use crate::diag::codes;

impl Table {
    /// Takes the lock, which this connection then holds until it ends. `waiting` is told if it has to wait.
    pub(super) async fn lock(
        &self,
        config: &MysqlConfig,
        place: &Place,
        connection: &mut MySqlConnection,
        waiting: impl Fn(String),
    ) -> Result<(), Failure> {
        let sql = "select get_lock(?, ?), coalesce(is_used_lock(?), 0)";
        let patience = config.lock_timeout.as_secs();
        for (turn, seconds) in [0, patience].into_iter().enumerate() {
            let row =
                sqlx::query(sql).bind(&self.lock).bind(seconds).bind(&self.lock).fetch_one(&mut *connection).await;
            let row = row.map_err(|error| judge(place, &error))?;
            if row.try_get_unchecked::<Option<i64>, _>(0).ok().flatten() == Some(1) {
                return Ok(());
            }
            let holder: i64 = row.try_get_unchecked(1).unwrap_or(0);
            let who = holder_of(holder, connection).await;
            let who = format!("another publish of it holds the lock `{}` ({who})", self.lock);
            if turn > 0 || patience == 0 {
                let problem = format!("{who}, for more than {patience} s");
                let help = "wait for it and try again, or set a longer `lock_timeout`";
                return Err(place.failed(codes::PUBLISH_FAILED, problem).help(help).into());
            }
            waiting(who);
        }
        Ok(())
    }

    /// True if this connection still has the lock: one that was lost and won back has not.
    pub(super) async fn has_lock(&self, connection: &mut MySqlConnection) -> Result<bool, sqlx::Error> {
        let sql = "select coalesce(is_used_lock(?) = connection_id(), 0)";
        let row = sqlx::query(sql).bind(&self.lock).fetch_one(connection).await?;
        Ok(row.try_get_unchecked::<i64, _>(0)? == 1)
    }

    /// [`Self::has_lock`], or a failure after which the load starts again.
    pub(super) async fn keep_lock(&self, place: &Place, connection: &mut MySqlConnection) -> Result<(), Failure> {
        match self.has_lock(connection).await.map_err(|error| judge(place, &error))? {
            true => Ok(()),
            false => {
                let problem = "the lock on it was lost while it was loaded";
                Err(Failure::Passing(place.failed(codes::PUBLISH_FAILED, problem)))
            }
        }
    }

    /// Gives the lock back; ending the connection would do so too, but when the server notices.
    pub(super) async fn unlock(&self, connection: &mut MySqlConnection) {
        let _ = sqlx::query("select release_lock(?)").bind(&self.lock).fetch_one(connection).await;
    }
}

/// Who the connection `id` belongs to, as far as this user may see: without the right PROCESS that is the same user's alone.
async fn holder_of(id: i64, connection: &mut MySqlConnection) -> String {
    let sql = "select concat(user, '@', host), cast(time as char) from information_schema.processlist where id = ?";
    let row = sqlx::query(sql).bind(id).fetch_optional(connection).await.ok().flatten();
    let text = |at: usize| row.as_ref().and_then(|row| row.try_get_unchecked::<String, _>(at).ok());
    match (text(0), text(1)) {
        (Some(who), Some(seconds)) => format!("connection {id} of {who}, busy for {seconds} s"),
        _ => format!("connection {id}"),
    }
}
