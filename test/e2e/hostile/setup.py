"""A hostile setup.py. Each attempt prints one line, "ATTEMPT name: outcome"; HOSTILE_GATES lists the addresses to reach.

Run by itself (python3 setup.py boxless) it makes every attempt at once: the counter-proof. Its daemon and its children end
by themselves, its files bear a name that the test removes. With "alone" it makes the attempts of one step, and needs no setuptools.
"""
import json
import os
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PLAN = json.load(open(os.path.join(HERE, "plan.json")))
MARK = PLAN["mark"]


def say(name, outcome):
    print(f"ATTEMPT {name}: {outcome}", flush=True)


def secrets():
    seen = [name for name, value in os.environ.items() if PLAN["secret"] in value]
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if PLAN["secret"].encode() in file.read():
                    seen.append(f"/proc/{pid}")
        except OSError:
            pass
    say("read the environment's secrets", f"got {len(seen)}" if seen else "nothing there")


def sockets(step):
    reached = []
    for host, port in PLAN["gates"]:
        try:
            socket.create_connection((host, port), timeout=2).close()
            reached.append(host)
        except OSError:
            pass
    say(f"open a socket in {step}", f"reached {len(reached)} of {len(PLAN['gates'])}" if len(reached) == len(PLAN["gates"]) else "refused" if not reached else f"reached {reached}")


def writes():
    done = []
    for folder in PLAN["outside"]:
        path = os.path.join(folder, MARK)
        try:
            with open(path, "w") as file:
                file.write("hostile")
            done.append(path)
        except OSError:
            pass
    say("write outside its folder", f"wrote {len(done)} of {len(PLAN['outside'])}" if done else "refused")


def root():
    try:
        os.setuid(0)
        os.setgid(0)
        open("/etc/shadow").close()
        say("become root", f"uid {os.getuid()}")
    except OSError as error:
        say("become root", f"refused ({type(error).__name__})")


def daemon():
    """A process that leaves its session and ignores SIGTERM: it must not outlive the build."""
    subprocess.Popen(
        [sys.executable, "-c", f"import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); {MARK!r}; time.sleep(60)"],
        start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    say("leave a daemon behind", "started")


def forks():
    count = 0
    try:
        while count < PLAN["forks"]:
            if os.fork() == 0:
                time.sleep(12)
                os._exit(0)
            count += 1
        say("fork without end", f"made all {count}")
    except OSError as error:
        say("fork without end", f"stopped at {'under the limit' if count < PLAN['forks'] else count} ({type(error).__name__})")
        sys.exit(1)


def outlive():
    daemon()
    say("outlive its deadline", "sleeps")
    time.sleep(PLAN["sleep"])
    say("outlive its deadline", "slept to its end")


step = "boxless" if "boxless" in sys.argv else "requirements" if "egg_info" in sys.argv else "metadata" if "dist_info" in sys.argv else "build"
kind = PLAN["kind"]
if kind in ("look", "all"):
    secrets()
    sockets(step)
    writes()
    root()
    daemon()
if kind in ("forks", "all") and step in ("build", "boxless"):
    forks()
if kind in ("deadline", "all") and step in ("build", "boxless"):
    outlive()
if step != "boxless" and "alone" not in sys.argv:
    from setuptools import Extension, setup

    setup(name=PLAN["project"], version=PLAN.get("version", "1.0"), ext_modules=[Extension(PLAN["module"], [PLAN["module"] + ".c"])])
