//! Where a source's files are: locations taken apart, and listed.

use std::path::{Path as FsPath, PathBuf};

use datafusion::execution::object_store::ObjectStoreUrl;
use futures::TryStreamExt;
use globset::{GlobBuilder, GlobMatcher};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use crate::diag::{self, Diagnostic, codes};
use crate::stdx::closest;

use super::errors::unreadable;

/// How many names a message about missing files shows.
const SHOWN: usize = 8;

/// A location taken apart.
#[derive(Debug, Clone)]
pub(super) struct Location {
    /// As it was declared.
    pub(super) text: String,
    /// The store that holds the files.
    pub(super) url: ObjectStoreUrl,
    /// The path up to the first segment with a wildcard.
    base: Path,
    /// What files below `base` must match; `None`: the location names one file or folder.
    glob: Option<Glob>,
}

#[derive(Debug, Clone)]
struct Glob {
    matcher: GlobMatcher,
    /// True if only the folder `base` itself has to be listed.
    flat: bool,
    /// True if the pattern itself asks for names that start with a dot or an underscore.
    hidden: bool,
}

impl Location {
    /// Takes `text` apart: a local path, or a URL.
    ///
    /// # Errors
    /// C5005 if it cannot be a location.
    pub(super) fn parse(text: &str) -> diag::Result<Location> {
        let bad = |problem: String| Diagnostic::error(codes::BAD_SOURCE, format!("the location `{text}` {problem}"));
        if text.trim().is_empty() {
            return Err(bad("is empty".to_string()));
        }
        let (store, path) = match text.split_once("://") {
            Some(("file", rest)) => {
                let path = rest.strip_prefix("localhost").unwrap_or(rest);
                ("file://".to_string(), local_path(FsPath::new(&percent_decode(path)))?)
            }
            Some((scheme, rest)) => {
                let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
                (format!("{scheme}://{authority}"), path.to_string())
            }
            None => ("file://".to_string(), local_path(FsPath::new(text))?),
        };
        let url =
            ObjectStoreUrl::parse(&store).map_err(|error| bad(format!("is no URL: {}", error.strip_backtrace())))?;
        // A local file whose name has brackets in it is that file.
        let literal = store == "file://" && FsPath::new(&format!("/{path}")).exists();
        let (base, pattern) = if literal { (path.as_str(), None) } else { split_pattern(&path) };
        let base = Path::parse(base.trim_matches('/')).map_err(|error| bad(format!("is no path: {error}")))?;
        let glob = match pattern {
            None => None,
            Some(pattern) => Some(Glob::new(pattern).map_err(|error| bad(format!("is no pattern: {error}")))?),
        };
        Ok(Location { text: text.to_string(), url, base, glob })
    }

    /// The files, sorted by path. Names that start with a dot or an underscore (`_SUCCESS`, `.crc`) are left out, unless
    /// the location asks for them.
    ///
    /// # Errors
    /// C5001 if there is none, C5006 if the store cannot be listed.
    pub(super) async fn list(&self, store: &dyn ObjectStore) -> diag::Result<Vec<ObjectMeta>> {
        let found = match &self.glob {
            None => self.list_plain(store).await,
            Some(glob) if glob.flat => match store.list_with_delimiter(Some(&self.base)).await {
                Ok(listed) => Ok(listed.objects),
                Err(error) => Err(error),
            },
            Some(_) => store.list(Some(&self.base)).try_collect().await,
        };
        let mut files: Vec<ObjectMeta> = match found {
            Ok(files) => files.into_iter().filter(|file| self.matches(&file.location)).collect(),
            Err(object_store::Error::NotFound { .. }) => Vec::new(),
            Err(error) => return Err(unreadable(&self.text, &error)),
        };
        if files.is_empty() && self.glob.is_some() {
            files = self.list_folders(store).await.map_err(|error| unreadable(&self.text, &error))?;
        }
        files.sort_by(|left, right| left.location.cmp(&right.location));
        if files.is_empty() {
            return Err(self.missing(store).await);
        }
        Ok(files)
    }

    async fn list_plain(&self, store: &dyn ObjectStore) -> object_store::Result<Vec<ObjectMeta>> {
        match store.head(&self.base).await {
            Ok(file) => Ok(vec![file]),
            Err(object_store::Error::NotFound { .. }) => store.list(Some(&self.base)).try_collect().await,
            // Some stores call a folder's head an error of another kind.
            Err(error) => match store.list(Some(&self.base)).try_collect::<Vec<_>>().await {
                Ok(files) if !files.is_empty() => Ok(files),
                _ => Err(error),
            },
        }
    }

    /// The files below folders that match the pattern.
    async fn list_folders(&self, store: &dyn ObjectStore) -> object_store::Result<Vec<ObjectMeta>> {
        let Some(glob) = &self.glob else { return Ok(Vec::new()) };
        let files: Vec<ObjectMeta> = match store.list(Some(&self.base)).try_collect().await {
            Err(object_store::Error::NotFound { .. }) => return Ok(Vec::new()),
            found => found?,
        };
        let below_match = |file: &ObjectMeta| {
            let Some(below) = file.location.prefix_match(&self.base) else { return false };
            let below: Vec<String> = below.map(|part| part.as_ref().to_string()).collect();
            let folder = (1..below.len()).find(|end| glob.matcher.is_match(below[..*end].join("/")));
            // The folder is what was asked for; names below it are hidden or not.
            folder.is_some_and(|end| !below[end..].iter().any(|part| part.starts_with(['.', '_'])))
        };
        Ok(files.into_iter().filter(below_match).collect())
    }

    fn matches(&self, path: &Path) -> bool {
        if *path == self.base {
            return self.glob.is_none();
        }
        let Some(below) = path.prefix_match(&self.base) else { return false };
        let below: Vec<String> = below.map(|part| part.as_ref().to_string()).collect();
        let hidden = below.iter().any(|part| part.starts_with(['.', '_']));
        match &self.glob {
            None => !hidden,
            Some(glob) => (glob.hidden || !hidden) && glob.matcher.is_match(below.join("/")),
        }
    }

    /// The error that no file is there, with what is there instead.
    async fn missing(&self, store: &dyn ObjectStore) -> Box<Diagnostic> {
        let found = Diagnostic::error(codes::SOURCE_FILES_MISSING, format!("no file matches `{}`", self.text));
        let found =
            found.help("a location is a file, a folder or a pattern with `*`, and starts at the project's folder");
        let mut parts: Vec<String> = self.base.parts().map(|part| part.as_ref().to_string()).collect();
        let mut gone: Option<String> = None;
        loop {
            let folder = Path::from_iter(parts.iter().map(String::as_str));
            if let Ok(listed) = store.list_with_delimiter(Some(&folder)).await {
                let names =
                    listed.common_prefixes.iter().filter_map(|path| path.filename().map(|name| format!("{name}/")));
                let mut names: Vec<String> = names
                    .chain(listed.objects.iter().filter_map(|file| file.location.filename().map(String::from)))
                    .collect();
                names.sort();
                let there = match names.len() {
                    0 if !parts.is_empty() && !self.is_local_folder(&folder) => String::new(),
                    0 => "is empty".to_string(),
                    1..=SHOWN => format!("holds {}", names.join(", ")),
                    more => format!("holds {} and {} more", names[..SHOWN].join(", "), more - SHOWN),
                };
                if !there.is_empty() {
                    let near = gone.and_then(|gone| meant(&gone, &names));
                    return found
                        .note(format!("`{}` {there}", label(&self.url, &folder)))
                        .maybe_help(near.map(|near| format!("`{near}` was probably meant")));
                }
            }
            gone = parts.pop();
            if gone.is_none() {
                return found;
            }
        }
    }

    fn is_local_folder(&self, path: &Path) -> bool {
        self.url.as_str().starts_with("file:") && FsPath::new(&label(&self.url, path)).is_dir()
    }

    /// The URL of the folder that the location names: for formats whose tables are folders.
    pub(super) fn folder_url(&self) -> Option<url::Url> {
        let mut url = url::Url::parse(self.url.as_str()).ok()?;
        url.path_segments_mut().ok()?.pop_if_empty().extend(self.base.parts().map(|part| part.as_ref().to_string()));
        Some(url)
    }

    /// True if it names one file or folder.
    pub(super) fn is_plain(&self) -> bool {
        self.glob.is_none()
    }
}

impl Glob {
    fn new(pattern: &str) -> Result<Glob, globset::Error> {
        let folder = pattern.ends_with('/');
        let pattern = if folder { format!("{pattern}**") } else { pattern.to_string() };
        Ok(Glob {
            matcher: GlobBuilder::new(&pattern).literal_separator(true).build()?.compile_matcher(),
            flat: !pattern.contains('/') && !pattern.contains("**"),
            hidden: pattern.split('/').any(|part| part.starts_with(['.', '_'])),
        })
    }
}

/// How messages name a file: a local path, or a URL.
pub(super) fn label(url: &ObjectStoreUrl, path: &Path) -> String {
    match url.as_str().strip_prefix("file://") {
        Some(_) => format!("/{path}"),
        None => format!("{}/{path}", url.as_str().trim_end_matches('/')),
    }
}

/// An absolute path without its first slash, with `.` and `..` resolved by name.
fn local_path(path: &FsPath) -> diag::Result<String> {
    let absolute = std::path::absolute(path).map_err(|error| unreadable(&path.display().to_string(), &error))?;
    let mut clean = PathBuf::new();
    for part in absolute.components() {
        match part {
            std::path::Component::ParentDir => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    let mut text = clean.to_string_lossy().replace('\\', "/");
    if path.to_string_lossy().ends_with('/') {
        text.push('/');
    }
    Ok(text.trim_start_matches('/').to_string())
}

/// The part before the first segment with a wildcard, and the rest.
fn split_pattern(path: &str) -> (&str, Option<&str>) {
    let Some(wild) = path.find(['*', '?', '[', '{']) else { return (path, None) };
    match path[..wild].rfind('/') {
        Some(slash) => (&path[..slash], Some(&path[slash + 1..])),
        None => ("", Some(path)),
    }
}

/// `%20` to a space, and so on; what is no such escape stays.
fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let code = (*first == b'%').then(|| text_at(tail)).flatten();
        match code {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The byte that two hexadecimal digits at the start of `tail` spell.
fn text_at(tail: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
    u8::from_str_radix(digits, 16).ok()
}

/// The same decoding for parts of a path.
pub(super) fn decoded(text: &str) -> String {
    percent_decode(text)
}

/// The name among `names` that was probably meant by `gone`. The file of another day is none.
fn meant(gone: &str, names: &[String]) -> Option<String> {
    let letters = |name: &str| name.replace(|c: char| c.is_ascii_digit(), "");
    let others = names.iter().map(|name| name.trim_end_matches('/')).filter(|name| letters(name) != letters(gone));
    closest(gone, others).map(str::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_taken_apart() {
        let location = Location::parse("/no/such/lake/log_*/20*.json").expect("a location");
        assert_eq!(location.base.as_ref(), "no/such/lake");
        assert!(location.matches(&Path::from("no/such/lake/log_content/20220401.json")));
        assert!(!location.matches(&Path::from("no/such/lake/log_content/deep/20220401.json")));
        assert!(!location.matches(&Path::from("no/such/lake/log_content/.20220401.json")));
        let location = Location::parse("s3://bucket/a/**/x?.{csv,tsv}").expect("a location");
        assert_eq!(location.url.as_str(), "s3://bucket/");
        assert!(location.matches(&Path::from("a/b/c/x1.tsv")) && location.matches(&Path::from("a/x1.csv")));
        let location = Location::parse("file:///no/such/a%20b/../c").expect("a location");
        assert_eq!(location.base.as_ref(), "no/such/c");
        assert!(Location::parse("").is_err() && Location::parse("/a/[").is_err());
    }

    #[test]
    fn labels_are_paths_or_urls() {
        let location = Location::parse("hdfs://namenode:9000/lake/x").expect("a location");
        assert_eq!(label(&location.url, &Path::from("lake/x")), "hdfs://namenode:9000/lake/x");
        let location = Location::parse("/lake/x").expect("a location");
        assert_eq!(label(&location.url, &Path::from("lake/x")), "/lake/x");
    }
}
