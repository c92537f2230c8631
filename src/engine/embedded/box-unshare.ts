/** A box by unshare and mount of util-linux, for machines without bubblewrap. */
import { becoming, inside, limited, SHOWN, shown, type Box, type BoxOptions } from './box.ts'
import { launched } from './launcher.ts'
import type { Mount } from './layout.ts'

/** Without root the first user namespace makes the mounts, and the second one drops what it may. */
export function unshareBox({ root, nested, launcher }: BoxOptions): Box {
  return {
    how: 'unshare',
    shownUser: (user = SHOWN) => root && !nested ? user : SHOWN,
    enclose: (run) => [
      ...launched(launcher),
      'unshare', '--mount', '--pid', '--fork', '--kill-child=KILL', '--ipc', '--uts',
      ...(run.network === 'none' ? ['--net'] : []), ...(root ? [] : ['--user', '--map-root-user']), '--',
      'sh', '-euc', BUILD, 'sh', run.stage, run.network, ...run.mounts.flatMap(asArguments), '--',
      ...limited(run.limits), ...(root ? becoming(run.user ?? 0) : []), ...(nested || !root ? shown() : []), ...inside(run),
    ],
  }
}

function asArguments(mount: Mount): string[] {
  return [mount.kind, 'from' in mount ? mount.from : '', mount.to]
}

/**
 * The first process of the box: builds the root on the folder `$1`, makes it the root, and runs the rest. It keeps its own user, so that the
 * command can neither end it nor look into it. A bind is locked as soon as it is made, with what is mounted below it: a folder made
 * there later would be made on this machine. The flags that a mount has are kept, since a user namespace may take none away.
 */
const BUILD = `
stage=$1 network=$2; shift 2
lock() {
  while read -r _ _ _ _ point flags _; do
    case $point in *\\\\*) point=$(printf '%b' "$point") ;; esac
    case $point in "$1"|"$1"/*) mount -o "remount,bind,$2,nosuid,nodev\${flags#r[wo]}" "$point" ;; esac
  done <<END
$(cat /proc/self/mountinfo)
END
}
folder() { [ -d "$1" ] || mkdir -p "$1"; }
bind() {
  if [ -d "$1" ]; then folder "$2"; else folder "\${2%/*}"; [ -e "$2" ] || : > "$2"; fi
  case $table in *" $1/"*) ;; *) mount -o "rbind,$3,nosuid,nodev" "$1" "$2" 2>/dev/null && return ;; esac
  umount "$2" 2>/dev/null || :
  mount --rbind "$1" "$2"
  lock "$2" "$3"
}
table=$(cat /proc/self/mountinfo)
mount -t tmpfs -o size=4m,mode=755,nosuid,nodev muslin "$stage"
while [ "$1" != -- ]; do
  from=$2 to=$stage$3
  case $1 in
    folder) folder "$to" ;;
    read) bind "$from" "$to" ro ;;
    write) bind "$from" "$to" rw ;;
    device) : > "$to"; mount --bind "$from" "$to" ;;
    empty) folder "$to"; mount -t tmpfs -o ro,size=1m,mode=755,nosuid,nodev muslin "$to" ;;
    open) folder "$to"; mount -t tmpfs -o size=1m,mode=755,nosuid,nodev muslin "$to" ;;
    seal) mount -o remount,bind,ro,nosuid,nodev "$to" ;;
    link) folder "\${to%/*}"; ln -s "$from" "$to" ;;
  esac
  shift 3
done
shift
mkdir -p "$stage/proc" "$stage/.old"
mount -t proc -o nosuid,nodev,noexec proc "$stage/proc"
hostname muslin 2>/dev/null || :
[ "$network" = fetch ] || ip link set lo up 2>/dev/null || :
cd "$stage"
pivot_root . .old
umount -l /.old
rmdir /.old
mount -o remount,bind,ro,nosuid,nodev /
cd /
code=0
"$@" || code=$?
exit $code
`
