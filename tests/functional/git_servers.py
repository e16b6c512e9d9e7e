"""Git servers for the functional tests: bare repositories with a clone to commit in, and Git's own smart HTTP service."""

import base64
import http.server
import os
import re
import subprocess
import threading


class Repository:
    """A bare repository, as a Git server would hold it, and a clone to commit in."""

    def __init__(self, root, name):
        self.bare = root / f"{name}.git"
        self.clone = root / f"{name}-clone"
        self.environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(root),
                            "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
                            "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org",
                            "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org"}
        self.run(root, "init", "-q", "--bare", "-b", "main", str(self.bare))
        self.run(root, "clone", "-q", str(self.bare), str(self.clone))
        self.run(self.clone, "checkout", "-q", "-B", "main")

    def run(self, folder, *words, environment=None):
        done = subprocess.run(["git", *words], cwd=folder, env={**self.environment, **(environment or {})},
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"git {' '.join(words)}: {done.stderr}")
        return done.stdout.strip()

    def git(self, *words, **options):
        return self.run(self.clone, *words, **options)

    def commit(self, files, message="change", push=True, author=None):
        """Writes and commits; a content of None removes the file. The commit's id."""
        for name, content in files.items():
            path = self.clone / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.unlink()
            else:
                path.write_text(content)
        self.git("add", "-A")
        environment = {"GIT_AUTHOR_NAME": author, "GIT_AUTHOR_EMAIL": f"{author}@example.org"} if author else None
        self.git("commit", "-q", "--allow-empty", "-m", message, environment=environment)
        if push:
            self.git("push", "-q", "origin", "HEAD")
        return self.git("rev-parse", "HEAD")

    def pull(self):
        self.git("pull", "-q", "--rebase", "origin", "main")

    def push_among_others(self):
        """Pushes on top of what others have pushed, as often as they are faster."""
        for _ in range(50):
            self.pull()
            try:
                self.git("push", "-q", "origin", "HEAD")
                return
            except AssertionError as error:
                if not re.search("fetch first|non-fast-forward|cannot lock ref|failed to update ref", str(error)):
                    raise
        raise AssertionError("others were faster 50 times")

    def log(self):
        """Messages of the server's branch, newest first."""
        if not self.run(self.bare, "for-each-ref", "refs/heads/main"):
            return []
        return [text.strip() for text in self.run(self.bare, "log", "--format=%B%x00", "main").split("\0") if text.strip()]

    def show(self, path, commit="main"):
        return self.run(self.bare, "show", f"{commit}:{path}")


class WebServer(http.server.BaseHTTPRequestHandler):
    """Git's own smart HTTP service for the repositories of a folder, behind a token."""

    root = None
    token = "s3cret-t0ken-of-the-test"
    before_push = None  # called once, when a push has been announced and before it is served

    def log_message(self, *_):
        pass

    def body(self):
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().strip(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def serve(self):
        path, _, query = self.path.partition("?")
        body = self.body()
        expected = "Basic " + base64.b64encode(f"git:{self.token}".encode()).decode()
        if self.headers.get("Authorization") != expected:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if path.endswith("/git-receive-pack") and WebServer.before_push:
            call, WebServer.before_push = WebServer.before_push, None
            call()
        environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "GIT_PROJECT_ROOT": str(self.root),
                       "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path, "QUERY_STRING": query, "REMOTE_USER": "git",
                       "REQUEST_METHOD": self.command, "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                       "CONTENT_LENGTH": str(len(body)), "GIT_CONFIG_GLOBAL": "/dev/null", "HOME": str(self.root)}
        done = subprocess.run(["git", "http-backend"], env=environment, input=body, capture_output=True, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = [line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line]
        status = next((value for name, value in fields if name == "Status"), "200 OK")
        self.send_response(int(status.split()[0]))
        for name, value in fields:
            if name != "Status":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = serve


def serve_web(case, repository, context=None):
    """Serves the folder of `repository`, over TLS with a context, until the test class ends: the port, and the token's file."""
    root = repository.bare.parent
    repository.run(repository.bare, "config", "http.receivepack", "true")
    WebServer.root = root
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), WebServer)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    case.addClassCleanup(server.server_close)
    case.addClassCleanup(server.shutdown)
    secret = root / "web.token"
    secret.touch(0o600)
    secret.write_text(WebServer.token + "\n")
    return server.server_port, secret
