# SPDX-License-Identifier: Apache-2.0
"""w.js in a real browser: pages, routes, an event, screens and languages come out; nothing stays in the browser
but, for who opts out, that they did."""
import http.server
import sys
import threading

from browser import can_run, drive
from winnow import Winnow, expect, person, wait_for

VISITORS = 31  # the last one sends Sec-GPC
BEACONS = 25  # of who opted out, and again after opting in

PAGE = """<!doctype html><title>Shop</title>
<script>
  window.winnow = function () { (winnow.q = winnow.q || []).push(arguments); };
  winnow('signup', {plan: 'pro'});
  addEventListener('pagehide', () => winnow('leave'));
</script>
<script defer src="COLLECTOR/w.js" data-site="shop"></script>
"""


def serve(collector):
    """The site's pages: the same one at every path, but for /empty. Gives its port."""

    class Pages(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            text = "" if self.path == "/empty" else PAGE.replace("COLLECTOR", collector)
            self.send_response(200 if self.path != "/favicon.ico" else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def browse(w, folder):
    collector = f"http://127.0.0.1:{w.http}"
    port = serve(collector)
    # localhost is the site's host; the same server under another name is somebody else.
    told = {"collector": collector, "page": f"http://localhost:{port}", "foreign": f"http://127.0.0.1:{port}",
            "beacons": BEACONS, "beside": f"http://localhost:{w.http}",  # the collector under the site's own name
            "visitors": [{"address": person(i), "locale": "fr-FR" if i < 10 else "de-DE", "width": 390 if i < 10 else 1920,
                          "gpc": i == VISITORS - 1} for i in range(VISITORS)]}
    return drive("test_browser.js", told, folder, 200)


def published(w):
    def rows(table, dim):
        return {r[dim]: r for r in w.report("shop", table)}

    pages, events = rows("pages", "route"), rows("events", "event")
    expect(set(pages) == {"/", "/pricing"}, "pages", pages)
    expect((pages["/"]["people"], pages["/"]["events"]) == (20, 60), "/", pages)          # 31 people, 62 views
    expect((pages["/pricing"]["people"], pages["/pricing"]["events"]) == (20, 20), "/pricing", pages)  # 31, 31
    for name in ("signup", "leave"):
        expect(name in events and (events[name]["people"], events[name]["events"]) == (20, 20), name, events)
    people = {t: {v: r["people"] for v, r in rows(t, d).items()}
              for t, d in (("screens", "screen"), ("languages", "language"), ("browsers", "browser"), ("sources", "source"))}
    expect(people["screens"] == {"under 576": 10, "1920 or more": 20}, "screens", people)
    expect(people["languages"] == {"fr": 10, "de": 20}, "languages", people)
    expect(people["browsers"] == {"Chrome": 30}, "browsers", people)
    expect(people["sources"] == {"mail": 20}, "sources", people)
    expect("token" not in str(pages) + str(events), "a query was published", pages, events)
    return w.report("shop", "traffic")[0]


if can_run("w.js was not tried in a browser"):
    with Winnow() as w:
        w.site("shop", "--zone", "UTC", "--host", "localhost")
        w.site("out", "--zone", "UTC", "--host", "localhost")  # for who opts out and in again: no part of shop's figures
        w.up()
        saw = browse(w, w.dir)
        expect(saw["beacons"] == 4 * VISITORS, "sent with sendBeacon", saw)
        wait_for("what pages send while they close", lambda: w.tick() and any(r["event"] == "leave" for r in w.report("shop", "events")))
        live = published(w)
        expect(live["people"] == 30, "live", live)
        w.seal("shop", "today", force=True)
        sealed = published(w)
        expect((sealed["people"], sealed["sessions"]) == (30, 30), "sealed", sealed)
        verified = w.cli("ledger", "verify")
        expect(verified.returncode == 0, verified.stdout)
        w.clock(400)  # counters about persons are brought up to date every five minutes
        decided = {k: v for k, v in w.metrics().items() if "consent_signals" in k and v}
        expect(decided.get('winnow_collector_consent_signals_total{by="opt_out"}') == 20, "beacons of who opted out", decided)
        print(f"ok: {VISITORS} visitors, {saw['requests']} requests, {saw['beacons']} beacons, nothing kept in a browser")
sys.exit(0)
