"""A hostile setup.py. Each attempt prints one line, "ATTEMPT name: outcome"; HOSTILE_GATES lists the addresses to reach.

Run by itself (python3 setup.py boxless) it makes every attempt at once: the counter-proof. Its daemon and its children end
by themselves, its files bear a name that the test removes. With "alone" it makes the attempts of one step, and needs no setuptools. As the
module of a wheel it makes them when it is imported.
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


def files():
    """What lies on the machine: the server's data, its admin's token, the engine's socket; also where a mount tells of them."""
    paths = PLAN.get("files", [])
    read = []
    for path in paths:
        try:
            if path.endswith(".sock"):
                socket.socket(socket.AF_UNIX).connect(path)
            elif os.path.isdir(path):
                os.listdir(path)
            else:
                open(path, "rb").close()
            read.append(path)
        except OSError:
            pass
    with open("/proc/self/mountinfo") as file:
        mounts = file.read()
    seen = read + [path for path in paths if f" {path} " in mounts]
    say("reach the server's files", f"reached {len(seen)} of {len(paths)}" if seen else "refused")


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
    """Processes that leave their session and ignore SIGTERM, one forked twice: they must not outlive the build."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            null = os.open(os.devnull, os.O_RDWR)
            for stream in range(3):
                os.dup2(null, stream)
            os.execv(sys.executable, [sys.executable, "-c", f"import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); {MARK!r}; time.sleep(60)"])
        os._exit(0)
    os.wait()
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
        say("fork without end", f"stopped after {count} ({type(error).__name__})")
        sys.exit(1)


def outlive():
    daemon()
    say("outlive its deadline", "sleeps")
    time.sleep(PLAN["sleep"])
    say("outlive its deadline", "slept to its end")


try:
    import ctypes
except ImportError:
    # Not in every image; the attempts that need it are for engines without one.
    ctypes = None


def inherited():
    """Files that were open in whoever started the server: a folder outside stays reachable through one, whatever is mounted."""
    found = []
    for descriptor in PLAN["open"]:
        try:
            os.stat("etc/passwd", dir_fd=descriptor)
            found.append(descriptor)
        except OSError:
            pass
    say("go through an inherited file", f"reached {found}" if found else "refused")


def keys():
    """The session keyring is nobody's namespace: read what the server's user keeps in it, and leave something for the next build."""
    KEYCTL_SEARCH, KEYCTL_READ, SESSION = 10, 11, -3
    key = call("keyctl", KEYCTL_SEARCH, SESSION, b"user", b"login-of-the-server", 0)
    value = ctypes.create_string_buffer(100)
    size = call("keyctl", KEYCTL_READ, key, value, 100) if key >= 0 else -1
    say("read the session's keys", "got 1" if value.raw[:max(size, 0)] == PLAN["secret"].encode() else "refused")
    say("leave a key to other builds", "wrote 1 of 1" if call("add_key", b"user", b"left-by-a-build", b"x", 1, SESSION) >= 0 else "refused")


def trace():
    """In a box its first process, and the shell around the command; elsewhere that shell alone, since the first process is the machine's."""
    PTRACE_SEIZE = 0x4206
    ways = [os.getppid()] if step == "boxless" else [os.getppid(), 1]
    traced = [pid for pid in ways if call("ptrace", PTRACE_SEIZE, pid, 0, 0) == 0]
    say("trace a process", f"reached {traced}" if traced else "refused")
    for name in ("mem", "environ"):
        try:
            open(f"/proc/{ways[-1]}/{name}", "rb").close()
            say(f"look into the first process ({name})", "reached it")
        except OSError as error:
            say(f"look into the first process ({name})", f"refused ({type(error).__name__})")


def families():
    """Sockets that no network namespace holds, or that only the kernel's own tools need: AF_VSOCK, AF_ALG, AF_PACKET."""
    made = []
    for name, family, kind in (("vsock", 40, socket.SOCK_STREAM), ("alg", 38, socket.SOCK_SEQPACKET), ("packet", 17, socket.SOCK_RAW)):
        try:
            socket.socket(family, kind).close()
            made.append(name)
        except OSError:
            pass
    say("make a socket of another family", f"got {len(made)} ({' '.join(made)})" if made else "refused")


def nameless():
    IPC_PRIVATE, IPC_RMID = 0, 0
    segment = call("shmget", IPC_PRIVATE, 1 << 20, 0o1600)
    if segment >= 0:
        call("shmctl", segment, IPC_RMID, None)
    say("share memory by System V's way", "got 1" if segment >= 0 else "refused")
    say("take memory that is in no process", "got 1" if call("memfd_create", b"x", 0) >= 0 else "refused")


def call(name, *arguments):
    """A system call by its number, since the C library has no function for some."""
    numbers = {"keyctl": (250, 219), "add_key": (248, 217), "ptrace": (101, 117), "shmget": (29, 194), "shmctl": (31, 195), "memfd_create": (319, 279)}
    libc = ctypes.CDLL(None)
    libc.syscall.restype = ctypes.c_long
    number = numbers[name][os.uname().machine == "aarch64"]
    return libc.syscall(ctypes.c_long(number), *(ctypes.c_long(one) if isinstance(one, int) else one for one in arguments))


step = "import" if __name__ != "__main__" else "boxless" if "boxless" in sys.argv else "requirements" if "egg_info" in sys.argv else "metadata" if "dist_info" in sys.argv else "build"
kind = PLAN["kind"]
if kind in ("look", "all"):
    secrets()
    files()
    sockets(step)
    writes()
    root()
    daemon()
if kind in ("kernel", "all") and "open" in PLAN:
    inherited()
    keys()
    trace()
    families()
    nameless()
if kind in ("forks", "all") and step in ("build", "boxless"):
    forks()
if kind in ("deadline", "all") and step in ("build", "boxless"):
    outlive()
if step not in ("boxless", "import") and "alone" not in sys.argv:
    from setuptools import Extension, setup

    setup(name=PLAN["project"], version=PLAN.get("version", "1.0"), ext_modules=[Extension(PLAN["module"], [PLAN["module"] + ".c"])], **PLAN.get("more", {}))
