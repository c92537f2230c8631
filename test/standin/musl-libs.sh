#!/usr/bin/env bash
# Builds what a musl CPython is linked with from Debian's source packages alone, static and position independent, so that the
# interpreter needs musl alone; and a shared zlib, which Alpine has in every image.
#   musl-libs.sh PREFIX     fills PREFIX/{lib,include,shared,kernel}, once; it must stay at this path, which its files name
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/apt.sh"
libs=$1
[ ! -e "$libs/complete" ] || exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
need make make
need xz xz-utils
need bzip2 bzip2
need musl-gcc musl-tools gcc
need /usr/include/linux/version.h linux-libc-dev
rm -rf "$libs"
mkdir -p "$libs"/{kernel,include,lib,shared}
cd "$work"

cp -rL /usr/include/linux "$libs/kernel/linux"
cp -rL /usr/include/x86_64-linux-gnu/asm "$libs/kernel/asm"
cp -rL /usr/include/asm-generic "$libs/kernel/asm-generic"
kernel="-idirafter $libs/kernel"

private_apt "$work/apt" deb-src bookworm
for source in zlib libffi bzip2 xz-utils sqlite3 openssl; do fetch_source "$work/apt" "$source/bookworm"; done
say 'sources unpacked'

step zlib 'zlib-*/' "CFLAGS='-O2 -fPIC' CC=musl-gcc ./configure --prefix='$libs' && make -j2 && make install && mv '$libs'/lib/libz.so* '$libs/shared/'"
step libffi 'libffi-*/' "CC='musl-gcc $kernel' ./configure --prefix='$libs' --disable-shared --enable-static --disable-docs --with-pic --disable-exec-static-tramp && make -j2 && make install"
step bzip2 'bzip2-*/' "make -j2 CC=musl-gcc CFLAGS='-O2 -fPIC -D_FILE_OFFSET_BITS=64' libbz2.a && cp bzlib.h '$libs/include/' && cp libbz2.a '$libs/lib/'"
step xz 'xz-*/' "CC=musl-gcc CFLAGS='-O2 -fPIC' ./configure --prefix='$libs' --disable-shared --disable-nls --disable-xz --disable-xzdec --disable-lzmadec --disable-lzmainfo --disable-scripts --disable-doc && make -j2 && make install"
step sqlite3 'sqlite3-*/' "CC=musl-gcc CFLAGS='-O2 -fPIC' ./configure --prefix='$libs' --disable-shared --disable-tcl --disable-readline && make -j2 libsqlite3.la && cp .libs/libsqlite3.a '$libs/lib/' && cp sqlite3.h sqlite3ext.h '$libs/include/'"
step openssl 'openssl-*/' "CC='musl-gcc $kernel' ./Configure linux-x86_64 no-shared no-tests no-async no-engine no-afalgeng no-legacy --prefix='$libs' --openssldir=/etc/ssl --libdir=lib -fPIC && make -j2 build_libs && make install_dev"
touch "$libs/complete"
