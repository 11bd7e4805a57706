# SPDX-License-Identifier: Apache-2.0
"""What each vendor's documents say of a request, checked; and a receiver on loopback that answers by them.

A check answers the row ids a request brings, or raises Broken with the rule. Sources: Mixpanel docs import-events,
GA4 Measurement Protocol reference, HubSpot API usage guidelines and @hubspot/api-client, Standard Webhooks and
CloudEvents specifications, ClickHouse HTTP interface."""
import base64
import hashlib
import hmac
import json
import re
import socket
import struct
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MIXPANEL_NOBODY = {"00000000-0000-0000-0000-000000000000", "anon", "anonymous", "nil", "none", "null", "n/a", "na", "undefined",
                   "unknown", "<nil>", "0", "-1", "true", "false", "[]", "{}"}
GA4_RESERVED = {"ad_activeview", "ad_click", "app_exception", "app_update", "error", "first_open", "first_visit", "session_start",
                "user_engagement", "os_update", "screen_view"}
PERSONAL = ("email", "utk", "user_id", "userid", "ip_override", "user_agent", "session", "engagement_time_msec", "device_id", "gclid")


class Broken(Exception):
    """A rule of the vendor's that the request breaks."""


def rule(holds, *words):
    if not holds:
        raise Broken(" ".join(str(w) for w in words))


def keys_of(node):
    if isinstance(node, dict):
        for k, v in node.items():
            yield k
            yield from keys_of(v)
    elif isinstance(node, list):
        for v in node:
            yield from keys_of(v)


def no_person(body):
    for k in keys_of(body):
        rule(k == "sessions" or not any(word in k.lower() for word in PERSONAL), "names a person:", k)


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


def mixpanel(r):
    rule(r.path == "/import" and r.query == {"strict": ["1"], "project_id": ["12345"]}, r.path, r.query)
    rule(r.headers["Authorization"] == basic("sa.name:mixpanel-s3cret"), "authorization")
    rule(r.headers["Content-Type"] in ("application/json", "application/x-ndjson"), "content type")
    rows = json.loads(r.body)
    rule(isinstance(rows, list) and 0 < len(rows) <= 2000 and len(r.body) < 2_000_000, "size")
    for e in rows:
        p = e["properties"]
        rule(set(e) == {"event", "properties"} and isinstance(e["event"], str) and 0 < len(e["event"]) <= 255, "event")
        rule(p["distinct_id"] == "" and p["distinct_id"] not in MIXPANEL_NOBODY, "distinct_id", p)
        rule(p["ip"] == 0, "the sender's address would give a place")
        rule(re.fullmatch(r"[A-Za-z0-9-]{1,36}", p["$insert_id"]), "$insert_id", p)
        rule(isinstance(p["time"], int) and 0 < p["time"] < time.time() + 400 * 86400, "time", p)
        rule(len(p) < 255 and all(not isinstance(v, (dict, list)) for v in p.values()), "properties")
        rule(all(len(v.encode()) <= 255 for v in p.values() if isinstance(v, str)), "a value is cut at 255")
    return [e["properties"]["$insert_id"] for e in rows], [e["properties"] for e in rows]


def ga4(r):
    rule(r.path == "/mp/collect" and r.query == {"measurement_id": ["G-ABC123"], "api_secret": ["ga4-s3cret"]}, r.path, r.query)
    body = json.loads(r.body)
    rule(len(r.body) < 130_000 and set(body) == {"client_id", "timestamp_micros", "consent", "events"}, "members", list(body))
    rule(body["consent"] == {"ad_user_data": "DENIED", "ad_personalization": "DENIED"}, "consent")
    rule(re.fullmatch(r"agg\.[a-z]+\.[a-z_]+\.\d+", body["client_id"]), "client_id", body["client_id"])
    rule(0 < len(body["events"]) <= 25, "events", len(body["events"]))
    rule(body["timestamp_micros"] / 1e6 > r.receiver.now() - 72 * 3600, "too old")
    for e in body["events"]:
        rule(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,39}", e["name"]) and e["name"] not in GA4_RESERVED, "name", e["name"])
        rule(set(e) == {"name", "params"} and len(e["params"]) <= 25, "params")
        for k, v in e["params"].items():
            rule(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,39}", k) and not re.match(r"_|firebase_|ga_|google_|gtag\.", k), "param", k)
            rule(isinstance(v, (int, float)) or len(v) <= 100, "value", v)
    client = r.receiver.clients.setdefault((e["params"]["site"], e["params"]["table"]), body["client_id"])
    rule(client == body["client_id"], "another client for the same table: counted as another person")
    return [e["params"]["row_id"] for e in body["events"]], [e["params"] for e in body["events"]]


def bearer(r):
    rule(r.headers["Authorization"] == "Bearer hubspot-s3cret", "authorization")
    rule(r.headers["Content-Type"] == "application/json" and not r.query, "content type")
    return json.loads(r.body)["inputs"]


def texts(p):
    rule(len(p) <= 50 and all(re.fullmatch(r"[a-z][a-z0-9_]{0,49}", k) for k in p), "property names", p)
    rule(all(isinstance(v, str) and len(v) <= 1024 for v in p.values()), "all values are strings", p)


def hubspot(r):
    rule(r.path == "/crm/v3/objects/analytics_aggregate/batch/upsert", r.path)
    rows = bearer(r)
    rule(0 < len(rows) <= 100, "inputs", len(rows))
    for e in rows:
        rule(set(e) == {"idProperty", "id", "properties"} and e["idProperty"] == "agg_key", "input", e)
        rule(e["properties"]["agg_key"] == e["id"], "key")
        texts(e["properties"])
    rule(len({e["id"] for e in rows}) == len(rows), "one key twice in a request")
    return [e["id"] for e in rows], [e["properties"] for e in rows]


def hubspot_events(r):
    rule(r.path == "/events/v3/send/batch", r.path)
    rows = bearer(r)
    rule(0 < len(rows) <= 500, "inputs", len(rows))
    for e in rows:
        rule(set(e) == {"eventName", "objectId", "occurredAt", "uuid", "properties"}, "members", e)
        rule(re.fullmatch(r"pe\d+_[a-z][a-z0-9_]*", e["eventName"]) and e["objectId"] == "777", "whose", e)
        rule(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", e["uuid"]), "uuid", e)
        rule(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", e["occurredAt"]), "time", e)
        texts(e["properties"])
        rule(e["properties"]["agg_key"].startswith(e["uuid"].replace("-", "")[:32]), "uuid and key differ")
    return [e["properties"]["agg_key"] for e in rows], [e["properties"] for e in rows]


def webhook(r):
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    name, stamp = r.headers["webhook-id"], r.headers["webhook-timestamp"]
    rule("." not in name + stamp and abs(int(stamp) - r.receiver.now()) <= 300, "timestamp", stamp, r.receiver.now())
    want = hmac.new(key, f"{name}.{stamp}.".encode() + r.body, hashlib.sha256).digest()
    rule(r.headers["webhook-signature"] == "v1," + base64.b64encode(want).decode(), "signature")
    rule(len(r.body) <= 20_000, "size", len(r.body))
    body = json.loads(r.body)
    rule({"type", "timestamp", "data"} <= set(body) and r.headers["Content-Type"] == "application/json", "members")
    rule(r.headers["ce-specversion"] == "1.0" and r.headers["ce-id"] == name and r.headers["ce-type"] == body["type"], "cloudevents")
    rule(r.headers["ce-source"].startswith("/winnow/"), "source")
    before = r.receiver.clients.setdefault(name, r.body)
    rule(before == r.body, "one id for two contents")
    return [d["id"] for d in body["data"]], body["data"]


def clickhouse(r):
    rule(r.path == "/" and r.query == {"query": ["INSERT INTO stats.winnow_rows FORMAT JSONEachRow"], "input_format_skip_unknown_fields": ["1"]},
         r.path, r.query)
    rule(r.headers["X-ClickHouse-User"] == "winnow" and r.headers["X-ClickHouse-Key"] == "clickhouse-s3cret", "user")
    rows = [json.loads(line) for line in r.body.decode().splitlines()]
    rule(rows and all({"id", "window_start", "label1", "label2", "site", "table", "people"} <= set(x) for x in rows), "columns")
    return [x["id"] for x in rows], rows


KINDS = {"mix": mixpanel, "google": ga4, "hub": hubspot, "events": hubspot_events, "hook": webhook, "click": clickhouse}


def poison_answer(name, receiver, ids, rows, bad):
    """How this vendor refuses some rows: (status, body, rows that are there all the same)."""
    good = [i for n, i in enumerate(ids) if n not in bad]
    if name == "mix":
        failed = [{"index": n, "insert_id": ids[n], "field": "properties", "message": "refused"} for n in bad]
        return 400, {"code": 400, "error": "some data points in the request failed validation", "failed_records": failed,
                     "num_records_imported": len(good), "status": "Bad Request"}, good
    if name == "hub":
        return 207, {"status": "COMPLETE", "results": [{"id": i} for i in good], "errors": [{"category": "VALIDATION_ERROR"}]}, good
    return 400, {"status": "error", "message": "refused"}, []


OKS = {"mix": (200, {"code": 200, "status": "OK"}), "google": (204, None), "hub": (200, {"status": "COMPLETE", "results": []}),
       "events": (204, None), "hook": (200, None), "click": (200, None)}


class Request:
    def __init__(self, receiver, handler):
        address = urllib.parse.urlsplit(handler.path)
        self.receiver, self.headers = receiver, handler.headers
        self.name, _, path = address.path[1:].partition("/")
        self.path, self.query = "/" + path, urllib.parse.parse_qs(address.query)
        self.target = handler.path
        self.body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))


class Receiver:
    """Listens on loopback for all vendors, each under its own first folder. `script[name]` is what happens, request by
    request: a word of `fates`, or something to call; then everything is taken."""

    def __init__(self, now):
        self.now, self.clients = now, {}
        self.script = {n: [] for n in KINDS}
        self.poison = None  # a label that spoils its row
        self.requests, self.broken = [], []  # every Request; what broke a rule
        self.taken = {n: [] for n in KINDS}  # ids, in order
        self.rows = {n: {} for n in KINDS}  # id: facts
        self.refused = {n: set() for n in KINDS}
        self.first = {}  # rows of the first request
        self.dropped = dict.fromkeys(KINDS, 0)
        self.lock, self.hold = threading.Lock(), threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_POST(self):
                if not receiver.drops(self):
                    receiver.answer(self, Request(receiver, self))

        # Bound and not listening: who comes now is refused by the system.
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
        self.server.daemon_threads = True
        self.server.server_bind()
        self.port = self.server.server_port
        self.listening = False

    def listen(self):
        self.server.server_activate()
        self.listening = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.hold.set()
        if self.listening:
            self.server.shutdown()
        self.server.server_close()

    def drops(self, h):
        """The line goes dead in the middle of the request's body: nothing of it is taken."""
        name = urllib.parse.urlsplit(h.path).path[1:].partition("/")[0]
        with self.lock:
            if self.script.get(name, [])[:1] != ["drop"]:
                return False
            self.script[name].pop(0)
            self.dropped[name] += 1
        h.rfile.read(int(h.headers["Content-Length"]) // 2)
        h.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        h.close_connection = True
        return True

    def take(self, r, ids, rows):
        self.taken[r.name] += ids
        for i, row in zip(ids, rows):
            before = self.rows[r.name].setdefault(i, row)
            if before != row:
                self.broken.append((r.name, "one id for two rows", before, row))

    def answer(self, h, r):
        with self.lock:
            self.requests.append(r)
            fate = self.script[r.name].pop(0) if self.script[r.name] else "take"
            try:
                ids, rows = KINDS[r.name](r)
                no_person(rows)
                if r.name != "click":
                    no_person(json.loads(r.body))
            except (Broken, KeyError, ValueError, TypeError) as e:
                self.broken.append((r.name, repr(e), r.target, r.body[:2000]))
                return self.say(h, 400, {"error": repr(e)})
            self.first.setdefault(r.name, len(ids))
            if fate == "wait":
                return self.say(h, 429, {"status": "error"}, {"Retry-After": "90"})
            if fate in ("400", "401", "429", "500", "413"):
                return self.say(h, int(fate), {"status": "error", "policyName": "TEN_SECONDLY_ROLLING"}, {"Retry-After": "3"} if fate == "429" else {})
            bad = {n for n, row in enumerate(rows) if self.poison in row.values()} if self.poison and r.name != "google" else set()
            status, body = OKS[r.name]
            if bad:
                status, body, good = poison_answer(r.name, self, ids, rows, bad)
                self.refused[r.name] |= {ids[n] for n in bad}
                self.take(r, good, [row for i, row in zip(ids, rows) if i in good])
            else:
                self.take(r, ids, rows)
        if callable(fate):
            fate()  # between the arrival and the answer
        if fate == "slow":
            self.hold.wait(10)  # the other side gives up first
            h.close_connection = True
        elif fate == "cut":
            h.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"code\":")
            h.wfile.flush()
            h.close_connection = True
        else:
            self.say(h, status, body)

    def say(self, h, status, body, headers=None):
        data = b"" if body is None else json.dumps(body).encode()
        try:
            h.send_response(status)
            for k, v in (headers or {}).items():
                h.send_header(k, v)
            if status != 204:
                h.send_header("Content-Length", str(len(data)))
            h.end_headers()
            h.wfile.write(data)
        except OSError:
            pass  # who was killed hears nothing
