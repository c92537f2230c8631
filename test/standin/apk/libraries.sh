#!/usr/bin/env bash
# Compiles the shared libraries of the stand-in's apk repository in the builder image, as Alpine's are: libffi and the headers of zlib from
# Debian's sources, and three tiny ones. Prints a folder with the files of each, below its name: FOLDER/libffi/usr/lib/libffi.so.8 …
#   libraries.sh IMAGE
set -euo pipefail
apk=$(cd "$(dirname "$0")" && pwd)
here=$apk/..
. "$here/apt.sh"
. "$here/kept.sh"
folder=$cache/apk-libraries-$(key_of apk/libraries.sh apk/build-libraries.sh)
if [ ! -d "$folder" ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  mkdir "$work/in" "$work/out"
  private_apt "$work/apt" deb-src bookworm
  (cd "$work/in" && fetch_source "$work/apt" libffi && fetch_source "$work/apt" zlib)
  cp "$apk/build-libraries.sh" "$work/in/"
  say 'libffi and the others are being compiled'
  tar c -C "$work/in" . | docker run --rm -i --network none "$1" sh -c 'mkdir /tmp/in && cd /tmp/in && tar xf - && sh build-libraries.sh /tmp/out >&2 && tar c -C /tmp/out .' 2>"$work/log" |
    tar x -C "$work/out" || { tail -30 "$work/log" >&2; die 'the libraries were not built'; }
  mv "$work/out" "$folder"
  say 'libffi and the others compiled'
fi
echo "$folder"
