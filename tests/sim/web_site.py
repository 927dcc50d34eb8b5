"""A web site on loopback for what asks others: it answers as it is told, and remembers what it was asked."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.site.asked.append((self.path, dict(self.headers)))
        status, headers, body = self.server.site.pages.get(self.path, (404, {}, b""))
        if "ETag" in headers and self.headers.get("If-None-Match") == headers["ETag"]:
            status, body = 304, b""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class WebSite:
    """`pages`: (status, headers, body) by path; `asked`: (path, headers) of each question. Used as a context."""

    def __enter__(self):
        self.pages, self.asked = {}, []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
        self._server.site, self._server.handle_error = self, lambda *arguments: None
        self.port = self._server.server_port
        self.address = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc):
        self._server.shutdown()
        self._thread.join(30)
        self._server.server_close()

    def gives(self, path, content, **headers):
        """It has this page from now on; the whole address of it."""
        self.pages[path] = (200, {name.replace("_", "-"): value for name, value in headers.items()}, content)
        return self.address + path
