"""fetch against servers that are not the bench's own: Debian's nginx, one that answers something else each time, an
origin at its limit."""

from __future__ import annotations

import http.server
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path
from typing import Any

BENCH = sys.argv.pop(1)
# Many at once: a server that writes head and body apart answers every 40 ms only (delayed acknowledgements).
CELL: dict[str, Any] = {"workload": "fetch", "params": {"requests": 1000, "in_flight": 256, "delay_us": 0, "bytes": 64}}
CROWD: dict[str, Any] = {
    "workload": "fetch",
    "params": {"requests": 3000, "in_flight": 1000, "delay_us": 10_000, "bytes": 64},
}
DELAYED = {"workload": "fetch", "params": {"requests": 320, "in_flight": 16, "delay_us": 1000, "bytes": 64}}
CONNECT = {"workload": "fetch_connect", "params": {"requests": 1000, "in_flight": 256, "delay_us": 0, "bytes": 64}}


def ask(url: str, *cells: dict[str, object]) -> list[dict[str, object]]:
    requests = [{"do": "sample", "iterations": 2, **cell} for cell in cells]
    text = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run(
        [BENCH, "--serve", "--origin", url], input=text, capture_output=True, text=True, timeout=60, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()[1:]]


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


class Nginx:
    """The machine's own, else the distribution's package unpacked beside the test: nothing is installed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin") or self._unpacked()
        (folder / "index.html").write_text("a page of nginx\n" * 100)
        (folder / "nginx.conf").write_text(
            f"{'user root; ' if os.geteuid() == 0 else ''}daemon off; worker_processes 1; pid nginx.pid; error_log"
            " error.log;\nevents { worker_connections 1024; }\nhttp { access_log off; keepalive_requests 1000000;\n"
            "  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fast; uwsgi_temp_path uwsgi;"
            f" scgi_temp_path scgi;\n  server {{ listen 127.0.0.1:{self.port}; root {folder}; }} }}\n"
        )
        self.process = subprocess.Popen(
            [program, "-p", str(folder), "-c", str(folder / "nginx.conf")], stderr=subprocess.DEVNULL
        )
        for _ in range(100):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.end()
        raise unittest.SkipTest("nginx does not start: " + (folder / "error.log").read_text()[-200:])

    def _unpacked(self) -> str:
        try:
            subprocess.run(
                ["apt-get", "download", "nginx"], cwd=self.folder, capture_output=True, timeout=60, check=True
            )
            package = next(self.folder.glob("nginx_*.deb"))
            subprocess.run(
                ["dpkg-deb", "-x", package.name, "."], cwd=self.folder, capture_output=True, timeout=60, check=True
            )
        except (OSError, StopIteration, subprocess.SubprocessError) as error:
            raise unittest.SkipTest(f"there is no nginx here, and apt-get gives none: {error}") from None
        return str(self.folder / "usr/sbin/nginx")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(10)


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 1024

    def handle_error(self, *_: object) -> None:
        """Clients abort their connections: no news."""


class Changing(http.server.BaseHTTPRequestHandler):
    """Never the same body twice."""

    protocol_version = "HTTP/1.1"
    count = 0

    def do_GET(self) -> None:
        Changing.count += 1
        body = b"x" * Changing.count
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class ForeignServer(unittest.TestCase):
    def test_nginx_is_fetched_from_and_its_replies_compared(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            server = Nginx(Path(folder))
            try:
                kept, fresh, delayed = ask(server.url, CELL, CONNECT, DELAYED)
                again = ask(server.url, CELL)[0]
                (Path(folder) / "index.html").unlink()
                missing = ask(server.url, CELL)[0]
            finally:
                server.end()
        for answer in (kept, fresh, again):
            self.assertEqual(answer["outcome"], "ok", answer)
            self.assertEqual(answer["notes"], {"reply_bytes": 1600, "status": 200})
            self.assertNotIn("origin_cpu_ns", answer)
        self.assertEqual(kept["units"], 2000)
        self.assertEqual(kept["checksum"], again["checksum"])
        self.assertEqual(delayed["outcome"], "unsupported")
        self.assertIn("delay_us:0", delayed["reason"])
        self.assertEqual(missing["outcome"], "ok", missing)
        self.assertIn(missing["notes"]["status"], (403, 404))

    def test_a_server_that_answers_something_else_each_time_yields_no_number(self) -> None:
        server = Server(("127.0.0.1", 0), Changing)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            answer = ask(f"http://127.0.0.1:{server.server_port}/", CELL)[0]
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
        self.assertEqual(answer["outcome"], "wrong", answer)
        self.assertIn("its replies differ", answer["reason"])

    def test_an_origin_without_descriptors_for_all_connections_is_told_with_the_limit_to_raise(self) -> None:
        def few_descriptors() -> None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

        program = Path(BENCH).parent / "origin" / "origin"
        origin = subprocess.Popen(
            [program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=few_descriptors
        )
        try:
            assert origin.stdout
            answer = ask(origin.stdout.readline().split()[-1], CROWD)[0]
        finally:
            origin.terminate()
            _, said = origin.communicate(timeout=10)
        self.assertEqual(answer["outcome"], "unsupported", answer)
        self.assertRegex(answer["reason"], r"^item \d+: the server takes no more connections \(status 503\).*ulimit -n")
        self.assertIn("the limit of open files (ulimit -n) is 64", said)


if __name__ == "__main__":
    unittest.main()
