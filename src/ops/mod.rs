//! One function a verb: each strings the stages together, in the order of the route.

mod artifacts;
mod build;
mod clean;
mod compile;
mod debug;
mod defer;
mod deps;
pub mod docs;
mod explain_config;
mod freshness;
mod init;
mod list;
mod load;
mod operation;
mod options;
mod retry;
mod session;
mod show;
mod state;

pub use artifacts::{write_manifest, write_run_results};
pub use build::{Build, build, preview};
pub use clean::clean;
pub use compile::{Compiled, compile};
pub use debug::{Check, Found, debug};
pub use deps::{Installed, deps};
pub use explain_config::{NodeConfig, explain_config};
pub use freshness::freshness;
pub use init::init;
pub use list::{Listed, OutputKeys, list};
pub use load::{Loaded, load};
pub use operation::run_operation;
pub use options::{Options, Target};
pub use retry::{Leftover, leftover};
pub use session::Session;
pub use show::{Shown, show};
