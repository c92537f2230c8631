"""Ways to take memory and disk that no process and no folder shows, and to keep whoever looks busy. The second argument is a mark by which
the test finds what is left of it; each holds what it took until it is ended, or says what it was refused.
"""
import ctypes
import mmap
import os
import socket
import sys
import time

MB = 1 << 20
FOREVER = 600
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p


def touched(part, forget):
    """Memory that processes may share. Forgotten, it is in no process's figures, and still there."""
    memory = mmap.mmap(-1, part * MB)
    start = ctypes.c_void_p(ctypes.addressof(ctypes.c_char.from_buffer(memory)))
    ctypes.memset(start, 1, part * MB)
    if forget:
        MADV_DONTNEED = 4
        libc.madvise(start, ctypes.c_size_t(part * MB), MADV_DONTNEED)
    return memory


def shared_memory():
    return [touched(50, forget=False) for _ in range(40)]


def forgotten_memory():
    return [touched(50, forget=True) for _ in range(40)]


def memfd():
    for part in range(40):
        file = os.memfd_create(f"part{part}")
        for _ in range(24):
            os.write(file, bytes(MB))


def socket_buffers():
    """The kernel's own memory: what was sent and is not received."""
    for _ in range(60):
        if os.fork() > 0:
            time.sleep(0.02)
            continue
        pairs = []
        try:
            while True:
                pairs.append(socket.socketpair())
                pairs[-1][0].setblocking(False)
                try:
                    while True:
                        pairs[-1][0].send(bytes(100_000))
                except BlockingIOError:
                    pass
        except OSError:
            time.sleep(FOREVER)


def closed_folder():
    """Many small files in a folder that nobody else may look into."""
    os.mkdir("/tmp/closed")
    for part in range(4000):
        os.chmod("/tmp/closed", 0o700)
        with open(f"/tmp/closed/part{part}", "wb") as file:
            os.chmod("/tmp/closed", 0)
            file.write(bytes(MB // 4))


def nameless(size):
    file = os.open("/tmp/file", os.O_CREAT | os.O_RDWR)
    os.unlink("/tmp/file")
    os.posix_fallocate(file, 0, size)
    return file


def deleted():
    for _ in range(40):
        nameless(24 * MB)
        time.sleep(0.02)


def deleted_hidden():
    """The same, of a process that does not let others look into it."""
    PR_SET_DUMPABLE = 4
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    deleted()


def mapped():
    """Deleted, closed, and still there: mapped."""
    for _ in range(40):
        file = nameless(24 * MB)
        libc.mmap(None, ctypes.c_size_t(24 * MB), mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED, file, ctypes.c_long(0))
        os.close(file)
        time.sleep(0.02)


def in_flight():
    """Deleted, closed, and still there: sent to a socket that nobody receives from."""
    pairs = []
    for _ in range(40):
        file = nameless(24 * MB)
        pairs.append(socket.socketpair())
        socket.send_fds(pairs[-1][0], [b"x"], [file])
        os.close(file)
    return pairs


def burst():
    """Gigabytes in milliseconds."""
    for part in range(64):
        file = os.open(f"/tmp/part{part}", os.O_CREAT | os.O_WRONLY)
        os.posix_fallocate(file, 0, 64 * MB)
        os.close(file)


def inodes():
    """Nothing but names."""
    for folder in range(200):
        os.mkdir(f"/tmp/{folder}")
        for name in range(1000):
            os.close(os.open(f"/tmp/{folder}/{name}", os.O_CREAT | os.O_WRONLY))


def descriptors():
    """A quarter of a million open files."""
    file = os.open("/tmp/file", os.O_CREAT | os.O_RDWR)
    os.unlink("/tmp/file")
    try:
        while True:
            os.dup(file)
    except OSError:
        pass
    for _ in range(240):
        if os.fork() == 0:
            time.sleep(FOREVER)
    time.sleep(5)
    print("stormed", flush=True)
    os._exit(0)


try:
    kept = globals()[sys.argv[1]]()
except OSError as refusal:
    print("refused:", refusal, flush=True)
    sys.exit(1)
print("took it all", flush=True)
time.sleep(FOREVER)
