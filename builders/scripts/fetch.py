"""Runs inside the fetch container: pip that cannot start another program, nor connect to anything but its index.

    fetch.py INDEX ARGUMENTS OF PIP

`--only-binary` does not reach requirements that name a URL, as a wheel's own METADATA may: pip would connect to whatever it
says, and run the code of an sdist there. Every way to run it starts a process, so none is started. On failure the index's own
errors are printed, which pip keeps to itself.
"""
import glob
import os
import re
import runpy
import sys
from urllib.parse import urlsplit

STARTS = ("subprocess.Popen", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "pty.spawn")
HERE = os.path.dirname(os.path.abspath(__file__))
LOG = os.path.join(HERE, "pip.log")


def refuse(event, arguments, index):
    if event == "socket.getaddrinfo" and arguments[:2] != index:
        # No OSError: pip would take it for a network that fails.
        raise RuntimeError(f"nothing but the index is asked while requirements are fetched ({arguments[0]})")
    if event in STARTS and not (event == "subprocess.Popen" and is_loader(*arguments[1:2])):
        # An OSError: what pip asks of other programs merely for its User-Agent goes on without them.
        raise PermissionError(f"nothing is run while requirements are fetched ({event})")


def is_loader(command):
    # pip's one way to learn the version of musl: its loader, called without arguments, says so (PEP 656).
    return isinstance(command, list) and len(command) == 1 and bool(re.fullmatch(r"/lib/ld-musl-\w+\.so\.1", str(command[0])))


def main(index, *arguments):
    url = urlsplit(index)
    place = (url.hostname, url.port or {"http": 80, "https": 443}[url.scheme])
    sys.addaudithook(lambda event, arguments: refuse(event, arguments, place))
    # A newer pip than the image's, where one was put beside this: pip can be run from its wheel.
    sys.path[:0] = glob.glob(os.path.join(HERE, "pip", "pip-*.whl"))
    sys.argv[:] = ["pip", *arguments, "--index-url", index, "--trusted-host", url.hostname, "--log", LOG]
    try:
        runpy.run_module("pip", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code:
            tell_index_errors()
        raise


def tell_index_errors():
    # A page that is absent is an answer, not an error.
    with open(LOG, encoding="utf-8", errors="replace") as file:
        for line in file:
            found = re.search(r"Could not fetch URL .*", line)
            if found and "404 Client Error" not in line:
                print(f"fetch: {found[0]}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
