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
  const { inScript, word } = translator(mounts)
  const isScript = (at: number) => command[at - 1] === '-c' && command[at - 2] === 'sh'
  return {
    env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value.split(/([\s:]+)/).map(word).join('')])),
    cwd: word(cwd),
    command: command.map((argument, at) => isScript(at) ? inScript(argument) : word(argument)),
  }
}

/**
 * Puts paths of this machine in place of a box's. `word`: of one that is a path, alone or behind a compiler's -I or -L or an option's
 * name; `inScript`: wherever they stand by themselves in a text of ours for the shell.
 */
export function translator(mounts: Mount[]): { word: (text: string) => string; inScript: (text: string) => string } {
  const moved = mounts.filter((mount) => mount.kind === 'write' || (mount.kind === 'read' && mount.from !== mount.to && mount.to !== '/etc'))
  const paths = new Map(moved.flatMap((mount) => 'from' in mount ? [[mount.to, mount.from]] : []))
  if (paths.size === 0) return { word: (text) => text, inScript: (text) => text }
  const longestFirst = [...paths.keys()].sort((a, b) => b.length - a.length).map((path) => path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')
  const own = (path: string) => paths.get(path) ?? path
  const word = new RegExp(`^(-[IL]|[\\w-]+=)?(${longestFirst})(?=/|$)`)
  const inScript = new RegExp(`(?<![\\w./-])(${longestFirst})(?![\\w.-])`, 'g')
  return { word: (text) => text.replace(word, (_, before: string | undefined, path: string) => `${before ?? ''}${own(path)}`), inScript: (text) => text.replace(inScript, own) }
}
