# Sourced by images.sh: the image that all builder images stand on, whatever their Python.

# compiler_image: prints the name of an image with musl, busybox, make and a compiler whose cache is full; made at most once.
compiler_image() {
  local image=muslin-standin-compiler root=$work/compiler
  image+=:$(key_of base.sh make.sh compiler.sh compiler-image.sh warm.sh 'builder/usr/bin/*')
  if ! docker image inspect "$image" >/dev/null 2>&1; then
    mkdir -p "$root"
    unpack_kept "$root" base base.sh
    unpack_kept "$root" make make.sh
    skeleton "$root"
    "$here/compiler.sh" "$root" >&2
    import_image "$root" "$image-cold"
    rm -rf "$root"
    warm "$image"
  fi
  echo "$image"
}

# warm IMAGE: fills zig's cache in a container of IMAGE-cold, since zig needs /proc, and commits it as IMAGE. The cache holds
# only for the very same files (zig compares inodes), so it can be kept as a layer of this engine and in no other way.
warm() {
  say "zig's cache is being filled"
  docker run -i --name "$container" --network none -u 0 -e ZIG_GLOBAL_CACHE_DIR=/opt/zig-cache "$1-cold" /bin/sh < "$here/warm.sh" >&2
  docker commit -c 'ENV ZIG_GLOBAL_CACHE_DIR=' "$container" "$1" >/dev/null
  docker rm -f "$container" >/dev/null
  docker image rm "$1-cold" >/dev/null # its layer stays: IMAGE stands on it
  say "$1 made"
}
