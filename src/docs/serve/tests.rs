use std::io::{Read, Write};
use std::net::TcpStream;

use tokio::sync::oneshot;

use super::*;

/// A server over a folder with some files; what is asked of it runs in `ask`.
fn served(live: bool, ask: impl FnOnce(u16) + Send + 'static) {
    let folder = tempfile::tempdir().expect("a folder");
    let site = folder.path().join("site");
    std::fs::create_dir_all(site.join("data/nodes")).expect("folders");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file");
    write("site/index.html", "<!doctype html><body>hello</body>");
    write("site/data/nodes/1.js", "c360Data(1);");
    write("site/a b.svg", "<svg/>");
    write("site/.hidden", "secret");
    write("outside.txt", "secret");
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.path().join("outside.txt"), site.join("link.txt")).expect("a link");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let version = live.then(|| Arc::new(AtomicU64::new(7)));
    let server = runtime.block_on(Server::bind("127.0.0.1", 0, site, version)).expect("a free port");
    let port = server.address.port();
    let (sender, stop) = oneshot::channel::<()>();
    let asking = std::thread::spawn(move || {
        ask(port);
        drop(sender);
    });
    runtime.block_on(server.run(async move { _ = stop.await }));
    asking.join().expect("answers as expected");
}

/// Status line with headers in lower case, and body, of a request that is sent as it is.
fn raw(port: u16, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    (head.to_lowercase(), body.to_string())
}

fn get(port: u16, path: &str) -> (String, String) {
    raw(port, &format!("GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"))
}

#[test]
fn files_and_what_they_are() {
    served(false, |port| {
        let (head, body) = get(port, "/");
        assert!(head.starts_with("http/1.1 200") && body == "<!doctype html><body>hello</body>", "{head}\n{body}");
        for header in [
            "content-type: text/html; charset=utf-8",
            "cache-control: no-store",
            "x-content-type-options: nosniff",
            "cross-origin-resource-policy: same-origin",
            "content-security-policy: default-src 'none'; script-src 'self';",
        ] {
            assert!(head.contains(header), "{header} in {head}");
        }
        let (head, body) = get(port, "/data/nodes/1.js?x=1");
        assert!(head.contains("content-type: text/javascript") && body == "c360Data(1);", "{head}\n{body}");
        let (head, _) = get(port, "/a%20b.svg");
        assert!(head.contains("200") && head.contains("image/svg+xml"), "{head}");
        let (head, body) =
            raw(port, &format!("HEAD / HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"));
        assert!(head.contains("content-length: 33") && body.is_empty(), "{head}");
    });
}

#[test]
fn nothing_else_is_read() {
    served(false, |port| {
        for path in [
            "/../outside.txt",
            "/%2e%2e/outside.txt",
            "/..%2foutside.txt",
            "/data/../../outside.txt",
            "/data/..%5c..%5coutside.txt",
            "//outside.txt",
            "/.hidden",
            "/%2ehidden",
            "/link.txt",
            "/data",
            "/data/",
            "/nothing.html",
            "/%00",
            "/%zz",
            "/__live/live.js",
        ] {
            let (head, body) = get(port, path);
            assert!(head.starts_with("http/1.1 404"), "{path}: {head}");
            assert!(!body.contains("secret"), "{path}");
        }
        let (head, _) = raw(
            port,
            &format!("POST / HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        );
        assert!(head.starts_with("http/1.1 405") && head.contains("allow: get, head"), "{head}");
    });
}

#[test]
fn other_hosts_are_refused() {
    served(false, |port| {
        let host = |name: &str| raw(port, &format!("GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n")).0;
        assert!(host("evil.example").starts_with("http/1.1 403"));
        assert!(host(&format!("evil.example:{port}")).starts_with("http/1.1 403"));
        assert!(host(&format!("127.0.0.1:{port}")).starts_with("http/1.1 200"));
        assert!(host(&format!("[::1]:{port}")).starts_with("http/1.1 200"));
        assert!(host("LOCALHOST").starts_with("http/1.1 200"));
    });
}

#[test]
fn live_pages_ask_for_the_version() {
    served(true, |port| {
        let (_, body) = get(port, "/");
        assert_eq!(body, "<!doctype html><body>hello<script defer src=\"__live/live.js\"></script>\n</body>");
        assert_eq!(get(port, "/__live/version.js?1").1, "c360Live(7);\n");
        assert!(get(port, "/__live/live.js").1.contains("location.reload"));
    });
}
