#!/bin/sh
# What a builder image needs beyond the official Python image. Runs as root, once, while the image is made.
set -eu

# Kernel headers are no -dev package of any library, yet many extensions include them; configure scripts of bundled libraries run `file`.
apk add --no-cache build-base file linux-headers patchelf pkgconf

python3 -m pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore "auditwheel==$AUDITWHEEL"

# The root is read-only when builds run: without byte code in the image each Python start takes five times as long.
# Some files of the standard library are meant not to compile; the exit code tells of those too.
python3 -m compileall -q "$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" || true

adduser -D -u 1000 builder
