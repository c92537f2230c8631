#!/usr/bin/env bash
# Makes the images of the clients whose waiting is tested (npm run test:clients), from those of images.sh and PyPI's wheels alone:
#   muslin-standin-clients   as clean, with two pips, uv, poetry and pdm
#   muslin-standin-pipenv    as builder, with pipenv, which compiles for itself
# each client in an environment of its own under /opt, so that no two must agree on what they require. An image that is there already is left
# alone. They are the newest of their day that can be installed, but for pip 23.2, which many base images have.
set -euo pipefail
shopt -s inherit_errexit
here=$(cd "$(dirname "$0")" && pwd)
"$here/images.sh" clean builder >/dev/null
. "$here/apt.sh"
. "$here/kept.sh"
work=$cache/clients container=standin-clients-$$
rm -rf "$work"
trap 'rm -rf "$work"; docker rm -f "$container" >/dev/null 2>&1 || true' EXIT

# add_client NAME REQUIREMENT: a virtual environment in $work/opt/NAME for the CPython 3.13 of those images.
add_client() {
  local environment=$work/opt/$1 site
  site=$environment/lib/python3.13/site-packages
  mkdir -p "$environment/bin" "$site"
  ln -s /usr/local/bin/python3 "$environment/bin/python"
  printf 'home = /usr/local/bin\ninclude-system-site-packages = false\nversion = 3.13\n' > "$environment/pyvenv.cfg"
  pip install -q --no-compile --target "$site" "${musl_platforms[@]}" --python-version 3.13 --only-binary=:all: "$2" 2>"$work/$1.log" ||
    { tail -5 "$work/$1.log" >&2; die "$2 could not be installed"; }
}

add_clients() {
  add_client pip-23.2 pip==23.2.1
  add_client pip pip==26.3
  add_client uv uv==0.13.9
  ln -s ../lib/python3.13/site-packages/bin/uv "$work/opt/uv/bin/uv"
  add_client poetry poetry==2.5.1
  # Without what its own lock names, pdm takes a hishel that it does not work with.
  add_client pdm 'pdm[locked]==2.29.3'
}

add_pipenv() { add_client pipenv pipenv==2026.10.3; }

# layer IMAGE BASE: $work/opt on top of BASE, with its byte code: clients are to start as fast as where they were installed by hand.
layer() {
  tar c --numeric-owner --owner=0 --group=0 -C "$work" opt |
    docker run -i --name "$container" --network none -u 0 "$2" /bin/sh -c 'tar x -C / && { python3 -m compileall -q -j2 --invalidation-mode unchecked-hash /opt/*/lib || true; }'
  docker commit -c 'WORKDIR /' -c 'USER 0:0' -c 'CMD ["python3"]' "$container" "$1" >/dev/null
  docker rm -f "$container" >/dev/null
}

for name in clients pipenv; do
  case $name in clients) base=muslin-standin-clean:latest ;; pipenv) base=muslin-standin-builder:latest ;; esac
  image=muslin-standin-$name
  key=$(key_of client-images.sh)-$(docker image inspect -f '{{.Id}}' "$base" | cut -c8-19)
  if ! docker image inspect "$image:$key" >/dev/null 2>&1; then
    rm -rf "$work"; mkdir -p "$work"
    add_"$name"
    layer "$image:$key" "$base"
    say "$image:$key made, $(docker image inspect -f '{{.Size}}' "$image:$key" | awk '{ printf "%d MB", $1 / 1e6 }')"
  fi
  docker tag "$image:$key" "$image:latest"
  echo "$image:$key"
done
