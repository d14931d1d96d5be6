//! Sending events: to a file, to an HTTP endpoint, or to both.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value as Json;
use url::Url;

use super::Settings;

/// How often a request is made if the server is busy or unreachable.
const ATTEMPTS: u32 = 2;
/// After so many failures no more requests are made.
const PATIENCE: u32 = 10;

/// Where events go, open.
pub(super) struct Transport {
    file: Option<(PathBuf, Mutex<Option<std::fs::File>>)>,
    server: Option<(reqwest::Client, Url, Option<String>)>,
    /// Requests that failed one after the other: a server that is not there is not asked for every event.
    failures: AtomicU32,
}

impl Transport {
    /// For `settings`; the words say why it cannot be.
    pub(super) fn open(settings: &Settings) -> Result<Transport, String> {
        let server = match &settings.url {
            None => None,
            Some(url) => {
                let client = reqwest::Client::builder().timeout(settings.timeout).build();
                let client = client.map_err(|error| format!("no HTTP client: {}", error.without_url()))?;
                let token = settings.api_key.as_ref().map(|key| key.reveal().to_string());
                Some((client, url.clone(), token))
            }
        };
        let file = settings.path.clone().map(|path| (path, Mutex::new(None)));
        Ok(Transport { file, server, failures: AtomicU32::new(0) })
    }

    /// Sends one event; the words say why it did not arrive everywhere.
    pub(super) async fn send(&self, event: &Json) -> Result<(), String> {
        let written = self.append(event);
        match &self.server {
            Some(_) if self.failures.load(Ordering::Relaxed) >= PATIENCE => Err("the server cannot be reached".into()),
            Some((client, url, token)) => {
                let sent = post(client, url, token.as_deref(), event).await;
                match &sent {
                    Ok(()) => self.failures.store(0, Ordering::Relaxed),
                    Err(_) => {
                        self.failures.fetch_add(1, Ordering::Relaxed);
                    }
                }
                sent.and(written)
            }
            None => written,
        }
    }

    /// One line more. Lines of programs that write to the file at the same time do not mix: each is one write.
    fn append(&self, event: &Json) -> Result<(), String> {
        let Some((path, file)) = &self.file else { return Ok(()) };
        let write = || -> std::io::Result<()> {
            let mut file = file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let file = match &mut *file {
                Some(file) => file,
                none => {
                    path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
                    none.insert(std::fs::OpenOptions::new().create(true).append(true).open(path)?)
                }
            };
            file.write_all(format!("{event}\n").as_bytes())
        };
        write().map_err(|error| format!("`{}` cannot be written: {error}", path.display()))
    }
}

async fn post(client: &reqwest::Client, url: &Url, token: Option<&str>, event: &Json) -> Result<(), String> {
    let mut why = String::new();
    for attempt in 1..=ATTEMPTS {
        let mut request = client.post(url.clone()).header("content-type", "application/json").body(event.to_string());
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let passing = match request.send().await {
            Ok(answer) if answer.status().is_success() => return Ok(()),
            Ok(answer) => {
                why = format!("the server answers {}", answer.status());
                answer.status().is_server_error() || answer.status().as_u16() == 429
            }
            // The address may hold a password.
            Err(error) => {
                why = told(&error.without_url());
                true
            }
        };
        if !passing {
            break;
        }
        if attempt < ATTEMPTS {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
    Err(why)
}

/// An error with what caused it: `error sending request: connection refused`.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
