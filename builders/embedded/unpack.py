"""Unpacks a wheel whose digest is known, without the members whose names match.

    unpack.py WHEEL FOLDER [EXPRESSION]
"""
import os
import re
import sys
import zipfile


def main(wheel, folder, expression=None):
    unwanted = re.compile(expression) if expression else None
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            if unwanted and unwanted.match(member.filename):
                continue
            path = archive.extract(member, folder)
            # zipfile forgets modes, and programs must stay executable.
            if (member.external_attr >> 16) & 0o100 and not member.is_dir():
                os.chmod(path, 0o755)


if __name__ == "__main__":
    main(*sys.argv[1:])
