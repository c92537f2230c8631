#!/usr/bin/env bash
# Builds GNU make from Debian's source, static, for a musl root file system.
#   make.sh TREE          fills TREE/usr/bin
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/apt.sh"
tree=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
need make make
need musl-gcc musl-tools gcc
need autoreconf autoconf automake
need autopoint autopoint gettext
cd "$work"
private_apt "$work/apt" deb-src bookworm
fetch_source "$work/apt" make-dfsg/bookworm
# Debian leaves out the manual and what autoconf had made: neither the manual's page nor a file named twice may be asked for.
step make 'make-dfsg-*/' "sed -i 's#po/Makefile.in Makefile#po/Makefile.in#' configure.ac && sed -i /man_MANS/d Makefile.am && autoreconf -fi &&
  CC=musl-gcc LDFLAGS=-static ./configure --without-guile --disable-nls && make -j2 -C lib && make -j2 make"
install -D -m 755 -s "$work"/make-dfsg-*/make "$tree/usr/bin/make"
