#!/usr/bin/env bash
# Makes the musl images that the container tests run in, from Debian's packages and a few PyPI wheels alone:
#   muslin-standin-clean     musl CPython 3.13 and busybox: no compiler, no glibc; starts as root, as python:3.13-alpine does
#   muslin-standin-uv        the same with uv
#   muslin-standin-builder   the same with zig as gcc and g++, make, auditwheel, patchelf and pkg-config; uid 1000
#   muslin-standin-clean-cp311, muslin-standin-builder-cp311      the same with CPython 3.11
# each tagged with a hash of what it is made from, and `latest`. An image that is there already is left alone.
#   images.sh [NAME…]        default: clean uv builder clean-cp311 builder-cp311
set -euo pipefail
shopt -s inherit_errexit
here=$(cd "$(dirname "$0")" && pwd)
. "$here/apt.sh"
docker version >/dev/null 2>&1 || die 'no Docker engine answers: start one (dockerd &), or set DOCKER_HOST'
. "$here/kept.sh"
. "$here/compiler-image.sh"
uv=uv==0.13.9
work=$cache/work container=standin-making-$$
rm -rf "$work"; mkdir "$work"
trap 'rm -rf "$work"; docker rm -f "$container" >/dev/null 2>&1 || true' EXIT

# unpack_kept FOLDER NAME SCRIPT [ARGUMENT]
unpack_kept() { local folder=$1 archive; shift; archive=$(archive_of "$@"); tar xzf "$archive" -C "$folder"; }

# skeleton FOLDER: the folders and files that every Alpine has.
skeleton() {
  (cd "$1"
   mkdir -p etc home opt root run proc sys dev srv tmp usr/sbin usr/lib usr/local/lib usr/local/include usr/include var/tmp
   chmod 1777 tmp var/tmp; chmod 700 root
   cp "$here"/client/{passwd,group,os-release} etc/
   printf 'hosts: files dns\n' > etc/nsswitch.conf
   install -m 755 "$here/client/adduser" usr/sbin/adduser)
}

# Byte code must be in the image: with a read-only root, pip takes seconds to start without it.
byte_code=(-m compileall -q -j2 --invalidation-mode unchecked-hash)

# import_image FOLDER TAG [CHANGE]…: makes an image of a root file system.
import_image() {
  local folder=$1 tag=$2 changes=(); shift 2
  for change in 'ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin' 'ENV LANG=C.UTF-8' "$@"; do changes+=(-c "$change"); done
  tar c --numeric-owner --owner=0 --group=0 -C "$folder" . | docker import "${changes[@]}" - "$tag" >/dev/null
}

# client_tree VERSION: the root file system of a clean image.
client_tree() {
  mkdir "$work/root"
  unpack_kept "$work/root" base base.sh
  unpack_kept "$work/root" "python-$1" musl-python.sh "$1"
  skeleton "$work/root"
}

make_clean() {
  client_tree "$2"
  "$work/root/lib/ld-musl-x86_64.so.1" "$work/root/usr/local/bin/python3" "${byte_code[@]}" -s "$work/root" -p / "$work/root/usr/local/lib" || true
  import_image "$work/root" "$1" 'WORKDIR /' 'CMD ["python3"]'
}

make_uv() {
  pip install -q --no-deps --no-compile --target "$work/uv" "${musl_platforms[@]}" --python-version 3.13 --only-binary=:all: "$uv" 2>/dev/null ||
    die "$uv could not be installed"
  client_tree "$2"
  install -m 755 "$work/uv/bin/uv" "$work/root/usr/local/bin/uv"
  "$work/root/lib/ld-musl-x86_64.so.1" "$work/root/usr/local/bin/python3" "${byte_code[@]}" -s "$work/root" -p / "$work/root/usr/local/lib" || true
  import_image "$work/root" "$1" 'WORKDIR /' 'CMD ["python3"]'
}

# A builder is the compiler's image with a Python and its own user in one more layer.
make_builder() {
  local base root=$work/root
  base=$(compiler_image)
  mkdir -p "$root/etc" "$root"/{build,out,deps,home/builder}
  unpack_kept "$root" "python-$2" musl-python.sh "$2"
  cp "$here"/client/{passwd,group} "$root/etc/"
  printf 'builder:x:1000:1000:builder:/home/builder:/bin/sh\n' >> "$root/etc/passwd"
  printf 'builder:x:1000:\n' >> "$root/etc/group"
  chmod 777 "$root"/{build,out,deps,home/builder}
  tar c --numeric-owner --owner=0 --group=0 -C "$root" . |
    docker run -i --name "$container" --network none -u 0 "$base" /bin/sh -c "tar x -C / && { python3 ${byte_code[*]} /usr/local/lib /opt/auditwheel || true; }"
  docker commit -c 'ENV PIP_DISABLE_PIP_VERSION_CHECK=1' -c 'WORKDIR /build' -c 'USER 1000:1000' -c 'CMD ["/bin/sh"]' "$container" "$1" >/dev/null
  docker rm -f "$container" >/dev/null
}

[ $# -gt 0 ] || set -- clean uv builder clean-cp311 builder-cp311
for name; do
  case $name in clean | uv | builder) version=3.13 ;; clean-cp311 | builder-cp311) version=3.11 ;; *) die "no image is called $name: clean, uv, builder, clean-cp311 or builder-cp311" ;; esac
  image=muslin-standin-$name
  parts=(base.sh $(parts_of musl-python.sh) images.sh 'client/*')
  case $name in builder*) parts+=(make.sh compiler.sh compiler-image.sh warm.sh 'builder/usr/bin/*') ;; esac
  key=$(key_of "${parts[@]}")
  if ! docker image inspect "$image:$key" >/dev/null 2>&1; then
    rm -rf "${work:?}"/*
    make_"${name%-cp311}" "$image:$key" "$version"
    say "$image:$key made, $(docker image inspect -f '{{.Size}}' "$image:$key" | awk '{ printf "%d MB", $1 / 1e6 }')"
  fi
  docker tag "$image:$key" "$image:latest"
  echo "$image:$key"
done
