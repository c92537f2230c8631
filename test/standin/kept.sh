# Sourced by the scripts that give a Python to tests on the machine itself: what takes long is made once a machine, and shared with
# images.sh. MUSLIN_STANDIN_CACHE (default: ~/.cache/muslin-standin) is where.
cache=${MUSLIN_STANDIN_CACHE:-$HOME/.cache/muslin-standin}
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9 # one at a time: two suites may start together

# key_of FILE…: names what is made from these files of this folder.
key_of() { (cd "$here" && cat -- "$@" | sha256sum | cut -c1-12); }

# archive_of NAME SCRIPT: the archive, in the cache, of what SCRIPT fills a folder with.
archive_of() {
  local archive=$cache/$1-$(key_of "$2").tar.gz work
  if [ ! -f "$archive" ]; then
    say "$1 is being made"
    work=$(mktemp -d)
    "$here/$2" "$work" >&2
    tar czf "$archive.part" --numeric-owner -C "$work" .
    rm -rf "$work"
    mv "$archive.part" "$archive"
  fi
  echo "$archive"
}
