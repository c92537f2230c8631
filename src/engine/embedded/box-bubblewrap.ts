/** A box by bubblewrap. */
import { becoming, inside, limited, SHOWN, shown, type Box, type BoxOptions, type Inside } from './box.ts'
import { launched } from './launcher.ts'
import type { Mount } from './layout.ts'

/** Without root bubblewrap makes a user namespace for the mounts and the first process, which the command in a second one cannot look into. */
export function bubblewrapBox({ root, nested, launcher }: BoxOptions): Box {
  return {
    how: 'bubblewrap',
    shownUser: (user = SHOWN) => root && !nested ? user : SHOWN,
    enclose: (run) => [
      ...launched(launcher),
      'bwrap', '--die-with-parent', '--as-pid-1', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--hostname', 'muslin',
      ...(run.network === 'none' ? ['--unshare-net'] : []),
      ...(root ? [] : ['--unshare-user', '--uid', String(SHOWN), '--gid', String(SHOWN)]),
      ...run.mounts.flatMap(asArguments), '--proc', '/proc', '--remount-ro', '/', '--',
      ...FIRST, ...limited(run.limits), ...(root ? dropped(run, nested) : shown()), ...inside(run),
    ],
  }
}

/**
 * The first process of the box, whose end ends all in it. Bubblewrap's own tells of the command's end before that, so that what the
 * command left behind would live a moment longer than its box. It keeps its own user, as the one of unshare's box does.
 */
const FIRST = ['sh', '-c', 'code=0; "$@" || code=$?; exit $code', 'sh']

/** Bubblewrap covers /proc/sys where root could write to it, and with it the one number that closes user namespaces. */
function dropped({ user }: Inside, nested: boolean): string[] {
  const own = becoming(user ?? 0)
  return nested ? ['sh', '-c', 'umount /proc/sys 2>/dev/null; exec "$@"', 'sh', ...own, ...shown()] : own
}

function asArguments(mount: Mount): string[] {
  switch (mount.kind) {
    case 'folder': return ['--dir', mount.to]
    case 'read': return ['--ro-bind', mount.from, mount.to]
    case 'write': return ['--bind', mount.from, mount.to]
    case 'device': return ['--dev-bind', mount.from, mount.to]
    case 'link': return ['--symlink', mount.from, mount.to]
    case 'empty': return ['--tmpfs', mount.to, '--remount-ro', mount.to]
    case 'open': return ['--tmpfs', mount.to]
    case 'seal': return ['--remount-ro', mount.to]
  }
}
