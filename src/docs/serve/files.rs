//! Files of the site's folder, by the paths of requests.

use std::path::{Path, PathBuf};

/// A file and what it is.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) bytes: Vec<u8>,
    pub(super) mime: &'static str,
}

/// The path of a request as one below the folder: decoded, without its first slash, `index.html` for a folder. None if
/// it is anything but plain names.
pub(super) fn clean(path: &str) -> Option<String> {
    let decoded = decode(path.strip_prefix('/')?)?;
    let mut parts: Vec<&str> = decoded.split('/').collect();
    if parts.last() == Some(&"") {
        parts.pop();
        parts.push("index.html");
    }
    let is_plain = |part: &&str| {
        !part.is_empty() && !part.starts_with('.') && !part.contains(['\\', ':', '\0']) && part.trim() == *part
    };
    parts.iter().all(is_plain).then(|| parts.join("/"))
}

fn decode(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first == b'%' {
            let digits = tail.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}

/// The file at `path`, which [`clean`] has given, below `folder`. A link that leads out of the folder leads nowhere.
pub(super) async fn read(folder: &Path, path: &str) -> Option<Found> {
    let mime = mime(path);
    let (folder, wanted) = (folder.to_path_buf(), folder.join(path));
    let bytes = tokio::task::spawn_blocking(move || read_inside(&folder, wanted)).await.ok()??;
    Some(Found { bytes, mime })
}

fn read_inside(folder: &Path, wanted: PathBuf) -> Option<Vec<u8>> {
    let real = wanted.canonicalize().ok()?;
    if !real.starts_with(folder.canonicalize().ok()?) || !real.is_file() {
        return None;
    }
    std::fs::read(real).ok()
}

fn mime(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" | "md" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
