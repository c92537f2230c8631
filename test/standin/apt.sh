# Sourced by the other scripts: Debian archives of any release through a folder of our own, so that the machine's
# own apt sources stay as they are. Where the archive is, is read from the machine's configuration.

# One line of progress with the seconds since the start.
say() { printf '%5ss  %s\n' "$SECONDS" "$*" >&2; }

# Ends the script with one line.
die() { echo "standin: $*" >&2; exit 1; }

# Runs a command as root, or says what is missing.
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

# need COMMAND PACKAGE…: installs the Debian packages unless the command, or the file of an absolute path, is there.
need() {
  local wanted=$1; shift
  case $wanted in /*) [ ! -e "$wanted" ] || return 0 ;; *) ! command -v "$wanted" >/dev/null 2>&1 || return 0 ;; esac
  as_root env DEBIAN_FRONTEND=noninteractive sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"' sh "$@" >/dev/null ||
    die "Debian's $* could not be installed; see what apt-get says above"
}

# debian_uri: the address of the machine's Debian archive.
debian_uri() {
  local uri
  uri=$(apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    awk -F'|' '$1 == "Debian" && $2 == "Debian" { print $3; exit }')
  [ -n "$uri" ] || uri=$(awk '/^URIs:/ { print $2; exit }' /etc/apt/sources.list.d/debian.sources 2>/dev/null)
  [ -n "$uri" ] || uri=$(awk '$1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /^https?:/) { print $i; exit } }' /etc/apt/sources.list 2>/dev/null)
  [ -n "$uri" ] || die 'no Debian archive in the apt configuration: add one, or run on Debian'
  echo "${uri%/}"
}

# private_apt FOLDER KIND SUITE…: prepares FOLDER; afterwards `papt FOLDER …` runs apt-get on those suites alone.
private_apt() {
  local folder=$1 kind=$2 uri; shift 2
  uri=$(debian_uri)
  mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
  for suite; do
    echo "$kind [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $suite main"
  done > "$folder/sources.list"
  papt "$folder" update -qq || die "the Debian archive $uri has no usable ${*}"
}

papt() {
  local folder=$1; shift
  apt-get -o Dir::Etc::SourceList="$folder/sources.list" -o Dir::Etc::SourceParts=/dev/null -o APT::Sandbox::User=root \
    -o Dir::State::Lists="$folder/lists" -o Dir::Cache="$folder/cache" "$@"
}

# fetch_source APT_FOLDER NAME[/SUITE]: unpacks the upstream source into the current folder.
# apt-get source ends non-zero without dpkg-dev even when the files came: look for the files instead.
fetch_source() {
  papt "$1" source -qq --download-only "$2" >/dev/null 2>&1 || true
  local name=${2%%/*} found= archive
  for archive in "$name"_*.orig.tar.*; do
    case $archive in *.asc | *\*) ;; *) tar xf "$archive"; found=1 ;; esac
  done
  [ -n "$found" ] || die "no source of $2 in the Debian archive"
}

# step NAME FOLDER COMMAND: runs it in the folder of $work; its output is shown only when it fails.
step() {
  (cd "$work"/$2 && eval "$3") >"$work/$1.log" 2>&1 || { tail -40 "$work/$1.log" >&2; die "$1 was not built"; }
  say "$1 built"
}

# What the musl images can run.
musl_platforms=(--platform musllinux_1_2_x86_64 --platform musllinux_1_1_x86_64 --platform musllinux_1_0_x86_64 --platform any)

# pip in a clean environment: only the configuration files of the machine count.
pip() {
  python3 -m pip --version >/dev/null 2>&1 || need /usr/share/doc/python3-pip python3-pip
  env -i PATH="$PATH" HOME="$HOME" python3 -m pip --disable-pip-version-check --no-input "$@"
}
