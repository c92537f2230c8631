#!/usr/bin/env bash
# Builds a musl-linked CPython 3.13 with ssl, bz2, lzma and sqlite3 from Debian's source packages alone: a stand-in for
# python:3.13-alpine on a machine that reaches no Alpine mirror. About 3 minutes on 2 idle cores, 7 on busy ones.
#   musl-python.sh TREE [WORK]     fills TREE/usr/local; WORK (default: a temporary folder) is removed at the end
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/apt.sh"
tree=$1
work=${2:-$(mktemp -d)}
libs=$work/libs
mkdir -p "$tree" "$work/bin" "$libs/kernel" "$libs/include" "$libs/lib"
trap 'rm -rf "$work"' EXIT
need make make
need xz xz-utils
need bzip2 bzip2
need musl-gcc musl-tools gcc
need /usr/include/linux/version.h linux-libc-dev
cd "$work"

# Debian's gcc reports a glibc multiarch triplet, which CPython's configure refuses beside musl headers.
cat > bin/musl-cc <<'W'
#!/bin/sh
case "$*" in *-print-multiarch*) exit 0;; esac
exec musl-gcc "$@"
W
chmod +x bin/musl-cc
export PATH=$work/bin:$PATH
ln -sfn /usr/include/linux "$libs/kernel/linux"
ln -sfn /usr/include/x86_64-linux-gnu/asm "$libs/kernel/asm"
ln -sfn /usr/include/asm-generic "$libs/kernel/asm-generic"
kernel="-idirafter $libs/kernel"

private_apt "$work/apt" deb-src bookworm trixie
for source in zlib libffi bzip2 xz-utils sqlite3 openssl; do fetch_source "$work/apt" "$source/bookworm"; done
fetch_source "$work/apt" python3.13/trixie
say 'sources unpacked'

# step NAME FOLDER COMMAND: runs it in the folder; its output is shown only when it fails.
step() {
  (cd "$work"/$2 && eval "$3") >"$work/$1.log" 2>&1 || { tail -40 "$work/$1.log" >&2; die "$1 was not built"; }
  say "$1 built"
}
# Static and position independent, so that the interpreter needs musl alone.
step zlib 'zlib-*/' "CFLAGS='-O2 -fPIC' CC=musl-gcc ./configure --prefix='$libs' --static && make -j2 libz.a && make install"
step libffi 'libffi-*/' "CC='musl-gcc $kernel' ./configure --prefix='$libs' --disable-shared --enable-static --disable-docs --with-pic --disable-exec-static-tramp && make -j2 && make install"
step bzip2 'bzip2-*/' "make -j2 CC=musl-gcc CFLAGS='-O2 -fPIC -D_FILE_OFFSET_BITS=64' libbz2.a && cp bzlib.h '$libs/include/' && cp libbz2.a '$libs/lib/'"
step xz 'xz-*/' "CC=musl-gcc CFLAGS='-O2 -fPIC' ./configure --prefix='$libs' --disable-shared --disable-nls --disable-xz --disable-xzdec --disable-lzmadec --disable-lzmainfo --disable-scripts --disable-doc && make -j2 && make install"
step sqlite3 'sqlite3-*/' "CC=musl-gcc CFLAGS='-O2 -fPIC' ./configure --prefix='$libs' --disable-shared --disable-tcl --disable-readline && make -j2 libsqlite3.la && cp .libs/libsqlite3.a '$libs/lib/' && cp sqlite3.h sqlite3ext.h '$libs/include/'"
step openssl 'openssl-*/' "CC='musl-gcc $kernel' ./Configure linux-x86_64 no-shared no-tests no-async no-engine no-afalgeng no-legacy --prefix='$libs' --openssldir=/etc/ssl --libdir=lib -fPIC && make -j2 build_libs && make install_dev"
step python 'Python-3*/' "PKG_CONFIG_LIBDIR='$libs/lib/pkgconfig:$libs/lib64/pkgconfig' CC=musl-cc CPPFLAGS='-I$libs/include -I$libs/kernel' LDFLAGS='-L$libs/lib -L$libs/lib64' \
  ./configure --prefix=/usr/local --with-ensurepip=install --disable-test-modules --with-openssl='$libs' && make -j2 && make install DESTDIR='$tree'"

python=$tree/usr/local/bin/python3
"$python" -c 'import bz2, ctypes, lzma, sqlite3, ssl, zlib; print(ssl.OPENSSL_VERSION, "sqlite", sqlite3.sqlite_version)' >&2
"$python" -c 'from pip._vendor.packaging.tags import sys_tags; print(next(sys_tags()))' >&2

# Without tests, static libpython and debug data; what records the compiler names gcc and g++, as on Alpine.
cd "$tree/usr/local"
find . \( -name __pycache__ -o -name test -o -name tests -o -name idlelib -o -name tkinter -o -name 'libpython*.a' \) -prune -exec rm -rf {} +
find . -type f \( -name '*.so' -o -path '*/bin/python3.*' \) -exec sh -c 'for f; do readelf -h "$f" >/dev/null 2>&1 && strip -g "$f"; done; true' _ {} +
grep -rlI -e musl-cc -e "$libs" . | xargs -r sed -i -e 's#musl-cc#gcc#g' -e "s# *-[LI]$libs/[a-z0-9]*##g"
find . -name '_sysconfigdata_*.py' -exec sed -i -e "s#'c++#'g++#g" {} +
ln -sf python3 bin/python
ln -sf pip3 bin/pip
