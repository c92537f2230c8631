# Sourced by the scripts that make images and Pythons: what takes long is made once a machine. MUSLIN_STANDIN_CACHE (default:
# ~/.cache/muslin-standin) is where: remove the folder to start anew.
cache=${MUSLIN_STANDIN_CACHE:-$HOME/.cache/muslin-standin}
export MUSLIN_STANDIN_CACHE=$cache
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9 # one at a time: two suites may start together

# key_of PATTERN…: names what is made from these files of this folder.
key_of() { (cd "$here" && cat -- $* | sha256sum | cut -c1-12); }

# archive_of NAME SCRIPT [ARGUMENT]: the archive, in the cache, of what SCRIPT fills a folder with.
archive_of() {
  local name=$1 script=$2 archive folder; shift 2
  archive=$cache/$name-$(key_of $(parts_of "$script")).tar.gz
  if [ ! -f "$archive" ]; then
    say "$name is being made"
    folder=$cache/making-$name
    rm -rf "$folder"; mkdir "$folder"
    "$here/$script" "$folder" "$@" >&2 || die "$name was not made"
    tar czf "$archive.part" --numeric-owner -C "$folder" .
    rm -rf "$folder"
    mv "$archive.part" "$archive"
  fi
  echo "$archive"
}

# parts_of SCRIPT: the files that decide what it makes.
parts_of() {
  case $1 in musl-python.sh) echo musl-python.sh musl-libs.sh ;; *) echo "$1" ;; esac
}
