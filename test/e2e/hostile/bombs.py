"""Ways to take more than a run's share. The second argument is a mark by which the test finds what is left of it.

Each holds what it took until it is ended; "memory" and "forks" leave their parents and sessions as daemons do.
"""
import os
import sys
import time

MB = 1 << 20
FOREVER = 600


def memory():
    """Many processes, each far below any limit, none a child of another for long."""
    for _ in range(60):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                held = bytearray(os.urandom(MB)) * 24
                time.sleep(FOREVER)
                sys.exit(len(held))
            os._exit(0)
        time.sleep(0.01)


def forks():
    """Every process forks as long as it can, and goes on when it cannot."""
    end = time.time() + FOREVER
    while time.time() < end:
        try:
            if os.fork() == 0:
                os.setsid()
        except OSError:
            time.sleep(0.05)


def deep():
    """Not a bomb: a tree that is hard to remove."""
    os.makedirs("/tmp/deep", exist_ok=True)
    os.chdir("/tmp/deep")
    for _ in range(2000):
        os.mkdir("x" * 20)
        os.chdir("x" * 20)
    with open("file", "w") as file:
        file.write("deep")
    for folder in ("/tmp/closed", "/tmp/deep"):
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, 0)
    os.symlink("/", "/tmp/link")
    os._exit(0)


globals()[sys.argv[1]]()
print("done", flush=True)
time.sleep(FOREVER)
