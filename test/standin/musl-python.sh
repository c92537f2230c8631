#!/usr/bin/env bash
# Builds a musl-linked CPython with ssl, bz2, lzma and sqlite3 from Debian's source packages alone: a stand-in for
# python:VERSION-alpine on a machine that reaches no Alpine mirror. About 3 minutes on 2 idle cores, 7 on busy ones.
#   musl-python.sh TREE [VERSION]     fills TREE/usr; VERSION is 3.13 (default) or 3.11
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/apt.sh"
tree=$1
version=${2:-3.13}
case $version in 3.13) suite=trixie ;; 3.11) suite=bookworm ;; *) die "Debian has no source of CPython $version: 3.13 or 3.11" ;; esac
libs=${MUSLIN_STANDIN_CACHE:-$HOME/.cache/muslin-standin}/musl-libs-$(sha256sum < "$here/musl-libs.sh" | cut -c1-12)
"$here/musl-libs.sh" "$libs"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$tree/usr/lib" "$work/bin"
need make make
need xz xz-utils
need musl-gcc musl-tools gcc
cd "$work"

# Debian's gcc reports a glibc multiarch triplet, which CPython's configure refuses beside musl headers.
cat > bin/musl-cc <<'W'
#!/bin/sh
case "$*" in *-print-multiarch*) exit 0;; esac
exec musl-gcc "$@"
W
# CPython 3.11's own setup.py asks this one too, and takes glibc's headers for musl's.
printf '#!/bin/sh\nexit 1\n' > bin/dpkg-architecture
chmod +x bin/*
export PATH=$work/bin:$PATH

private_apt "$work/apt" deb-src "$suite"
fetch_source "$work/apt" "python$version/$suite"
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
cp -P "$libs"/shared/libz.so.1* "$tree/usr/lib/"
