/** No box at all, for machines that cannot make one and whose admin said `isolation = "none"`: builds are the server's own user, and see what it sees. */
import { inside, limited, type Box, type Inside } from './box.ts'
import type { Mount } from './layout.ts'

/** In the environment of what a run starts, for want of a namespace that would hold it. */
export const MARK = 'BUILD_RUN'

/** Nothing can be shown elsewhere than it is: paths of the run are put in place of those that it would see in a box. */
export function noBox(): Box {
  return {
    how: 'none',
    shownUser: () => process.getuid?.() ?? 0,
    enclose: (run) => {
      const { env, ...rest } = translated(run)
      const limits = limited({ ...run.limits, processes: undefined })
      return ['setpriv', '--pdeathsig', 'KILL', '--', ...limits, ...inside({ ...rest, env: { ...env, [MARK]: run.id } })]
    },
  }
}

function translated({ mounts, env, cwd, command }: Inside): Pick<Inside, 'env' | 'cwd' | 'command'> {
  const translate = translator(mounts)
  return { env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, translate(value)])), cwd: translate(cwd), command: command.map(translate) }
}

/** Puts paths of this machine in place of a box's wherever they stand by themselves in a text, or behind a compiler's -I or -L. */
export function translator(mounts: Mount[]): (text: string) => string {
  const moved = mounts.filter((mount) => mount.kind === 'write' || (mount.kind === 'read' && mount.from !== mount.to && mount.to !== '/etc'))
  const paths = new Map(moved.flatMap((mount) => 'from' in mount ? [[mount.to, mount.from]] : []))
  if (paths.size === 0) return (text) => text
  const longestFirst = [...paths.keys()].sort((a, b) => b.length - a.length).map((path) => path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  const pattern = new RegExp(`(?<=^|[^\\w./-]|(?:^|\\s)-[IL])(${longestFirst.join('|')})(?![\\w.-])`, 'g')
  return (text) => text.replace(pattern, (path) => paths.get(path) ?? path)
}
