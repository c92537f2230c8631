#!/usr/bin/env bash
# Prints a folder with a musl CPython 3.13 and its loader, both run on the machine itself:
#   TREE/lib/ld-musl-x86_64.so.1 TREE/usr/local/bin/python3 …
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/apt.sh"
. "$here/kept.sh"
tree=$cache/tree-$(key_of base.sh $(parts_of musl-python.sh))
if [ ! -d "$tree" ]; then
  base=$(archive_of base base.sh)
  python=$(archive_of python-3.13 musl-python.sh 3.13)
  rm -rf "$tree.part"; mkdir "$tree.part"
  tar xzf "$base" -C "$tree.part"
  tar xzf "$python" -C "$tree.part"
  mv "$tree.part" "$tree"
fi
"$tree/lib/ld-musl-x86_64.so.1" "$tree/usr/local/bin/python3" -c 'import sys; assert sys.version_info[:2] == (3, 13)' || die "the musl CPython in $tree does not run"
echo "$tree"
