"""Compares pages as Muslin serves them with the upstream's. Reads one JSON object a line and answers each with the list of what is wrong.

Written from the standards alone (PEP 503, 592, 629, 658, 691, 700, 714, 740, 792, 833): nothing of it is shared with the server.
"""

import html.parser
import json
import re
import sys
import urllib.parse

PAGE = "http://muslin.example/simple/%s/"
SHA256 = re.compile(r"[0-9a-f]{64}", re.I)
TAGS = {"html", "head", "meta", "title", "body", "h1", "a", "br"}
ATTRIBUTES = {"href", "data-requires-python", "data-yanked", "data-core-metadata", "data-dist-info-metadata", "data-gpg-sig", "data-provenance"}


class Number(str):
    """A number as it was written: 1.0 is not 1, and 9007199254740993 is not 9007199254740992."""

    def __repr__(self):
        return "number " + str(self)


def load(text):
    # Of equal keys the last one counts, as in every client written in Python.
    return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=Number)


def differences(ours, theirs, where):
    """Where two JSON values differ; types count, the order of keys does not."""
    if type(ours) is not type(theirs):
        yield "%s: %r instead of %r" % (where, ours, theirs)
    elif isinstance(ours, dict):
        for key in ours.keys() | theirs.keys():
            if key not in ours:
                yield "%s lacks the key %r" % (where, key)
            elif key not in theirs:
                yield "%s has the key %r too many" % (where, key)
            else:
                yield from differences(ours[key], theirs[key], "%s.%s" % (where, key))
    elif isinstance(ours, list):
        if len(ours) != len(theirs):
            yield "%s has %d entries instead of %d" % (where, len(ours), len(theirs))
        for index, (mine, other) in enumerate(zip(ours, theirs)):
            yield from differences(mine, other, "%s[%d]" % (where, index))
    elif ours != theirs:
        yield "%s: %r instead of %r" % (where, ours, theirs)


def is_quarantined(page):
    status = page.get("project-status")
    return isinstance(status, dict) and status.get("status") == "quarantined"


def wrong_url(url, file, at, base, project):
    """What is wrong with the URL that we give to an upstream's file."""
    digest = file["hashes"].get("sha256")
    name = file["filename"]
    servable = digest is not None and SHA256.fullmatch(digest) and re.fullmatch(r"[^/\\\x00-\x1f]+", name) and name not in (".", "..") and not re.search("[\ud800-\udfff]", name)
    if servable:
        path = urllib.parse.urlsplit(urllib.parse.urljoin(PAGE % project, url)).path
        expected = ["", "files", digest.lower(), name]
        parts = [urllib.parse.unquote(part) for part in path.split("/")]
        return None if parts == expected and "://" not in url else "%s: %r is not where we serve it" % (at, url)
    try:
        joined = urllib.parse.urljoin(base, file["url"])
        same = key_of(joined) == key_of(url)
    except ValueError:
        same = url == file["url"]
    return None if same or url == file["url"] else "%s: %r instead of %r" % (at, url, joined)


def key_of(url):
    """A URL without the freedoms of spelling that every reader of URLs undoes."""
    parts = urllib.parse.urlsplit(re.sub(r"[\t\n\r]", "", url.strip("".join(map(chr, range(33))))))
    host = ".".join(label.encode("idna").decode() for label in parts.netloc.lower().split(".")) if not parts.netloc.isascii() else parts.netloc.lower()
    return (parts.scheme, host, urllib.parse.unquote(parts.path or "/"), urllib.parse.unquote(parts.query), urllib.parse.unquote(parts.fragment))


def compare_json(ours, theirs, base, project, told_metadata):
    if is_quarantined(theirs):
        theirs = {**theirs, "files": []}
    yield from differences({**ours, "files": None}, {**theirs, "files": None}, "page")
    if len(ours["files"]) != len(theirs["files"]):
        yield "files: %d instead of %d" % (len(ours["files"]), len(theirs["files"]))
    for index, (mine, other) in enumerate(zip(ours["files"], theirs["files"])):
        at = "files[%d]" % index
        problem = wrong_url(mine["url"], other, at, base, project)
        if problem:
            yield problem
        # Installers may be told that there is metadata where the upstream has none: it is read from the wheel.
        if told_metadata and other["filename"].endswith(".whl") and not other.get("core-metadata") and mine.get("core-metadata") is True:
            mine = {key: value for key, value in mine.items() if key != "core-metadata"}
            other = {key: value for key, value in other.items() if key != "core-metadata"}
        if kept_provenance(mine.get("provenance"), mine["url"], other.get("provenance"), base):
            mine, other = {**mine, "provenance": None}, {**other, "provenance": None}
        yield from differences({**mine, "url": None}, {**other, "url": None}, at)


def kept_provenance(url, file_url, theirs, base):
    """Whether a URL is where we keep the provenance that theirs leads to: beside the file."""
    if type(url) is not str or type(theirs) is not str or url != file_url + ".provenance":
        return False
    try:
        return urllib.parse.urlsplit(urllib.parse.urljoin(base, theirs)).scheme in ("http", "https")
    except ValueError:
        return False


class Parsed(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.metas, self.anchors, self.problems, self.inside = [], [], [], None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        if tag not in TAGS:
            self.problems.append("html has the tag %r" % tag)
        names = [name for name, _ in attrs]
        if len(set(names)) != len(names):
            self.problems.append("html repeats an attribute: %r" % names)
        if tag == "meta":
            self.metas.append(dict(attrs))
        elif tag == "a":
            if set(names) - ATTRIBUTES:
                self.problems.append("html has the attributes %r" % names)
            self.inside = [dict(attrs), ""]
        elif tag not in ("html", "head", "title", "body", "h1", "br") or attrs:
            self.problems.append("html has %r with %r" % (tag, attrs))

    def handle_data(self, data):
        if self.inside:
            self.inside[1] += data

    def handle_endtag(self, tag):
        if tag == "a":
            self.anchors.append(self.inside)
            self.inside = None

    def handle_comment(self, data):
        self.problems.append("html has a comment")


def shown(text):
    """Text as HTML can show it: it has no controls but tab and line ends, and no half of a surrogate pair."""
    return re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]", "\ufffd", text)


def runs_nowhere(url):
    scheme = re.match(r"([a-z][a-z0-9+.-]*):", re.sub(r"[\x00-\x20]", "", url), re.I)
    return scheme is None or scheme.group(1).lower() in ("http", "https")


def digests(value):
    return ["%s=%s" % (name, digest) for name, digest in value.items() if isinstance(digest, str) and re.fullmatch("[0-9a-f]+", digest, re.I) and re.fullmatch("[a-z0-9_]+", name)]


def expected_attributes(file):
    attributes = {}
    if isinstance(file.get("requires-python"), str) and not isinstance(file["requires-python"], Number):
        attributes["data-requires-python"] = shown(file["requires-python"])
    yanked = file.get("yanked")
    # What is no bool and no text is judged as JavaScript and Python agree to: zeros and nothing are not yanked.
    if yanked and not (isinstance(yanked, Number) and float(yanked) == 0) or isinstance(yanked, (dict, list)):
        attributes["data-yanked"] = shown(yanked) if type(yanked) is str else ""
    metadata = file.get("core-metadata")
    if metadata is None:
        metadata = file.get("dist-info-metadata")
    if metadata and not (isinstance(metadata, Number) and float(metadata) == 0) or isinstance(metadata, (dict, list)):
        known = digests(metadata) if isinstance(metadata, dict) else []
        attributes["data-core-metadata"] = attributes["data-dist-info-metadata"] = known or ["true"]
    if isinstance(file.get("gpg-sig"), bool):
        attributes["data-gpg-sig"] = "true" if file["gpg-sig"] else "false"
    if type(file.get("provenance")) is str:
        attributes["data-provenance"] = shown(file["provenance"])
    return attributes


def compare_html(parsed, ours):
    """Against the JSON, which was compared with the upstream's already."""
    yield from parsed.problems
    metas = [(meta.get("name"), meta.get("content")) for meta in parsed.metas if "name" in meta]
    told = str(ours["meta"]["api-version"])
    expected = [("pypi:repository-version", "1.%d" % min(int(told.split(".")[1]), 4))]
    status = ours.get("project-status")
    if isinstance(status, dict) and type(status.get("status")) is str:
        expected.append(("pypi:project-status", shown(status["status"])))
    if isinstance(status, dict) and type(status.get("reason")) is str and status["reason"]:
        expected.append(("pypi:project-status-reason", shown(status["reason"])))
    for name, values in (("tracks", ours["meta"].get("tracks")), ("alternate-locations", ours.get("alternate-locations"))):
        expected += [("pypi:" + name, shown(value)) for value in values or [] if isinstance(values, list) and type(value) is str]
    for pair in expected:
        if pair not in metas:
            yield "html lacks the meta %r among %r" % (pair, metas)
    if len(metas) > len(expected) and not (len(metas) == len(expected) + 1 and ("pypi:project-status", "active") in metas):
        yield "html has too many metas: %r instead of %r" % (metas, expected)
    files = [file for file in ours["files"] if runs_nowhere(file["url"])]
    if len(files) != len(parsed.anchors):
        yield "html lists %d files instead of %d" % (len(parsed.anchors), len(files))
    for file, (attributes, text) in zip(files, parsed.anchors):
        name = shown(file["filename"])
        if text != name:
            yield "html names %r instead of %r" % (text, name)
        href, _, fragment = attributes.pop("href").partition("#")
        if href != shown(file["url"].split("#")[0]):
            yield "html links %s to %r instead of %r" % (name, href, file["url"])
        known = digests(file["hashes"])
        best = [digest for digest in known if digest.startswith("sha256=") and SHA256.fullmatch(digest[7:])]
        usable = best or [digest for digest in known if not digest.startswith("sha256=")]
        if fragment not in (usable or [""]):
            yield "html gives %s the digest %r instead of one of %r" % (name, fragment, usable)
        wanted = expected_attributes(file)
        for key in wanted.keys() | attributes.keys():
            mine, other = attributes.get(key), wanted.get(key)
            if mine != other and not (isinstance(other, list) and mine in other):
                yield "html gives %s %s=%r instead of %r" % (name, key, mine, other)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def problems(task):
    theirs = load(read(task["theirs"]))
    ours = load(read(task["json"]).decode("utf-8"))
    yield from compare_json(ours, theirs, task["base"], task["project"], task["toldMetadata"])
    if "html" in task:
        yield from compare_html(Parsed(read(task["html"]).decode("utf-8")), ours)


def main():
    for line in sys.stdin:
        task = json.loads(line)
        try:
            found = list(problems(task))
        except Exception as error:
            found = ["%s: %s" % (type(error).__name__, error)]
        print(json.dumps({"count": len(found), "first": [repr(text)[:400] for text in found[:5]]}), flush=True)


main()
