"""Starts the program that makes a box, without what it must not inherit, and with fewer system calls for all that comes after it.

    launch.py SERVER PROGRAM [ARGUMENT ...]     by python -I -S; SERVER is the process id of who starts this, and with whom it ends

Any step that fails refuses the box: one line on standard error, exit code 125. Nothing is left out silently.
"""
import errno
import os
import signal
import struct
import sys

PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 22, 38
KEYCTL_JOIN_SESSION_KEYRING = 1
SECCOMP_MODE_FILTER = 2

# linux/filter.h: load a word at k; jump if A equals k, or is no less; return k. Offsets of struct seccomp_data.
LOAD, EQUAL, NOT_LESS, RETURN = 0x20, 0x15, 0x35, 0x06
NUMBER, ARCH, ARGUMENT = 0, 4, 16
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000

# linux/audit.h, and which column of the tables below is this machine's.
MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}

# What makes a box needs none of these, and what runs in one gets at other processes, other namespaces, keys, or parts of the kernel
# where most of its holes were. Numbers of x86_64 and aarch64.
REFUSED = {
    # Keys, which no namespace holds.
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    # Other processes' memory, files and resources.
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "process_madvise": (440, 440),
    "pidfd_getfd": (438, 438), "kcmp": (312, 272), "migrate_pages": (256, 238), "move_pages": (279, 239),
    # Other namespaces; files by a handle, beside every mount.
    "setns": (308, 268), "open_by_handle_at": (304, 265), "fanotify_init": (300, 262),
    # Memory that is in no process.
    "shmget": (29, 194), "shmctl": (31, 195), "shmat": (30, 196), "shmdt": (67, 197),
    "semget": (64, 190), "semctl": (66, 191), "semop": (65, 193), "semtimedop": (220, 192),
    "msgget": (68, 186), "msgctl": (71, 187), "msgsnd": (69, 189), "msgrcv": (70, 188),
    # Programs and probes in the kernel.
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "kexec_load": (246, 104), "kexec_file_load": (320, 294), "lookup_dcookie": (212, 18),
    # The machine itself.
    "acct": (163, 89), "syslog": (103, 116), "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225), "quotactl": (179, 60),
    "quotactl_fd": (443, 443), "settimeofday": (164, 170), "clock_settime": (227, 112), "clock_adjtime": (305, 266), "vhangup": (153, 58),
    "nfsservctl": (180, 42), "get_mempolicy": (239, 236), "set_mempolicy": (238, 237), "set_mempolicy_home_node": (450, 450), "mbind": (237, 235),
    "ioperm": (173, None), "iopl": (172, None), "modify_ldt": (154, None), "sysfs": (139, None), "_sysctl": (156, None), "uselib": (134, None),
    "ustat": (136, None), "create_module": (174, None), "get_kernel_syms": (177, None), "query_module": (178, None),
}

# Programs have a way without these, and take it where the kernel has none such.
ABSENT = {"memfd_create": (319, 279), "memfd_secret": (447, 447), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427)}

# The first that this list knows nothing of (listns is 470, file_setattr 469, open_tree_attr 467). x32's all lie beyond it.
UNKNOWN = 471

SOCKET, SOCKETPAIR, IOCTL, PERSONALITY = (41, 198), (53, 199), (16, 29), (135, 92)
# AF_UNIX, AF_INET, AF_INET6, AF_NETLINK: vsock reaches the host of a virtual machine.
FAMILIES = (1, 2, 10, 16)
# Those of Linux, of 32 bits, and with an old version's name; and the question which one it is.
PERSONALITIES = (0, 8, 0x20000, 0x20008, 0xFFFFFFFF)
# TIOCSTI and TIOCLINUX type into a terminal.
TYPING = (0x5412, 0x541C)


class Refused(Exception):
    pass


def main(server, *command):
    try:
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
    except (ImportError, OSError) as error:
        raise Refused(f"{sys.executable} has no ctypes ({error}): install a CPython with it, or name one by --python")

    def call(what, function, *arguments, without=()):
        if function(*arguments) == -1 and ctypes.get_errno() not in without:
            raise Refused(f"{what} failed: {os.strerror(ctypes.get_errno())}")

    def control(what, *arguments):
        call(what, libc.prctl, *(ctypes.c_ulong(argument) for argument in (*arguments, 0, 0, 0, 0)[:5]))

    _, column = machine()
    control("ending with the server", PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(server):
        raise Refused("the server has ended")
    close_inherited()
    # A kernel may have no keys, and a container none for us: both are as good, and the filter refuses them in any case.
    call("a session keyring of its own", libc.syscall, ctypes.c_long(REFUSED["keyctl"][column]), ctypes.c_long(KEYCTL_JOIN_SESSION_KEYRING), ctypes.c_void_p(None), without=(errno.ENOSYS, errno.EPERM))
    control("no_new_privs", PR_SET_NO_NEW_PRIVS, 1)
    program = system_calls()
    held = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: the count, and where the instructions are.
    header = ctypes.create_string_buffer(struct.pack("HP", len(program) // 8, ctypes.addressof(held)))
    control("a filter of system calls", PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(header))
    try:
        os.execvp(command[0], command)
    except OSError as error:
        raise Refused(f"{command[0]}: {error.strerror}")


def close_inherited():
    """All but the standard three: whoever started the server may have left anything open in it, and a box's mounts do not hold files that are open."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2:
            try:
                os.close(int(name))
            except OSError:
                # The one that the list was read by.
                pass
    left = [name for name in os.listdir("/proc/self/fd") if int(name) > 2 and os.path.lexists(f"/proc/self/fd/{name}")]
    if left:
        raise Refused(f"open files cannot be closed: {' '.join(left)}")


def machine():
    try:
        return MACHINES[os.uname().machine]
    except KeyError:
        raise Refused(f"no filter of system calls is known for {os.uname().machine}")


def system_calls():
    """The filter, as instructions of 8 bytes each. A jump that is not taken goes on with the next one."""
    arch, column = machine()
    steps = [(LOAD, 0, 0, ARCH), (EQUAL, 1, 0, arch), (RETURN, 0, 0, KILL), (LOAD, 0, 0, NUMBER), (NOT_LESS, 0, 1, UNKNOWN), (RETURN, 0, 0, ERRNO | errno.ENOSYS)]
    for table, code in ((REFUSED, errno.EPERM), (ABSENT, errno.ENOSYS)):
        for number in table.values():
            if number[column] is not None:
                steps += [(EQUAL, 0, 1, number[column]), (RETURN, 0, 0, ERRNO | code)]
    for number in (SOCKET, SOCKETPAIR):
        steps += only(number[column], 0, FAMILIES, ALLOW, ERRNO | errno.EAFNOSUPPORT)
    steps += only(PERSONALITY[column], 0, PERSONALITIES, ALLOW, ERRNO | errno.EPERM)
    steps += only(IOCTL[column], 1, TYPING, ERRNO | errno.EPERM, ALLOW)
    steps += [(RETURN, 0, 0, ALLOW)]
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def only(number, argument, values, then, otherwise):
    """For one system call: `then` where the low word of an argument, all that the kernel looks at, is among the values."""
    tests = [step for value in values for step in ((EQUAL, 0, 1, value), (RETURN, 0, 0, then))]
    return [(EQUAL, 0, len(tests) + 2, number), (LOAD, 0, 0, ARGUMENT + 8 * argument), *tests, (RETURN, 0, 0, otherwise)]


try:
    main(*sys.argv[1:])
except Refused as error:
    print(f"muslin-launch: {error}", file=sys.stderr)
    sys.exit(125)
