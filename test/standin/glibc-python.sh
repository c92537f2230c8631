#!/usr/bin/env bash
# Prints the path of a glibc CPython 3.13 with its headers: one on the PATH or pyenv's, else one built from Debian's source, once
# (4 minutes on 2 idle cores).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/apt.sh"
. "$here/kept.sh"

# Isolated, so that neither the folder nor the environment decides what it answers.
usable='import os, platform, sys, sysconfig, venv, zlib
header = os.path.join(sysconfig.get_path("include"), "Python.h")
free = sysconfig.get_config_var("Py_GIL_DISABLED")
sys.exit(not (sys.version_info[:2] == (3, 13) and platform.libc_ver()[0] == "glibc" and os.path.exists(header) and not free))'
for python in $(type -ap python3.13 python3 || true) "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13; do
  case $python in */shims/*) continue ;; esac
  if "$python" -I -c "$usable" 2>/dev/null; then echo "$python"; exit; fi
done

prefix=$cache/glibc-python-$(key_of glibc-python.sh)
if ! "$prefix/bin/python3.13" -I -c "$usable" 2>/dev/null; then
  need make make
  need gcc gcc libc6-dev
  need xz xz-utils
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  cd "$work"
  private_apt "$work/apt" deb-src bookworm trixie
  fetch_source "$work/apt" zlib/bookworm
  fetch_source "$work/apt" python3.13/trixie
  say 'glibc CPython 3.13 is being built'
  rm -rf "$prefix"
  (cd zlib-*/ && CFLAGS='-O2 -fPIC' ./configure --prefix="$work/libs" --static && make -j2 libz.a && make install) >zlib.log 2>&1 || { tail -20 zlib.log >&2; die 'zlib was not built'; }
  (cd Python-3*/ && PKG_CONFIG_LIBDIR="$work/libs/lib/pkgconfig" ZLIB_CFLAGS="-I$work/libs/include" ZLIB_LIBS="-L$work/libs/lib -lz" \
    ./configure --prefix="$prefix" --disable-test-modules --without-ensurepip && make -j2 && make install) >python.log 2>&1 ||
    { tail -40 python.log >&2; die 'CPython was not built'; }
  find "$prefix" \( -name test -o -name idlelib -o -name tkinter -o -name 'libpython*.a' \) -prune -exec rm -rf {} +
  "$prefix/bin/python3.13" -I -c "$usable" || die 'the CPython that was built is not usable'
  say 'glibc CPython 3.13 built'
fi
echo "$prefix/bin/python3.13"
