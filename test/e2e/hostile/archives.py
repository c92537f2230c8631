"""Sdists that nobody should unpack, written to standard output.

    archives.py zip | gzip | sparse FOLDER
"""
import os
import gzip
import subprocess
import sys
import tarfile
import tempfile

import wheels

HUGE = 10 << 30


def zip(folder):
    return wheels.zip_of_zeros(folder, 40)


def gzip_(folder):
    """A header that tells the truth, and ten gigabytes in forty members of gzip, packed once."""
    header = tarfile.TarInfo(f"{folder}/zeros")
    header.size = HUGE
    zeros = gzip.compress(bytes(HUGE // 40), mtime=0)
    return gzip.compress(header.tobuf(tarfile.GNU_FORMAT), mtime=0) + zeros * 40 + gzip.compress(bytes(1024), mtime=0)


def sparse(folder):
    with tempfile.TemporaryDirectory() as place:
        os.mkdir(f"{place}/{folder}")
        with open(f"{place}/{folder}/huge", "wb") as file:
            file.truncate(HUGE)
        return subprocess.run(["tar", "-C", place, "-S", "--format=gnu", "-czf", "-", folder], stdout=subprocess.PIPE, check=True).stdout


sys.stdout.buffer.write({"zip": zip, "gzip": gzip_, "sparse": sparse}[sys.argv[1]](sys.argv[2]))
