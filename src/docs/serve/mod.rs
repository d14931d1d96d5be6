//! The site over HTTP, for whoever works on the project: files of one folder, to read and nothing else.
//!
//! Data of a site are scripts, and scripts of other sites may be loaded by any page. So that a page of somebody else,
//! open in the same browser, learns nothing of the project, answers say that they are for pages of the same origin
//! (`Cross-Origin-Resource-Policy`), and requests for hosts that are not this one are refused (rebound names).

mod files;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use crate::diag::{Diagnostic, Result, codes};

use files::Found;

/// The policy that pages say in their head too: nothing but their own files, and nobody around them.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
                      font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Where the script of live pages and the version that it asks for are.
const LIVE_SCRIPT: &str = "__live/live.js";
const LIVE_VERSION: &str = "__live/version.js";

/// Loads the page anew when the version changes.
const LIVE: &str = include_str!("live.js");

/// How long a client may take to say what it wants.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// A site that is served.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    site: Arc<Served>,
}

#[derive(Debug)]
struct Served {
    folder: PathBuf,
    /// Counts the sites that were made; none: pages do not ask.
    version: Option<Arc<AtomicU64>>,
    /// Names of hosts that requests may be for; none: any.
    hosts: Option<Vec<String>>,
}

impl Server {
    /// Listens on `host` and `port`; port 0 is any that is free. With `version`, pages load themselves anew when it grows.
    ///
    /// # Errors
    /// C1010 if nobody can listen there.
    pub async fn bind(host: &str, port: u16, folder: PathBuf, version: Option<Arc<AtomicU64>>) -> Result<Server> {
        let bound = async {
            let listener = TcpListener::bind((host, port)).await?;
            let address = listener.local_addr()?;
            std::io::Result::Ok((listener, address))
        };
        let (listener, address) = bound.await.map_err(|error| {
            Diagnostic::error(codes::BAD_ARGUMENT, format!("cannot listen on {host}:{port}: {error}"))
                .help("name another port, such as --port 8081; --port 0 takes any that is free")
        })?;
        // Who listens to everybody can't know by which names.
        let hosts = (!address.ip().is_unspecified())
            .then(|| ["localhost", "127.0.0.1", "[::1]", host].map(str::to_lowercase).to_vec());
        Ok(Server { listener, address, site: Arc::new(Served { folder, version, hosts }) })
    }

    /// Where the first page is.
    pub fn url(&self) -> String {
        let ip = self.address.ip();
        let host = if ip.is_loopback() || ip.is_unspecified() { "localhost".to_string() } else { ip.to_string() };
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        format!("http://{host}:{}/", self.address.port())
    }

    /// Answers until `stop` is done.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            let accepted = tokio::select! {
                () = &mut stop => return,
                accepted = self.listener.accept() => accepted,
            };
            let Ok((stream, _)) = accepted else {
                // Too many open files, most likely: somebody has to close one.
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            };
            let site = Arc::clone(&self.site);
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let site = Arc::clone(&site);
                    async move { Ok::<_, Infallible>(site.answer(&request).await) }
                });
                let connection = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(PATIENCE)
                    .serve_connection(TokioIo::new(stream), service);
                // A client that hangs up is no news.
                let _ = connection.await;
            });
        }
    }
}

impl Served {
    async fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        let is_head = match *request.method() {
            Method::GET => false,
            Method::HEAD => true,
            _ => return error(StatusCode::METHOD_NOT_ALLOWED, "this is to be read only"),
        };
        if !self.is_for_us(request) {
            return error(StatusCode::FORBIDDEN, "this is another host");
        }
        match self.find(request.uri().path()).await {
            Some(Found { bytes, mime }) => response(StatusCode::OK, mime, bytes, is_head),
            None => error(StatusCode::NOT_FOUND, "there is no such page"),
        }
    }

    /// True if the request names this host: a name that somebody else has pointed here is none of ours.
    fn is_for_us<B>(&self, request: &Request<B>) -> bool {
        let Some(hosts) = &self.hosts else { return true };
        let named = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let name = match named.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => named,
        };
        let name = name.to_lowercase();
        hosts.iter().any(|host| *host == name || format!("[{host}]") == name)
    }

    async fn find(&self, path: &str) -> Option<Found> {
        let path = files::clean(path)?;
        if let Some(version) = &self.version {
            let script =
                |text: String| Some(Found { bytes: text.into_bytes(), mime: "text/javascript; charset=utf-8" });
            match path.as_str() {
                LIVE_SCRIPT => return script(LIVE.to_string()),
                LIVE_VERSION => return script(format!("c360Live({});\n", version.load(Ordering::Acquire))),
                _ => {}
            }
        }
        let mut found = files::read(&self.folder, &path).await?;
        if self.version.is_some() && path == "index.html" {
            found.bytes = live(found.bytes);
        }
        Some(found)
    }
}

/// A page that loads itself anew.
fn live(page: Vec<u8>) -> Vec<u8> {
    let Ok(text) = String::from_utf8(page) else { return Vec::new() };
    let script = format!("<script defer src=\"{LIVE_SCRIPT}\"></script>\n");
    let end = text.rfind("</body>").unwrap_or(text.len());
    format!("{}{script}{}", &text[..end], &text[end..]).into_bytes()
}

fn error(status: StatusCode, message: &str) -> Response<Full<Bytes>> {
    response(status, "text/plain; charset=utf-8", format!("{message}\n").into_bytes(), false)
}

fn response(status: StatusCode, mime: &'static str, bytes: Vec<u8>, is_head: bool) -> Response<Full<Bytes>> {
    let length = HeaderValue::from(bytes.len());
    let mut response = Response::new(Full::new(if is_head { Bytes::new() } else { Bytes::from(bytes) }));
    *response.status_mut() = status;
    let fixed: [(HeaderName, &'static str); 6] = [
        (header::CONTENT_TYPE, mime),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, length);
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}
