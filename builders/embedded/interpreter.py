"""Asked of every Python found on the machine, in isolated mode: one JSON object that says what it is.

    interpreter.py [--config]     with --config what it was built with, as its own sysconfig knows it
"""
import importlib
import importlib.util
import json
import os
import platform
import struct
import sys
import sysconfig


def main(arguments):
    answer = describe()
    if arguments == ["--config"]:
        answer = importlib.import_module(sysconfig._get_sysconfigdata_name()).build_time_vars
    json.dump(answer, sys.stdout)


def describe():
    executable = os.path.realpath(sys.executable)
    headers = [sysconfig.get_path("include"), sysconfig.get_path("platinclude"), os.path.dirname(sysconfig.get_config_h_filename())]
    multiarch = sysconfig.get_config_var("MULTIARCH")
    if multiarch:
        # Debian's pyconfig.h only leads to the one of its kind of machine, that lies beside.
        headers.append(os.path.join(os.path.dirname(headers[0]), multiarch, os.path.basename(headers[0])))
    return {
        "implementation": platform.python_implementation(),
        "version": platform.python_version(),
        "executable": executable,
        "prefixes": sorted({os.path.realpath(path) for path in (sys.base_prefix, sys.base_exec_prefix)}),
        # The one with Python.h is first.
        "include": list(dict.fromkeys(path for path in headers if os.path.isdir(path))),
        "headers": os.path.isfile(os.path.join(headers[0], "Python.h")) and os.path.isfile(sysconfig.get_config_h_filename()),
        "lacks": [name for name in ("venv", "zlib", "hashlib") if importlib.util.find_spec(name) is None],
        "libc": libc(executable),
        "bits": struct.calcsize("P") * 8,
        "special": [name for name in ("Py_GIL_DISABLED", "Py_DEBUG") if sysconfig.get_config_var(name)],
    }


def libc(executable):
    try:
        if os.confstr("CS_GNU_LIBC_VERSION"):
            return "glibc"
    except (ValueError, OSError):
        pass
    # PEP 656: a program of musl names its loader, near its beginning.
    with open(executable, "rb") as file:
        return "musl" if b"/lib/ld-musl-" in file.read(1 << 16) else None


if __name__ == "__main__":
    main(sys.argv[1:])
