# SPDX-License-Identifier: Apache-2.0
"""traffic_http_check.py TRAFFIC: against a server that says 503, hangs up and closes, every batch
of winnow-traffic arrives, and what is sent again is the same bytes."""
import json
import socketserver
import subprocess
import sys
import threading

bodies, answered, mistakes = {}, set(), []


class Flaky(socketserver.StreamRequestHandler):
    requests = 0

    def handle(self):
        while True:
            request = self.rfile.readline().decode()
            if not request:
                return
            headers = {}
            while line := self.rfile.readline().decode().rstrip("\r\n"):
                name, _, value = line.partition(": ")
                headers[name] = value
            body = self.rfile.read(int(headers["Content-Length"]))
            Flaky.requests += 1
            if not self.answer(request, headers, body, Flaky.requests):
                return

    def answer(self, request, headers, body, n):
        batch = json.loads(body)
        seen = bodies.setdefault(batch["batch_id"], body)
        if seen != body:
            mistakes.append("one batch_id, two bodies")
        if (
            request != "POST /v1/events HTTP/1.1\r\n"
            or "X-Forwarded-For" not in headers
            or not headers["User-Agent"]
        ):
            mistakes.append(f"{request!r} {headers}")
        if n % 17 == 3:  # away before the answer
            return False
        if n % 11 == 5:
            self.wfile.write(
                b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
            )
            return True
        if batch["batch_id"] in answered:
            mistakes.append("sent again after 200")
        answered.add(batch["batch_id"])
        reply = json.dumps({"accepted": len(batch["events"]), "refused": []}, separators=(",", ":")).encode()
        close = b"Connection: close\r\n" if n % 13 == 7 else b""
        self.wfile.write(
            b"HTTP/1.1 200 OK\r\n" + close + b"Content-Length: %d\r\n\r\n" % len(reply) + reply[:9]
        )
        self.wfile.flush()
        self.wfile.write(reply[9:])
        return not close


def main():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Flaky) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        run = subprocess.run(
            [sys.argv[1], "--mode", "http", "--url", url, "--people", "60"], stdout=subprocess.PIPE, text=True
        )
        sums = json.loads(run.stdout)
        server.shutdown()
    refused = subprocess.run(
        [sys.argv[1], "--mode", "http", "--url", url, "--people", "1", "--tries", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if refused.returncode != 1 or json.loads(refused.stdout)["accepted"]:
        mistakes.append("nobody listened, and it did not say so")
    if run.returncode or sums["failed"] or sums["events"] != sums["accepted"] or not sums["retried"]:
        mistakes.append(f"status {run.returncode}: {sums}")
    if sums["posts"] != len(answered):
        mistakes.append(f"{sums['posts']} posts, {len(answered)} arrived")
    for m in mistakes:
        print(m)
    print("traffic over HTTP:", "failed" if mistakes else f"ok {sums}")
    return 1 if mistakes else 0


sys.exit(main())
