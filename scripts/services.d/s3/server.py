"""An S3 server for tests: moto, with what moto leaves out and Delta tables or users' mistakes depend on.

- Conditional puts are atomic. moto looks for the object and then writes it, in threads: two writers with
  `If-None-Match: *` could both win. Amazon decides in one step, so requests with a condition go one by one here.
- Credentials count. There are two pairs of keys: `writer` may do everything, `reader` may only read. Signatures are
  checked; whatever else is refused as Amazon refuses it.
- Faults on demand: `POST /_faults` with JSON {"method": "PUT", "path": "/bucket/prefix", "status": 503,
  "code": "SlowDown", "count": 3} answers the next three such requests so (without `count`: all), and `DELETE /_faults`
  with a path as its body ends the faults of that path. `GET /_faults` says how many requests each method had, and how
  many were refused.

Objects are in memory: a restart begins with an empty bucket.

Usage: server.py PORT KEYS-FILE BUCKET, where KEYS-FILE is JSON {"writer": [key, secret], "reader": [key, secret]}.
"""

import collections
import json
import sys
import threading

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import run_simple

REGION = "us-east-1"
READS = ("GET", "HEAD")


class Refused(Exception):
    """An answer of Amazon's kind."""

    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def respond(self, start_response):
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{self.code}</Code><Message>{self.message}</Message></Error>'
        headers = [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))]
        start_response(f"{self.status} {self.code}", headers)
        return [body.encode()]


class Faults:
    """What the tests asked to go wrong."""

    def __init__(self):
        self.lock = threading.Lock()
        self.faults = []
        self.seen = collections.Counter()

    def control(self, environ, start_response):
        method = environ["REQUEST_METHOD"]
        given = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode()
        with self.lock:
            if method == "POST":
                self.faults.append(json.loads(given))
            elif method == "DELETE":
                self.faults = [fault for fault in self.faults if fault.get("path", "/") != given]
            body = json.dumps(self.seen).encode()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    def check(self, method, path):
        with self.lock:
            self.seen[method] += 1
            for fault in self.faults:
                if fault.get("method", method) != method or not path.startswith(fault.get("path", "/")):
                    continue
                left = fault.get("count")
                if left == 0:
                    continue
                if left is not None:
                    fault["count"] = left - 1
                self.seen["refused"] += 1
                raise Refused(fault["status"], fault["code"], "a fault that a test asked for")


class Gate:
    """Looks at each request before moto does."""

    def __init__(self, keys, app):
        self.keys = {key: (name, secret) for name, (key, secret) in keys.items()}
        self.app = app
        self.faults = Faults()
        self.conditional = threading.Lock()

    def __call__(self, environ, start_response):
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if path == "/_faults":
            return self.faults.control(environ, start_response)
        try:
            self.authorize(environ, method)
            self.faults.check(method, path)
        except Refused as refused:
            # The rest of the request has to be read, or the connection is reset before the answer arrives.
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            return refused.respond(start_response)
        if "HTTP_IF_NONE_MATCH" in environ or "HTTP_IF_MATCH" in environ:
            if method not in READS:
                with self.conditional:
                    return list(self.app(environ, start_response))
        return self.app(environ, start_response)

    def authorize(self, environ, method):
        header = environ.get("HTTP_AUTHORIZATION", "")
        scheme, _, rest = header.partition(" ")
        parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
        if scheme != "AWS4-HMAC-SHA256" or not {"Credential", "SignedHeaders", "Signature"} <= parts.keys():
            raise Refused(403, "AccessDenied", "Access Denied")
        key, _, region, service, _ = parts["Credential"].rsplit("/", 4)
        if key not in self.keys:
            raise Refused(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
        name, secret = self.keys[key]
        if self.sign(environ, Credentials(key, secret), service, region, parts["SignedHeaders"]) != parts["Signature"]:
            raise Refused(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.")
        if name == "reader" and method not in READS:
            raise Refused(403, "AccessDenied", "Access Denied")

    @staticmethod
    def sign(environ, credentials, service, region, signed):
        headers = {}
        for name in signed.split(";"):
            variable = name.upper().replace("-", "_")
            value = environ.get(variable if variable in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{variable}")
            if value is not None:
                headers[name] = value
        url = f"http://{environ['HTTP_HOST']}{environ.get('RAW_URI') or environ['REQUEST_URI']}"
        request = AWSRequest(method=environ["REQUEST_METHOD"], url=url, headers=headers)
        request.context["timestamp"] = environ.get("HTTP_X_AMZ_DATE", "")
        # The query is a part of the URL; botocore canonicalizes it from there.
        auth = S3SigV4Auth(credentials, service, region)
        return auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)


def make_bucket(app, bucket):
    """Creates the bucket from within, before anybody may ask for it."""
    environ = {
        "REQUEST_METHOD": "PUT",
        "PATH_INFO": f"/{bucket}",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential=none/20200101/{REGION}/s3/aws4_request",
        "wsgi.url_scheme": "http",
        "wsgi.input": sys.stdin.buffer,
        "CONTENT_LENGTH": "0",
    }
    status = []
    for _ in app(environ, lambda line, headers, error=None: status.append(line)):
        pass
    if not status[0].startswith("200"):
        sys.exit(f"the bucket could not be made: {status[0]}")


def main():
    port, keys, bucket = sys.argv[1:]
    with open(keys, encoding="utf-8") as file:
        keys = json.load(file)
    app = DomainDispatcherApplication(create_backend_app)
    make_bucket(app, bucket)
    run_simple("127.0.0.1", int(port), Gate(keys, app), threaded=True, request_handler=MotoRequestHandler)


if __name__ == "__main__":
    main()
