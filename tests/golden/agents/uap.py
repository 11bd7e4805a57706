#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How far Winnow's matcher of user agents agrees with uap-core.

uap-core's regexes are run by python3-ua-parser (both Debian packages), which shares
nothing with Winnow. Agents are uap-core's own test files and, with their weights,
npm's user-agents list. What the families of uap-core are to Winnow stands below.

  uap.py PROGRAM [--npm user-agents.json] [--show N] [--sample FILE]

PROGRAM is build/dev/tests/agent_print. Fails below 99 % on any list and attribute,
when an agent gets a listed family while uap-core names another listed one, and when
an agent of the npm list is refused as a robot. --sample writes the cases of
agents.txt: agents with uap-core's verdicts in Winnow's words.
"""
import argparse
import collections
import glob
import json
import os
import re
import subprocess
import sys

sys.path.append("/usr/lib/python3/dist-packages")
os.environ.setdefault("UA_PARSER_YAML", "/usr/share/uap-core/regexes.yaml")

HERE = os.path.dirname(os.path.abspath(__file__))
AT_LEAST = 0.99

# Families of uap-core -> labels of browsers.def. All others are Other.
BROWSERS = {
    "Chrome": ["Chrome", "Chrome Mobile", "Chrome Mobile iOS", "Chrome Mobile WebView"],
    "Safari": ["Safari", "Mobile Safari", "Mobile Safari UI/WKWebView"],
    "Firefox": ["Firefox", "Firefox Mobile", "Firefox iOS", "Firefox Beta", "Firefox Alpha"],
    "Edge": ["Edge", "Edge Mobile"],
    "Opera": ["Opera", "Opera Mobile"],
    "Opera Mini": ["Opera Mini"],
    "Samsung Internet": ["Samsung Internet"],
    "Internet Explorer": ["IE", "IE Mobile", "IE Large Screen"],
    "Yandex": ["Yandex Browser"],
    "UC Browser": ["UC Browser"],
    "DuckDuckGo": ["DuckDuckGo Mobile"],
    "Vivaldi": ["Vivaldi"],
    "Brave": ["Brave"],
    "Android Browser": ["Android"],
    "Amazon Silk": ["Amazon Silk"],
    "Chromium": ["Chromium"],
    "Mi Browser": ["MiuiBrowser"],
    "QQ Browser": ["QQ Browser", "QQ Browser Mobile", "QQ Browser Mini"],
    "Whale": ["Whale"],
    "Coc Coc": ["Coc Coc"],
    "Google app": ["Google"],
    "Facebook app": ["Facebook"],
    "Instagram app": ["Instagram"],
    "Snapchat app": ["Snapchat"],
    "Pinterest app": ["Pinterest"],
    "Twitter app": ["Twitter"],
    "LINE app": ["LINE"],
}
# Systems of uap-core -> labels of systems.def.
LINUXES = ["Linux", "Ubuntu", "Debian", "Fedora", "Gentoo", "Slackware", "SUSE", "openSUSE", "Red Hat", "CentOS",
           "Mandriva", "Linux Mint", "PCLinuxOS", "Puppy", "Kubuntu", "Lubuntu", "Arch Linux", "Mageia", "BackTrack"]
SYSTEMS = {
    "Windows": ["Windows"],
    "macOS": ["Mac OS X"],
    "iOS": ["iOS"],
    "Android": ["Android"],
    "ChromeOS": ["Chrome OS"],
    "Linux": LINUXES,
    "Windows Phone": ["Windows Phone"],
    "KaiOS": ["KaiOS"],
    "Tizen": ["Tizen"],
    "webOS": ["webOS", "Web0S"],
    "Symbian": ["Symbian OS", "Symbian^3", "Symbian^3 Anna", "Symbian^3 Belle"],
    "BlackBerry": ["BlackBerry OS", "BlackBerry Tablet OS"],
    "BSD": ["FreeBSD", "OpenBSD", "NetBSD", "BSD"],
}


def turned(rows):
    return {theirs: ours for ours, names in rows.items() for theirs in names}


BROWSER_OF, SYSTEM_OF = turned(BROWSERS), turned(SYSTEMS)


def browser_of(agent, parsed):
    family = parsed["user_agent"]["family"]
    # uap-core calls every app on Android "Android": only an engine makes it a browser.
    if family == "Android" and "applewebkit" not in agent.lower():
        return "Other"
    return BROWSER_OF.get(family, "Other")


# uap-core has no classes of device, but names systems, brands and models. A class is
# read off those; the agent itself is asked only where uap-core says nothing (whether
# an Android says "Mobile", and whether a program with no device is a browser).
TV_SYSTEMS = {"GoogleTV", "Chromecast", "ATV OS X", "tvOS", "WebTV", "Roku", "FireHbbTV", "Samsung", "LG", "Philips",
              "Panasonic", "Sony"}
TV_MODELS = re.compile(r"\bTV\b|SmartTV|HbbTV|AFT[A-Z]|Bravia|AppleTV|Chromecast|Roku|GoogleTV|NetCast|Viera|Blu-?ray", re.I)
CONSOLES = re.compile(r"PlayStation|Nintendo|Xbox|Wii|\bPSP\b|Watch", re.I)
TABLET_MODELS = re.compile(
    r"iPad|Kindle|PlayBook|TouchPad|Tablet|Nexus (7|9|10)\b|Xoom|Transformer|MediaPad|Galaxy ?Tab|\bTab\b|"
    r"^(GT-P\d|SM-[TPX]\d|SHW-M(180|380|480)|SCH-I(800|815|905)|SGH-I(957|987))|\bPad\b|\bPAD\b|LIFETAB|Slate|Iconia",
    re.I)
PHONE_SYSTEMS = {"Windows Phone", "Windows Mobile", "Windows CE", "Symbian OS", "Symbian^3", "Symbian^3 Anna",
                 "Symbian^3 Belle", "BlackBerry OS", "Nokia Series 40", "Nokia Series 30 Plus", "Bada", "KaiOS", "BREW",
                 "Brew MP", "Firefox OS", "MeeGo", "Maemo", "Sailfish"}
DESKTOPS = set(LINUXES) | {"Windows", "Mac OS X", "Mac OS", "Chrome OS", "FreeBSD", "OpenBSD", "NetBSD", "BSD", "Solaris"}


# Names that their makers give and uap-core does not know or reads in one form only. They
# count as disagreement, but a family named by its maker's own word is not a wrong one.
MAKERS = {
    "DuckDuckGo": r" Ddg/\d", "Opera": r" OP[TX]/\d", "Firefox": r" FxiOS/\d", "Brave": r"\bBrave\b",
    "Windows Phone": r"Windows Phone \d", "Android": r"\bAdr\b",
}


def really(mine, theirs, agent):
    """True when one listed family stands for another."""
    if "Other" in (mine, theirs) or mine == theirs:
        return False
    return not (mine in MAKERS and re.search(MAKERS[mine], agent))


def device_of(agent, parsed):
    system, device = parsed["os"]["family"], parsed["device"]
    said = "%s %s" % (device["family"], device["model"])
    if system in TV_SYSTEMS or TV_MODELS.search(said):
        return "tv"
    if CONSOLES.search(said) or system == "WatchOS":
        return "other"
    if TABLET_MODELS.search(said) or TABLET_MODELS.search(device["model"] or "") or system == "BlackBerry Tablet OS":
        return "tablet"
    if system == "iOS":
        return "mobile"
    if system == "Android":
        return "mobile" if re.search(r"\bMobile", agent) else "tablet"
    if system in PHONE_SYSTEMS:
        return "mobile"
    if device["family"] not in ("Other", "Mac", None):
        return "mobile"
    return "desktop" if system in DESKTOPS else "other"


def lists(npm):
    """Name -> {agent: weight}."""
    import yaml
    out = {}
    root = os.path.dirname(os.environ["UA_PARSER_YAML"])
    for path in sorted(glob.glob(root + "/test_resources/*.yaml") + glob.glob(root + "/tests/*.yaml")):
        with open(path) as f:
            cases = yaml.load(f, Loader=yaml.CSafeLoader)["test_cases"]
        out[os.path.basename(path)] = {c["user_agent_string"]: 1.0 for c in cases}
    if npm:
        with open(npm) as f:
            weights = collections.Counter()
            for row in json.load(f):
                weights[row["userAgent"]] += row["weight"]
        out["npm"] = dict(weights)
    return out


def ours(program, agents):
    """Agent -> (browser, system, device, robot, browser major, system major)."""
    shown = [a.replace("\n", " ") for a in agents]
    done = subprocess.run([program], input="\n".join(shown) + "\n", stdout=subprocess.PIPE, check=True, text=True)
    rows = [tuple(line.split("\t")) for line in done.stdout.splitlines()]
    assert len(rows) == len(agents), "agent_print answered %d of %d" % (len(rows), len(agents))
    return dict(zip(agents, rows))


def reference(agents):
    from ua_parser import user_agent_parser
    out = {}
    for agent in agents:
        parsed = user_agent_parser.Parse(agent)
        out[agent] = {"browser": browser_of(agent, parsed), "system": SYSTEM_OF.get(parsed["os"]["family"], "Other"),
                      "device": device_of(agent, parsed), "robot": parsed["device"]["family"] == "Spider",
                      "major": parsed["user_agent"]["major"], "raw": parsed}
    return out


ATTRIBUTES = ("browser", "system", "device")


def judge(name, weights, mine, theirs, show):
    """Prints one list's figures; returns what fails."""
    failures = []
    people = {a: w for a, w in weights.items() if a.strip() and mine[a][3] == "0" and not theirs[a]["robot"]}
    total = sum(people.values())
    listed = {a: w for a, w in people.items() if theirs[a]["browser"] != "Other"}
    figures, apart = [], {}
    for i, attribute in enumerate(ATTRIBUTES):
        apart[attribute] = {a: w for a, w in people.items() if mine[a][i] != theirs[a][attribute]}
        share = 1 - sum(apart[attribute].values()) / total if total else 1
        figures.append("%s %.2f %%" % (attribute, 100 * share))
        if attribute == "device":  # of listed families; the rest are old phones by the thousand
            missed = sum(w for a, w in apart[attribute].items() if a in listed)
            share = 1 - missed / sum(listed.values()) if listed else 1
            figures.append("(listed families %.2f %%)" % (100 * share))
        if share < AT_LEAST and name in JUDGED:
            failures.append("%s: %s below %d %%" % (name, attribute, 100 * AT_LEAST))
    wrong = [a for a in apart["browser"] if really(mine[a][0], theirs[a]["browser"], a)]
    wrong_systems = [a for a in apart["system"] if really(mine[a][1], theirs[a]["system"], a)]
    print("%-34s %6d people  %s  wrong browser %d, wrong system %d" %
          (name, len(people), "  ".join(figures), len(wrong), len(wrong_systems)))
    for kind, agents in (("browser", wrong), ("system", wrong_systems)):
        if agents:
            failures.append("%s: %d of a wrong %s family" % (name, len(agents), kind))
    for attribute in ATTRIBUTES if show else ():
        i = ATTRIBUTES.index(attribute)
        kinds = collections.defaultdict(list)
        for a in apart[attribute]:
            if attribute == "device" and a not in listed:
                continue
            kinds[mine[a][i], theirs[a][attribute]].append(a)
        for (have, want), agents in sorted(kinds.items(), key=lambda k: -len(k[1])):
            print("  %s: Winnow %s, uap-core %s: %d" % (attribute, have, want, len(agents)))
            for a in agents[:show]:
                print("      " + a)
    return failures


def robots(weights_by_list, mine, theirs, show):
    """Recall on what uap-core calls a spider; refusals of people on the npm list."""
    known = {a for weights in weights_by_list.values() for a in weights}
    spiders = [a for a in known if theirs[a]["robot"]]
    found = [a for a in spiders if mine[a][3] == "1"]
    refused = [a for a in known if mine[a][3] == "1" and not theirs[a]["robot"]]
    people = [a for a in weights_by_list.get("npm", {}) if mine[a][3] == "1"]
    print("robots: %d of uap-core's %d spiders refused (%.2f %%); %d it does not call one; %d of the npm list" %
          (len(found), len(spiders), 100 * len(found) / max(1, len(spiders)), len(refused), len(people)))
    if show:
        for title, agents in (("missed", set(spiders) - set(found)), ("refused", refused)):
            for a in sorted(agents):
                print("      %s: %s" % (title, a))
    return ["%d people of the npm list are refused" % len(people)] if people else []


JUDGED = {"all of uap-core", "npm"}


def main():
    options = argparse.ArgumentParser()
    options.add_argument("program")
    options.add_argument("--npm")
    options.add_argument("--show", type=int, default=0)
    options.add_argument("--sample")
    o = options.parse_args()
    by_list = lists(o.npm)
    by_list["all of uap-core"] = {a: 1.0 for name, w in by_list.items() if name != "npm" for a in w}
    agents = sorted({a for weights in by_list.values() for a in weights})
    theirs, mine = reference(agents), ours(o.program, agents)
    failures = []
    for name, weights in by_list.items():
        failures += judge(name, weights, mine, theirs, o.show if name in JUDGED else 0)
    failures += robots(by_list, mine, theirs, o.show)
    if o.sample:
        sample(o.sample, by_list, theirs)
    for failure in failures:
        print("FAIL " + failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
