//! `debug`: what the program sees, and whether it can reach what it needs.

use super::session::{destinations, source_connections};
use super::{Loaded, Options, Session};
use crate::diag::{Diagnostic, Result};
use crate::publish::ping;
use crate::stdx::plural;

/// One line of `debug`.
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// What was found, or why it failed.
    pub found: Result<String, Box<Diagnostic>>,
}

/// Looks at the project, the profile, the warehouse and every destination.
pub async fn debug(options: &Options, loaded: &Loaded) -> Vec<Check> {
    let check = |name: &str, found: Result<String, Box<Diagnostic>>| Check { name: name.into(), found };
    let root = &loaded.project.root;
    let files =
        format!("{}, {}", plural(root.files.len() as u64, "file"), plural(loaded.manifest.nodes.len() as u64, "node"));
    let mut checks = vec![
        check("c360", Ok(env!("CARGO_PKG_VERSION").to_string())),
        check("project", Ok(format!("{} in {}", root.name(), root.root.display()))),
        check("files", Ok(files)),
        check("profile", Ok(format!("{} in {}", loaded.profile.name, loaded.profile.path.display()))),
        check("target", Ok(loaded.profile.target.name.clone())),
    ];
    let session = Session::open(options, loaded, Vec::new()).await;
    checks.push(match session {
        Ok(session) => {
            let root = session.engine.warehouse.root().to_string();
            let probe = session.engine.warehouse.probe().await;
            check("warehouse", probe.map(|took| format!("{root} (written and read in {} ms)", took.as_millis())))
        }
        Err(error) => check("warehouse", Err(error)),
    });
    let destinations = destinations(loaded).into_iter().map(|(name, config)| ("destination", name, config));
    let connections = source_connections(loaded).into_iter().map(|(name, config)| ("connection", name, config));
    for (what, name, config) in destinations.chain(connections) {
        let found = match config {
            Ok(config) => ping(&config, &name).await.map(|version| format!("{} at {}", version, config.place())),
            Err(error) => Err(error),
        };
        checks.push(check(&format!("{what} {name}"), found));
    }
    checks
}
