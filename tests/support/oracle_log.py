# SPDX-License-Identifier: Apache-2.0
"""Lines of an access log, and which of them count at all."""
import datetime
import ipaddress
import pathlib
import re

SCHEMAS = pathlib.Path(__file__).resolve().parent.parent.parent / "schemas"

LINE = re.compile(
    r"(\S+) \S+ (\S.*?) \[(\d\d)/(\w{3})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)\] "
    r'"((?:[^"\\]|\\.)*)" (\d{3}) (\d+|-) "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"(?: .*)?'
)
REQUEST = re.compile(r"([A-Z_-]{1,15}) (.+?)(?: HTTP/[^ ]*)?", re.DOTALL)
MONTHS = {m: i + 1 for i, m in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split())}
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v"}


def unescape(text):
    return re.sub(
        r"\\(?:x([0-9a-fA-F]{2})|(.))",
        lambda m: chr(int(m[1], 16)) if m[1] else ESCAPES.get(m[2], m[2]),
        text,
    )


class Line:
    __slots__ = ("address", "time_s", "method", "target", "status", "referrer", "agent")


def parse_line(text):
    """A Line, or None when it is malformed."""
    m = LINE.fullmatch(text)
    if not m or m[4] not in MONTHS:
        return None
    request = REQUEST.fullmatch(unescape(m[12]))
    if not request:
        return None
    line = Line()
    try:
        line.address = ipaddress.ip_address(m[1])
        zone = datetime.timezone(
            (1 if m[9] == "+" else -1) * datetime.timedelta(hours=int(m[10]), minutes=int(m[11]))
        )
        when = datetime.datetime(
            int(m[5]), MONTHS[m[4]], int(m[3]), int(m[6]), int(m[7]), min(int(m[8]), 59), tzinfo=zone
        )
    except ValueError:
        return None
    if getattr(line.address, "ipv4_mapped", None):
        line.address = line.address.ipv4_mapped
    line.time_s = int(when.timestamp())
    line.method, line.target = request[1], request[2]
    line.status = int(m[13])
    line.referrer, line.agent = ("" if t == "-" else unescape(t) for t in (m[15], m[16]))
    return line


def extensions(name, word):
    return set(re.findall(rf'^{word}\("([^"]+)"\)', (SCHEMAS / name).read_text(), re.M))


def extension_of(target):
    last = re.split(r"[?#;]", target)[0].rsplit("/", 1)[-1]
    return last.rsplit(".", 1)[1].lower() if "." in last else ""


def judge(line, assets, downloads):
    """Reason of refusal by the line's own words, else the event's name."""
    if line.method != "GET":
        return "method", None
    if not (200 <= line.status <= 299 or line.status == 304):
        return "status", None
    extension = extension_of(line.target)
    if extension in downloads:
        return None, "download"
    return ("asset", None) if extension in assets else (None, "pageview")
