"""Runs inside containers: crates of a Cargo.lock, fetched through Muslin and laid out for cargo.

    crates.py fetch BASE    in the fetch container: downloads every crate of crates.json into crates/, checked against its checksum
    crates.py place         in the build container: unpacks them into vendor/, where cargo finds them by cargo/config.toml

Reads crates.json beside itself: a list of [name, version, sha256]. Nothing of an sdist is there when it fetches, and nothing is started;
it connects to BASE's host and port alone. On failure it prints one line `crates: KIND NAME VERSION: WHY` for the first crate at fault.
"""
import hashlib
import json
import os
import sys
import tarfile
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, ProxyHandler, Request, build_opener

HERE = os.path.dirname(os.path.abspath(__file__))
CRATES = os.path.join(HERE, "crates")
VENDOR = os.path.join(HERE, "vendor")
STARTS = ("subprocess.Popen", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "pty.spawn")
AT_ONCE = 4
LARGEST = 256 << 20
CONFIG = """[source.crates-io]
replace-with = "muslin"

[source.muslin]
directory = {vendor}
"""


class Refused(Exception):
    pass


def main(command, base=None):
    with open(os.path.join(HERE, "crates.json"), encoding="utf-8") as file:
        crates = json.load(file)
    try:
        if command == "fetch":
            fetch(base, crates)
        else:
            place(crates)
    except Refused as refusal:
        sys.exit(f"crates: {refusal}")


def fetch(base, crates):
    url = urlsplit(base)
    allowed = (url.hostname, url.port or {"http": 80, "https": 443}[url.scheme])
    sys.addaudithook(lambda event, arguments: guard(event, arguments, allowed))
    opener = build_opener(ProxyHandler({}), NoRedirects, *tls(url.scheme))
    os.makedirs(CRATES, exist_ok=True)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for done in [threads.submit(download, opener, base, *crate) for crate in crates]:
            done.result()
    print(f"crates: {len(crates)} are here and are what Cargo.lock says")


def guard(event, arguments, allowed):
    if event == "socket.getaddrinfo" and arguments[:2] != allowed:
        raise RuntimeError(f"nothing but Muslin is asked while crates are fetched ({arguments[0]})")
    if event in STARTS:
        raise RuntimeError(f"nothing is run while crates are fetched ({event})")


class NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None


def tls(scheme):
    # What comes is checked against the lock, whoever sends it: a server's own certificate will do.
    if scheme != "https":
        return []
    import ssl
    return [HTTPSHandler(context=ssl._create_unverified_context())]


def download(opener, base, name, version, checksum):
    digest = hashlib.sha256()
    size = 0
    path = os.path.join(CRATES, f"{name}-{version}.crate")
    request = Request(f"{base}crates/dl/{quote(name)}/{quote(version)}/download", headers={"Accept": "application/json"})
    try:
        with opener.open(request, timeout=120) as answer, open(path, "wb") as file:
            while chunk := answer.read(1 << 16):
                size += len(chunk)
                if size > LARGEST:
                    raise Refused(f"checksum {name} {version}: it is larger than {LARGEST} bytes")
                digest.update(chunk)
                file.write(chunk)
            # A connection that was cut ends without an error.
            told = answer.headers["Content-Length"]
            if told is not None and size < int(told):
                raise Refused(f"unreachable {name} {version}: the connection was cut after {size} of {told} bytes")
    except HTTPError as error:
        code, why = problem(error)
        raise Refused(f"{code} {name} {version}: {why}") from None
    except (OSError, HTTPException) as error:
        raise Refused(f"unreachable {name} {version}: {error}") from None
    if digest.hexdigest() != checksum:
        raise Refused(f"checksum {name} {version}: the registry has other bytes than Cargo.lock says")


def problem(error):
    # RFC 9457, as Muslin answers.
    try:
        told = json.loads(error.read(1 << 16))
        return str(told["code"]), str(told["detail"])
    except (ValueError, KeyError, TypeError, OSError):
        return "unreachable", f"HTTP status {error.code}"


def place(crates):
    for name, version, checksum in crates:
        folder = f"{name}-{version}"
        if not unpack(os.path.join(CRATES, f"{folder}.crate"), folder):
            raise Refused(f"checksum {name} {version}: it holds what no crate does")
        # Of what cargo would check file by file there is nothing to say: the crate was checked as a whole.
        with open(os.path.join(VENDOR, folder, ".cargo-checksum.json"), "w", encoding="utf-8") as file:
            json.dump({"files": {}, "package": checksum}, file)
    os.makedirs(os.path.join(HERE, "cargo"), exist_ok=True)
    os.makedirs(VENDOR, exist_ok=True)
    with open(os.path.join(HERE, "cargo", "config.toml"), "w", encoding="utf-8") as file:
        file.write(CONFIG.format(vendor=json.dumps(VENDOR)))


def unpack(path, folder):
    with tarfile.open(path, "r:gz") as archive:
        members = archive.getmembers()
        for member in members:
            if member.name.split("/")[0] != folder or ".." in member.name.split("/") or not (member.isfile() or member.isdir()):
                return False
        # Pythons before 3.11.4 and 3.10.12 know no filters.
        options = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        archive.extractall(VENDOR, members, **options)
        return True


if __name__ == "__main__":
    main(*sys.argv[1:])
