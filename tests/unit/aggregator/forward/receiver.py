# SPDX-License-Identifier: Apache-2.0
"""A receiver on loopback that misbehaves as the path says. Writes its ports (plain, TLS with a certificate of its own
making, TLS 1.1 at most) on one line, then one line a request; ends with its standard input."""
import os
import ssl
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

out = threading.Lock()
stop = threading.Event()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with out:
            print(self.path, flush=True)
        if self.path == "/silent":
            return stop.wait(20)
        if self.path == "/redirect":
            self.send_response(307)
            self.send_header("Location", "/caught")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        self.send_response(200)
        if self.path == "/cut":
            self.send_header("Content-Length", "500")
            self.end_headers()
            self.close_connection = True
            return self.wfile.write(b"half")
        if self.path == "/huge":
            self.end_headers()
            self.close_connection = True
            while not stop.is_set():
                self.wfile.write(b"x" * 65536)
        if self.path == "/drip":
            self.send_header("Content-Length", "100000")
            self.end_headers()
            while not stop.wait(0.05):
                self.wfile.write(b"x")
                self.wfile.flush()
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    do_GET = do_POST


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # who hangs up, or trusts nobody


def serve(context=None):
    server = Server(("127.0.0.1", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


with tempfile.TemporaryDirectory() as folder:
    key, cert = os.path.join(folder, "key"), os.path.join(folder, "cert")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", cert,
                    "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, stderr=subprocess.DEVNULL)
    now, old = (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for _ in range(2))
    for context in (now, old):
        context.load_cert_chain(cert, key)
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    ports = serve(), serve(now), serve(old)
    with out:
        print(*ports, flush=True)
    sys.stdin.read()
    stop.set()
