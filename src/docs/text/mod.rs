//! Text of a project on its way into a page: every door that something hostile could come through.
//!
//! [`script`] writes data so that it stays data, [`markdown`] turns descriptions into HTML that can do nothing, and
//! [`highlight`] marks the words of code without touching them.

pub(super) mod highlight;
mod jinja;
pub(super) mod markdown;
pub(super) mod script;
mod sql;
