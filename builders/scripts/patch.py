"""Runs inside the build container, in the source folder: applies a unified diff, whole or not at all.

    patch.py FILE

As `patch -p1` without fuzz: each hunk must fit exactly, at its line or the nearest one. Images need not hold a `patch`.
"""
import os
import re
import sys

HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@")


def main(path):
    with open(path, "rb") as file:
        lines = lines_of(file.read())
    changed = {}
    for old, new, hunks in parse(lines):
        before = b"" if old is None else changed[old] if old in changed else read(old)
        if before is None:
            stop(f"{old} is missing")
        after = apply(lines_of(before), hunks, old or new)
        if old is not None and old != new:
            changed[old] = None
        if new is not None:
            changed[new] = b"".join(after)
    if not changed:
        stop("it changes no file")
    for name, content in changed.items():
        write(name, content)


def parse(lines):
    """(old name, new name, hunks) of each file; a hunk is (line, what goes, what comes)."""
    at = 0
    while at < len(lines):
        if not (lines[at].startswith(b"--- ") and at + 1 < len(lines) and lines[at + 1].startswith(b"+++ ")):
            at += 1
            continue
        old, new = name_of(lines[at]), name_of(lines[at + 1])
        at += 2
        hunks = []
        while at < len(lines) and (header := HUNK.match(lines[at])):
            hunk, at = read_hunk(lines, at + 1, int(header[2] or 1), int(header[3] or 1))
            hunks.append((int(header[1]), *hunk))
        yield old, new, hunks


def read_hunk(lines, at, old_count, new_count):
    old, new = [], []
    while len(old) < old_count or len(new) < new_count or (at < len(lines) and lines[at].startswith(b"\\")):
        if at >= len(lines):
            stop("its last hunk is cut off")
        mark, text = lines[at][:1], lines[at][1:]
        if mark == b"\\":
            # "No newline at end of file" is about the line before.
            for side in {b"-": [old], b"+": [new]}.get(lines[at - 1][:1], [old, new]):
                side[-1] = side[-1].rstrip(b"\n")
        elif mark in (b" ", b"\n", b"\r"):
            # Editors cut the blank of an empty line.
            line = text if mark == b" " else lines[at]
            old.append(line)
            new.append(line)
        elif mark in (b"-", b"+"):
            (old if mark == b"-" else new).append(text)
        else:
            stop(f"its line {at + 1} is none of a hunk")
        at += 1
    return (old, new), at


def name_of(line):
    name = line[4:].split(b"\t")[0].strip().decode()
    if name == "/dev/null":
        return None
    parts = name.split("/")[1:]
    if not parts or any(part in ("", ".", "..") for part in parts):
        stop(f"it names {name}, which is no file of the sdist below a first folder")
    return "/".join(parts)


def apply(lines, hunks, name):
    shift = 0
    for number, old, new in hunks:
        # What only adds names the line that it comes behind.
        expected = (number if not old else max(number - 1, 0)) + shift
        places = sorted(range(len(lines) - len(old) + 1), key=lambda place: abs(place - expected))
        place = next((place for place in places if lines[place:place + len(old)] == old), None)
        if place is None:
            stop(f"{name} does not hold what it changes at line {number}")
        lines[place:place + len(old)] = new
        shift += len(new) - len(old)
    return lines


def lines_of(content):
    # Not splitlines, which ends a line at a lone CR too.
    return re.findall(rb"[^\n]*\n|[^\n]+", content)


def read(name):
    try:
        with open(name, "rb") as file:
            return file.read()
    except OSError:
        stop(f"{name} is missing")


def write(name, content):
    if content is None:
        if os.path.exists(name):
            os.remove(name)
        return
    os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
    with open(name, "wb") as file:
        file.write(content)


def stop(why):
    sys.exit(f"patch.py: {why}")


if __name__ == "__main__":
    main(sys.argv[1])
