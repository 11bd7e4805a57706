# SPDX-License-Identifier: Apache-2.0
"""The whole path: HTTP, pixel and ZeroMQ in; published rows out; small numbers nowhere."""
import os
import re
import signal

from winnow import AGENT, Winnow, expect, person, view, wait_for

with Winnow() as w:
    w.up("shop")
    for i in range(25):
        status, answer = w.post(
            [view("shop", "https://shop.example/"), view("shop", "https://shop.example/pricing?token=abc#frag")],
            {"X-Forwarded-For": person(i), "User-Agent": AGENT, "Accept-Language": "de-DE"})
        expect((status, answer.get("accepted")) == (200, 2), "post", status, answer)
    for i in range(9):  # under k: must stay unseen
        w.post(view("shop", "https://shop.example/secret-project"), {"X-Forwarded-For": person(i), "User-Agent": AGENT})
    for i in range(25, 30):
        status, headers, body = w.get("/p.gif?site=shop&u=https%3A%2F%2Fshop.example%2Fmail",
                                      {"X-Forwarded-For": person(i), "User-Agent": AGENT})
        expect(status == 200 and len(body) == 43, "pixel", status, len(body))
    w.send("shop", [view("shop", "https://shop.example/app", ip=person(i), user_agent=AGENT) for i in range(100, 160)])

    w.tick()
    traffic = w.report("shop", "traffic")
    expect(traffic and traffic[0]["people"] == 90, "live traffic", traffic)

    w.post(view("shop", "https://shop.example/"), {"X-Forwarded-For": person(7777), "User-Agent": AGENT})
    w.tick()
    expect(w.report("shop", "traffic") == traffic, "one more person moves nothing")

    w.seal("shop", "today", force=True)
    pages = {r["route"]: r for r in w.report("shop", "pages")}
    shown = {"/", "/pricing"} & set(pages)
    expect(len(shown) == 1 and all(pages[p]["people"] == 20 for p in shown), "pages", pages)
    expect(pages["/app"]["people"] == 60, "pages from the SDK", pages)
    # The 14 people of the two hidden rows are too few for an `other`: it takes in a smallest shown row.
    expect(pages["other"]["people"] == 20, "other", pages)
    expect("/secret-project" not in pages and "/mail" not in pages, "small rows are hidden", pages)
    expect("token" not in str(pages) and "frag" not in str(pages), "queries are gone", pages)
    languages = {r["language"]: r["people"] for r in w.report("shop", "languages")}
    expect(languages == {"de": 20}, "languages", languages)
    browsers = {r["browser"]: r["people"] for r in w.report("shop", "browsers")}
    expect(browsers == {"Firefox": 90}, "browsers", browsers)
    sessions = w.report("shop", "traffic")[0]["sessions"]
    expect(sessions == 90, "sessions", sessions)
    verified = w.cli("ledger", "verify")
    expect(verified.returncode == 0, verified.stdout, verified.stderr)
    late = w.post(view("shop", "https://shop.example/"), {"X-Forwarded-For": person(1), "User-Agent": AGENT})
    expect(late[0] == 200 and late[1]["accepted"] == 1, "a late person sees plain success", late)

# Settings that vanish take no site away; what was delivered is not sent again after a clean stop.
with Winnow() as w:
    w.up("shop", "blog")
    for i in range(60):
        w.post(view("shop" if i % 2 else "blog", "https://shop.example/"), {"X-Forwarded-For": person(i), "User-Agent": AGENT})
    sites = os.path.join(w.env["WINNOW_CONFIG_DIR"], "sites.yaml")
    os.rename(sites, sites + ".away")
    os.kill(w.pids()["collector"], signal.SIGHUP)
    wait_for("a word about it", lambda: "the old one stays" in w.log())
    expect(w.metrics()["winnow_sites"] == 2, "sites that are counted on")
    expect(w.post(view("shop", "https://shop.example/"), {"X-Forwarded-For": person(1), "User-Agent": AGENT})[1]["accepted"] == 1, "still counted")
    os.rename(sites + ".away", sites)
    wait_for("delivery", lambda: w.metrics()["winnow_spool_waiting"] == 0)
    expect(w.metrics()["winnow_sessions_open"] % 20 == 0, "visits stand in steps of 20")
    w.down()
    w.up()
    expect(not re.search(r"[1-9]\d* batches wait", w.log()), "delivered ones wait again", w.log()[-2000:])
print("ok")
