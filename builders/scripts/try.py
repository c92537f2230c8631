"""Runs inside the clean container: imports modules, each in a process of its own, and says what became of each.

    try.py MODULES.json ANSWER.json

One name in, one object out: {"module", "outcome": "ok" | "signal" | "timeout" | "error", and for errors
"type", "name", "message"}. What the outcome means is decided by the server.
"""
import importlib
import json
import os
import select
import signal
import sys
import time
import traceback

SECONDS = 120


def main(names, answer):
    with open(names, encoding="utf-8") as file:
        modules = json.load(file)
    results = []
    for module in modules:
        result = {"module": module, **attempt(module)}
        results.append(result)
        print(f"import {module}: {result['outcome']}", flush=True)
    with open(answer, "w", encoding="utf-8") as file:
        json.dump(results, file)


def attempt(module):
    reading, writing = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.close(reading)
        # A group of its own: what the module starts ends with it.
        os.setpgid(0, 0)
        os.write(writing, json.dumps(load(module)).encode() + b"\n")
        os._exit(0)
    os.close(writing)
    told, late = listen(reading)
    os.close(reading)
    if late or told.endswith(b"\n"):
        end_group(child)
    _, status = os.waitpid(child, 0)
    end_group(child)
    if told.endswith(b"\n"):
        return json.loads(told)
    if late:
        return {"outcome": "timeout"}
    if os.WIFSIGNALED(status):
        return {"outcome": "signal", "message": signal.Signals(os.WTERMSIG(status)).name}
    return {"outcome": "error", "type": "SystemExit", "name": None, "message": f"ended the process with {os.waitstatus_to_exitcode(status)}"}


def listen(reading):
    told, end = b"", time.monotonic() + SECONDS
    while True:
        ready, _, _ = select.select([reading], [], [], max(0, end - time.monotonic()))
        if not ready:
            return told, True
        chunk = os.read(reading, 65536)
        told += chunk
        if not chunk or chunk.endswith(b"\n"):
            return told, False


def end_group(leader):
    for end in (os.killpg, os.kill):
        try:
            end(leader, signal.SIGKILL)
        except OSError:
            pass


def load(module):
    try:
        importlib.import_module(module)
        return {"outcome": "ok"}
    except BaseException as error:
        traceback.print_exc()
        sys.stderr.flush()
        name = getattr(error, "name", None)
        return {
            "outcome": "error",
            "type": kind(error),
            "name": name if isinstance(name, str) else None,
            "message": str(error)[:2000],
        }


def kind(error):
    for known in (ModuleNotFoundError, ImportError, OSError):
        if isinstance(error, known):
            return known.__name__
    return type(error).__name__


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
