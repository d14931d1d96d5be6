//! Fetching one package into a folder of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use object_store::http::HttpBuilder;
use object_store::{ObjectStore, ObjectStoreExt};

use super::folder;
use crate::diag::{Diagnostic, Result, Span, codes};

/// A package that could not be had.
pub(super) fn unreachable(what: &str, span: &Span, why: impl std::fmt::Display) -> Box<Diagnostic> {
    Diagnostic::error(codes::PACKAGE_UNREACHABLE, format!("package `{what}` cannot be fetched: {why}"))
        .label(span.clone(), "asked for here")
}

/// The bytes at an HTTP URL, or of a file. `what` is for messages: a URL may hold a secret.
pub(super) async fn download(url: &str, what: &str, span: &Span) -> Result<Vec<u8>> {
    let Some((scheme, rest)) = url.split_once("://").filter(|(scheme, _)| *scheme != "file") else {
        let path = url.trim_start_matches("file://");
        return std::fs::read(path).map_err(|error| unreachable(what, span, error));
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let options = object_store::ClientOptions::new().with_allow_http(true);
    let store = HttpBuilder::new().with_url(format!("{scheme}://{authority}")).with_client_options(options).build();
    let store: Box<dyn ObjectStore> =
        Box::new(store.map_err(|error| unreachable(what, span, scrub(&error, url, what)))?);
    let path = object_store::path::Path::from_url_path(path).map_err(|error| unreachable(what, span, error))?;
    let failed = |error: object_store::Error| match error {
        object_store::Error::NotFound { .. } => unreachable(what, span, "the server does not have it"),
        other => unreachable(what, span, scrub(&other, url, what)),
    };
    Ok(store.get(&path).await.map_err(failed)?.bytes().await.map_err(failed)?.to_vec())
}

/// The words of a failure, with what the project writes instead of a URL that may hold a secret.
fn scrub(error: &dyn std::fmt::Display, url: &str, written: &str) -> String {
    error.to_string().replace(url, written)
}

/// Fetches the archive at `url` and unpacks it below `folder`; gives back the package's folder.
pub(super) async fn tarball(url: &str, written: &str, span: &Span, folder: &Path) -> Result<PathBuf> {
    let bytes = download(url, written, span).await?;
    folder::unpack(&bytes, folder)
        .map_err(|error| unreachable(written, span, format!("the archive cannot be unpacked: {error}")))
}

/// A repository.
pub(super) struct Repository<'a> {
    /// What git is told.
    pub(super) url: &'a str,
    /// What people are told.
    pub(super) written: &'a str,
    /// Branch, tag or commit; none: the default branch.
    pub(super) revision: Option<&'a str>,
    /// Where it is asked for.
    pub(super) span: &'a Span,
}

impl Repository<'_> {
    /// Checks the revision out into `folder`; gives back its commit.
    pub(super) fn checkout(&self, folder: &Path) -> Result<String> {
        let revision = self.revision.unwrap_or("HEAD");
        if self.url.starts_with('-') || revision.starts_with('-') {
            return Err(unreachable(self.written, self.span, "neither URL nor revision may start with a dash"));
        }
        self.git(folder, &["init", "--quiet", "."])?;
        self.git(folder, &["remote", "add", "origin", self.url])?;
        // One commit is enough; servers that hand out only branches and tags are asked for everything.
        let shallow = self.git(folder, &["fetch", "--quiet", "--depth", "1", "origin", revision]);
        let found = match shallow {
            Ok(_) => "FETCH_HEAD".to_string(),
            Err(_) => {
                self.git(folder, &["fetch", "--quiet", "--tags", "origin", "+refs/heads/*:refs/remotes/origin/*"])?;
                revision.to_string()
            }
        };
        self.git(folder, &["checkout", "--quiet", "--detach", &found])?;
        let commit = self.git(folder, &["rev-parse", "HEAD"])?.trim().to_string();
        // What is installed is files; nobody shall take them for a clone to commit to.
        folder::remove(&folder.join(".git")).map_err(|error| unreachable(self.written, self.span, error))?;
        Ok(commit)
    }

    fn git(&self, folder: &Path, arguments: &[&str]) -> Result<String> {
        let output = Command::new("git")
            .args(arguments)
            .current_dir(folder)
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ALLOW_PROTOCOL", "file:git:http:https:ssh")
            .env_remove("GIT_DIR")
            .env_remove("GIT_WORK_TREE")
            .output()
            .map_err(|error| {
                unreachable(self.written, self.span, format!("git cannot be run: {error}")).help("install git")
            })?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr).replace(self.url, self.written);
        let last = said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("git failed");
        let last = last.trim_start_matches("fatal: ").trim_start_matches("error: ");
        Err(unreachable(self.written, self.span, last)
            .maybe_help(self.revision.map(|revision| format!("is there a branch, tag or commit `{revision}`?"))))
    }
}
