#!/usr/bin/env bash
# Makes the base of the server's image from Debian's packages alone, where no registry is reached: Debian 12 with what
# docker/Dockerfile would install into debian:trixie-slim. Prints the image's name, muslin-standin-base:<hash>.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/apt.sh"
suite=bookworm
packages=ca-certificates,docker.io,libatomic1,python3-pip
image=muslin-standin-base
key=$(echo "$suite $packages" | sha256sum | cut -c1-12)

if ! docker image inspect "$image:$key" >/dev/null 2>&1; then
  need debootstrap debootstrap
  work=$(mktemp -d)
  trap 'as_root rm -rf "$work"' EXIT
  as_root debootstrap --variant=minbase --include="$packages" "$suite" "$work/root" "$(debian_uri)" >"$work/log" 2>&1 ||
    { tail -20 "$work/log" >&2; die "debootstrap could not make $suite"; }
  as_root tar c --numeric-owner --exclude='./var/cache/apt/*' --exclude='./var/lib/apt/lists/*' -C "$work/root" . |
    docker import -c 'ENV LANG=C.UTF-8' -c 'CMD ["bash"]' - "$image:$key" >/dev/null
  say "$image:$key made"
fi
docker tag "$image:$key" "$image:latest"
echo "$image:$key"
