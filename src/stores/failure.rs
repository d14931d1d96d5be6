//! What stores say when something fails, as C5006: the cause in one line, and what to do about it.
//!
//! The errors of object_store and hdfs-native hold whole URLs (with the tokens that Azure signs them with), bodies of XML
//! and Java's stack traces. A message shows the cause alone, and nothing behind the `?` of a URL.

use std::error::Error;

use crate::diag::{Diagnostic, codes};

/// Why a store refused, as far as it can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The login is wrong or has expired.
    Credentials,
    /// The login may not do that.
    Permission,
    /// The bucket or container does not exist.
    NoBucket,
    /// The file is not there.
    NotFound,
    /// The bucket is in another region.
    Region,
    /// The clocks differ too much.
    Clock,
    /// The name node is in safe mode, because it starts.
    SafeMode,
    /// Somebody has put the name node into safe mode.
    Locked,
    /// All name nodes that answer are standing by.
    Standby,
    /// The URL names a name service that no configuration tells about.
    NameService,
    /// HDFS wants Kerberos.
    Kerberos,
    /// A quota of the folder or account is used up.
    Quota,
    /// No space is left, or no data node takes blocks.
    Full,
    /// Mounted for reading.
    ReadOnly,
    /// The server's certificate is not trusted.
    Tls,
    /// The name of the server does not resolve.
    Dns,
    /// Nobody answers.
    Unreachable,
    /// It took too long.
    Timeout,
    /// The data nodes that a block is read from or written to do not answer.
    DataNodes,
    /// Anything else.
    Other,
}

/// Words by which causes are known, the more telling ones first.
const WORDS: &[(&str, Cause)] = &[
    ("NoSuchBucket", Cause::NoBucket),
    ("ContainerNotFound", Cause::NoBucket),
    ("The specified bucket does not exist", Cause::NoBucket),
    ("InvalidAccessKeyId", Cause::Credentials),
    ("SignatureDoesNotMatch", Cause::Credentials),
    ("ExpiredToken", Cause::Credentials),
    ("InvalidToken", Cause::Credentials),
    ("AuthenticationFailed", Cause::Credentials),
    ("invalid_grant", Cause::Credentials),
    ("invalid_client", Cause::Credentials),
    ("RequestTimeTooSkewed", Cause::Clock),
    ("PermanentRedirect", Cause::Region),
    ("AuthorizationHeaderMalformed", Cause::Region),
    ("redirect without LOCATION", Cause::Region),
    ("turned on manually", Cause::Locked),
    ("SafeModeException", Cause::SafeMode),
    ("in safe mode", Cause::SafeMode),
    ("QuotaExceeded", Cause::Quota),
    ("StandbyException", Cause::Standby),
    ("No NameNode hosts found", Cause::NameService),
    ("GSSAPI", Cause::Kerberos),
    ("No valid SASL mechanism", Cause::Kerberos),
    ("SIMPLE authentication is not enabled", Cause::Kerberos),
    ("could only be written to", Cause::Full),
    ("could only be replicated to", Cause::Full),
    ("No space left", Cause::Full),
    ("DiskOutOfSpace", Cause::Full),
    ("InsufficientStorage", Cause::Full),
    ("StorageFull", Cause::Full),
    ("Read-only file system", Cause::ReadOnly),
    ("All DataNodes failed", Cause::DataNodes),
    ("blocks not found", Cause::DataNodes),
    ("AccessControlException", Cause::Permission),
    ("AccessDenied", Cause::Permission),
    ("AuthorizationPermissionMismatch", Cause::Permission),
    ("Permission denied", Cause::Permission),
    ("403 Forbidden", Cause::Permission),
    ("401 Unauthorized", Cause::Credentials),
    ("peer certificate", Cause::Tls),
    ("dns error", Cause::Dns),
    ("failed to lookup address", Cause::Dns),
    ("Connection refused", Cause::Unreachable),
    ("Connection reset", Cause::Unreachable),
    ("RPC listener disconnected", Cause::Unreachable),
    ("No route to host", Cause::Unreachable),
    ("Network is unreachable", Cause::Unreachable),
    ("connection closed", Cause::Unreachable),
    ("Connection closed", Cause::Unreachable),
    ("early eof", Cause::Unreachable),
    ("end of file", Cause::Unreachable),
    ("Broken pipe", Cause::Unreachable),
    ("RetriableException", Cause::Standby),
    ("NotReplicatedYetException", Cause::Standby),
    ("data transfer error", Cause::DataNodes),
    ("failed to decode RPC response", Cause::Unreachable),
    ("Failed to complete file in time", Cause::Timeout),
    ("error sending request", Cause::Unreachable),
    ("timed out", Cause::Timeout),
    ("Timeout", Cause::Timeout),
    ("404 Not Found", Cause::NotFound),
    ("file not found", Cause::NotFound),
    ("No such file or directory", Cause::NotFound),
];

impl Cause {
    /// The cause of `error`.
    pub fn of(error: &(dyn Error + 'static)) -> Cause {
        let text = chain(error).collect::<Vec<_>>().join("\n");
        let known = WORDS.iter().find(|(word, _)| text.contains(word)).map(|(_, cause)| *cause);
        known.unwrap_or_else(|| match of_store(error) {
            Some(object_store::Error::NotFound { .. }) => Cause::NotFound,
            Some(object_store::Error::PermissionDenied { .. }) => Cause::Permission,
            Some(object_store::Error::Unauthenticated { .. }) => Cause::Credentials,
            _ => Cause::Other,
        })
    }

    /// True if it may be gone in a moment.
    pub fn passes(self) -> bool {
        matches!(self, Cause::Unreachable | Cause::Timeout | Cause::Standby | Cause::SafeMode | Cause::DataNodes)
    }

    fn help(self) -> Option<&'static str> {
        Some(match self {
            Cause::Credentials => {
                "the credentials are wrong or have expired; they come from `storage_options:` of the profile, the environment, \
                 or the configuration files of the store's own tools"
            }
            Cause::Permission => {
                "the store knows the user, who may not do this there: ask for the right to list, read and write"
            }
            Cause::NoBucket => "make the bucket first, or correct its name: c360 makes folders, no buckets",
            Cause::NotFound | Cause::Other => return None,
            Cause::Region => {
                "the bucket is in another region: set `AWS_REGION`, or `storage_options: {aws_region: ...}`"
            }
            Cause::Clock => "the clock of this machine is wrong",
            Cause::SafeMode => {
                "the name node takes no changes: it is starting, or somebody put it into safe mode (`hdfs dfsadmin -safemode get`)"
            }
            Cause::Locked => {
                "somebody has put the name node into safe mode, in which it takes no changes; `hdfs dfsadmin -safemode leave` ends that"
            }
            Cause::Standby => "no name node is active: `hdfs haadmin -getAllServiceState` tells",
            Cause::NameService => {
                "write `hdfs://host:port/...`, or point `HADOOP_CONF_DIR` at a folder whose hdfs-site.xml has \
                 `dfs.ha.namenodes` of that name"
            }
            Cause::Kerberos => "the cluster wants Kerberos: `kinit` first, and libgssapi_krb5 has to be installed",
            Cause::Quota => {
                "a quota is used up: delete something, or have it raised (`hdfs dfs -count -q` tells which)"
            }
            Cause::Full => {
                "no space is left, or no data node takes blocks (`hdfs dfsadmin -report` tells); nothing was replaced"
            }
            Cause::ReadOnly => "the store is there for reading only; nothing was replaced",
            Cause::Tls => "the server's certificate is not trusted by this machine",
            Cause::Dns => "the name of the server does not resolve: correct the URL or the `endpoint`",
            Cause::Unreachable => {
                "the server does not answer at that address: is it running, and are host and port right?"
            }
            Cause::Timeout => "the server took too long; `storage_options: {timeout: 120s}` waits longer",
            Cause::DataNodes => {
                "the data nodes that a block is on, or should be, do not answer (`hdfs dfsadmin -report` tells)"
            }
        })
    }
}

/// C5006: `place` cannot be read or written, and why.
pub fn store_error(place: &str, error: &(dyn Error + 'static)) -> Box<Diagnostic> {
    let place = clean(place.trim_end_matches('/'));
    explain(Diagnostic::error(codes::STORE_ERROR, format!("`{place}` cannot be reached")), error)
}

/// Adds to `found` why it happened, and what to do about it.
pub fn explain(found: Box<Diagnostic>, error: &(dyn Error + 'static)) -> Box<Diagnostic> {
    if let Some(known) = crate::failure::diagnostic_of(error) {
        return known;
    }
    let found = found.note(words(error));
    if found.helps.is_empty() { found.maybe_help(Cause::of(error).help()) } else { found }
}

/// The cause in one line.
pub fn words(error: &(dyn Error + 'static)) -> String {
    let whole = clean(&error.to_string());
    if let Some(text) = of_xml(&whole) {
        return text;
    }
    let line = once(whole.lines().find(|line| !line.trim().is_empty()).unwrap_or("").trim());
    let line = of_request(of_rpc(line));
    let root = chain(error).last().map(|root| clean(root.lines().next().unwrap_or(""))).unwrap_or_default();
    let root = of_request(of_rpc(&root));
    let text = if line.contains(root) { line.to_string() } else { format!("{line}: {root}") };
    match text.char_indices().nth(400) {
        Some((end, _)) => format!("{} ...", &text[..end]),
        None => text,
    }
}

/// `Parquet error: Parquet error: x` without the echo: each layer names itself.
fn once(text: &str) -> &str {
    match text.split_once(": ") {
        Some((kind, rest)) if rest.starts_with(kind) && rest[kind.len()..].starts_with(": ") => once(rest),
        _ => text,
    }
}

/// `error` and its sources, as they print.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = String> + 'a {
    crate::failure::chain(error).map(ToString::to_string)
}

/// The first error of object_store behind `error`, if there is one.
pub fn of_store<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a object_store::Error> {
    crate::failure::chain(error).find_map(|error| error.downcast_ref())
}

/// The code and message in an answer such as S3 and Azure give.
fn of_xml(text: &str) -> Option<String> {
    let tag = |name: &str| {
        let rest = text.split_once(&format!("<{name}>"))?.1;
        Some(rest.split_once(&format!("</{name}>"))?.0.lines().next().unwrap_or("").trim().to_string())
    };
    let code = tag("Code")?;
    Some(match tag("Message").filter(|message| !message.is_empty()) {
        Some(message) => format!("{code}: {}", message.trim_end_matches('.')),
        None => code,
    })
}

/// Without the name of Java's exception.
fn of_rpc(line: &str) -> &str {
    let Some((_, rest)) = line.split_once("RPC error: ") else { return line };
    match rest.split_once(' ') {
        Some((class, message)) if class.contains('.') && !message.is_empty() => message,
        _ => rest,
    }
}

/// Without the request and how often it was made.
fn of_request(line: &str) -> &str {
    let line = match line.strip_prefix("Generic ").and_then(|rest| rest.split_once(" error: ")) {
        Some((_, rest)) => rest,
        None => line,
    };
    match line.split_once("Error performing ").and_then(|(_, rest)| rest.split_once(" - ")) {
        Some((_, rest)) => {
            rest.trim_start_matches("Server returned non-2xx status code: ").trim_end_matches([':', ' '])
        }
        None => line,
    }
}

/// `text` without what URLs in it hold beside scheme, host and path.
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, url) = rest.split_at(at + 3);
        out.push_str(before);
        let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>' | ')' | ',');
        let end = url.find(ends).unwrap_or(url.len());
        out.push_str(&clean_url(&url[..end]));
        rest = &url[end..];
    }
    out.push_str(rest);
    out
}

/// The same for what follows the `://`.
fn clean_url(url: &str) -> String {
    let (authority, path) = url.split_at(url.find('/').unwrap_or(url.len()));
    let authority = match authority.rsplit_once('@') {
        Some((user, host)) => format!("{}@{host}", user.split(':').next().unwrap_or("")),
        None => authority.split('?').next().unwrap_or("").to_string(),
    };
    // A `?` is part of a pattern in locations; what follows one in a request has a `=`.
    let query = path.find('?').filter(|at| path[*at..].contains('='));
    let path = query.map_or(path.to_string(), |at| format!("{}?...", &path[..at]));
    authority + &path
}
