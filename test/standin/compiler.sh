#!/usr/bin/env bash
# Puts a C and C++ compiler into a musl root file system: zig (a static clang) seen as gcc, g++, ar, strip and pkg-config.
#   compiler.sh TREE ZIG_WHEEL
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tree=$1
unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT
python3 -m zipfile -e "$2" "$unpacked"
rm -rf "$tree/opt/zig"
mv "$unpacked/ziglang" "$tree/opt/zig"
chmod 755 "$tree/opt/zig/zig"

# Foreign targets are dropped: 150 MB less.
(cd "$tree/opt/zig/lib"
 rm -rf docs libc/darwin libc/mingw libc/wasi libc/freebsd libc/netbsd libc/openbsd libc/glibc libtsan
 find libc/include -mindepth 1 -maxdepth 1 ! -name 'generic-musl' ! -name 'any-linux-any' ! -name 'x86-linux-any' \
   ! -name 'x86_64-linux-*' ! -name 'x86-linux-musl*' -exec rm -rf {} +)

# wrap NAME COMMAND: a one-line program.
wrap() { printf '#!/bin/sh\n%s\n' "$2" > "$tree/usr/bin/$1"; chmod 755 "$tree/usr/bin/$1"; }
install -m 755 "$here"/builder/usr/bin/* "$tree/usr/bin/"
for name in gcc cc clang x86_64-alpine-linux-musl-gcc; do wrap $name 'exec /usr/bin/zigcc cc "$@"'; done
for name in g++ c++ clang++; do wrap $name 'exec /usr/bin/zigcc c++ "$@"'; done
for name in ar ranlib; do wrap $name "exec /opt/zig/zig $name \"\$@\""; done
wrap strip 'for f; do case "$f" in -*) ;; *) /opt/zig/zig objcopy --strip-debug "$f" "$f.st" && cat "$f.st" > "$f"; rm -f "$f.st";; esac; done'
wrap pkg-config 'export PKG_CONFIG_LIBDIR="${PKG_CONFIG_LIBDIR:-/usr/lib/pkgconfig:/usr/share/pkgconfig:/usr/local/lib/pkgconfig}"; exec /usr/bin/pkgconf "$@"'
wrap auditwheel 'PYTHONPATH=/opt/auditwheel exec /usr/local/bin/python3 -m auditwheel "$@"'
