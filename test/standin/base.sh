#!/usr/bin/env bash
# Makes the smallest musl root file system from Debian's packages: musl, a static busybox, a static dash as /bin/sh.
#   base.sh TREE          fills the folder TREE
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/apt.sh"
tree=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
need make make
need musl-gcc musl-tools gcc
mkdir -p "$tree"/{bin,lib,usr/bin}

# musl of Debian 13 (1.2.5): the 1.2.3 of Debian 12 knows no RELR relocations, and PyPI's own musllinux_1_2 wheels
# that bundle a recent libstdc++ crash on it.
private_apt "$work/debs" deb trixie
(cd "$work/debs" && papt "$work/debs" download -qq busybox-static musl >/dev/null 2>&1) || die 'busybox-static and musl could not be downloaded'
for deb in "$work"/debs/*.deb; do dpkg-deb -x "$deb" "$work/unpacked"; done
cp "$(find "$work/unpacked" -path '*bin/busybox' -type f)" "$tree/bin/busybox"
cp -L "$work/unpacked/usr/lib/x86_64-linux-musl/libc.so" "$tree/lib/ld-musl-x86_64.so.1"
ln -s ld-musl-x86_64.so.1 "$tree/lib/libc.musl-x86_64.so.1"

# Debian's static busybox runs its own applets before the PATH (its `ar` can only extract): /bin/sh must be another shell.
mkdir "$work/dash"
(cd "$work/dash" && private_apt "$work/src" deb-src trixie && fetch_source "$work/src" dash &&
  cd dash-*/ && CC=musl-gcc ./configure --enable-static && make -j2) >"$work/dash.log" 2>&1 || { tail -20 "$work/dash.log" >&2; die 'dash was not built'; }
cp "$work"/dash/dash-*/src/dash "$tree/bin/dash"

for applet in $("$tree/bin/busybox" --list); do
  case $applet in busybox | ar | sh | dash) ;; *) ln -sf busybox "$tree/bin/$applet" ;; esac
done
ln -s dash "$tree/bin/sh"
ln -s ../../bin/busybox "$tree/usr/bin/env"
