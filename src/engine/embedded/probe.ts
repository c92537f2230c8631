/** Which box this machine can make: found by making one. */
import { execa } from 'execa'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { MuslinError } from '../../errors.ts'
import { lastWords } from '../cli.ts'
import { bubblewrapBox } from './box-bubblewrap.ts'
import { noBox } from './box-none.ts'
import { unshareBox } from './box-unshare.ts'
import { OUTSIDE, type Box } from './box.ts'
import { cgroupsHold } from './cgroup.ts'
import { makeFolder } from './folder.ts'
import { layout, lookAround } from './layout.ts'
import { freeUser } from './users.ts'

export type Isolation = 'sandbox' | 'none'
export type Probe = { ok: true; how: Box['how']; why: string } | { ok: false; why: string }

/** `launcher` is a CPython of the machine; `how` leaves the other kinds of box out. */
interface Wanted { isolation: Isolation; launcher: string; how?: Box['how'] }

/** Really runs a box; never throws. `why` is one line: what was found, or the cause and the remedy. */
export async function probeSandbox(wanted: Wanted): Promise<Probe> {
  const found = await findBox(wanted)
  return 'box' in found ? { ok: true, how: found.box.how, why: found.why } : { ok: false, why: found.why }
}

/** The best box that works here. */
export async function findBox({ isolation, launcher, how: only }: Wanted): Promise<{ box: Box; why: string } | { why: string }> {
  if (isolation === 'none') return { box: noBox(), why: 'isolation is none: builds run as this user, and see what it sees' }
  const root = process.getuid?.() === 0
  const version = await bubblewrapVersion()
  const candidates = (root ? [true, false] : [true]).map((nested) => ({ nested, root, launcher }))
  const boxes = [
    ...(version ? candidates.map(bubblewrapBox) : []),
    ...candidates.map(unshareBox),
  ].filter(({ how }) => only === undefined || how === only)
  const failures: string[] = []
  for (const box of boxes) {
    const failure = await tryBox(box, root)
    const as = root ? 'made as root, run as a user of its own' : 'made in a user namespace'
    if (failure === undefined) return { box, why: `${box.how === 'bubblewrap' ? `bubblewrap ${version}` : 'unshare'} works: ${as}; memory is bounded by ${await cgroupsHold() ? 'control groups' : 'looking, for want of control groups'}` }
    failures.push(`${box.how}: ${failure}${box.how === 'bubblewrap' && !root && setUserId('bwrap') ? ', and as what may gain no rights it has none of its set-user-id bit' : ''}`)
  }
  return { why: explain({ failures, bubblewrap: version !== undefined, sysctl, container: existsSync('/.dockerenv') || existsSync('/run/.containerenv') }) }
}

/** Writes, reads, and tries for a user namespace: there it would be root again, before parts of the kernel that were only ever meant for root. */
const TRIAL = 'echo "$1" > /tmp/word && cat /tmp/word && [ -d /proc/self ] && id -u && if unshare --user true 2>/dev/null; then echo open; else echo closed; fi'

/** Runs a box as a run would, with nothing of an image in it; the reason why that fails, if it does. */
async function tryBox(box: Box, root: boolean): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'muslin-box-'))
  try {
    const user = root ? freeUser(readFileSync('/proc/self/uid_map', 'utf8'), new Set()) : undefined
    if (root && user === undefined) return 'this container has no user ids to spare: give it more than 100 below 60000'
    const machine = lookAround()
    const made = await makeFolder({ path: join(folder, 'run'), machine, writable: ['/tmp'], network: 'none', user, shownUser: box.shownUser(user) })
    const mounts = layout({ machine, root: { binds: [], env: {} }, etc: made.etc, places: made.places, network: 'none' })
    const word = randomBytes(8).toString('hex')
    const [file = '', ...args] = box.enclose({
      id: 'probe', mounts, network: 'none', stage: made.stage, user, env: OUTSIDE, cwd: '/tmp',
      limits: { diskBytes: 1 << 20, processes: 32, files: 64, cores: undefined },
      command: ['sh', '-c', TRIAL, 'sh', word],
    })
    const ended = await execa(file, args, { env: OUTSIDE, extendEnv: false, reject: false, stdin: 'ignore', timeout: 20_000, cwd: '/', detached: true })
    const [wrote, as, further] = ended.stdout.split('\n')
    if (wrote === word && as === String(box.shownUser(user)) && further === 'closed') return undefined
    if (further === 'open') return 'builds in it could make user namespaces of their own'
    return ended.timedOut ? 'no answer in 20 s' : lastWords(ended.stderr) || ended.originalMessage || `exit code ${ended.exitCode}`
  } catch (error) {
    return error instanceof MuslinError ? error.detail : String(error)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function bubblewrapVersion(): Promise<string | undefined> {
  const { stdout, exitCode } = await execa('bwrap', ['--version'], { env: OUTSIDE, extendEnv: false, reject: false, stdin: 'ignore', timeout: 10_000 })
  return exitCode === 0 ? /\d+(\.\d+)+/.exec(stdout)?.[0] : undefined
}

/** A program that takes its owner's rights: not where no_new_privs was set before, as it is for every box. */
function setUserId(program: string): boolean {
  const found = OUTSIDE.PATH.split(':').map((folder) => statSync(join(folder, program), { throwIfNoEntry: false })).find((one) => one?.isFile())
  return found !== undefined && (found.mode & 0o4000) !== 0
}

function sysctl(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${name}`, 'utf8').trim()
  } catch {
    return undefined
  }
}

/** One line: the remedy that the machine's own settings ask for, then what was tried. Pure. */
export function explain({ failures, bubblewrap, sysctl, container }: {
  failures: string[]
  bubblewrap: boolean
  /** A kernel setting by its path below /proc/sys; undefined where it has none such. */
  sysctl: (name: string) => string | undefined
  container: boolean
}): string {
  return `${remedy()} (${[...new Set(failures)].join('; ')})`

  function remedy(): string {
    if (sysctl('user/max_user_namespaces') === '0') return 'user namespaces are switched off: run sysctl -w user.max_user_namespaces=10000'
    if (sysctl('kernel/unprivileged_userns_clone') === '0') return 'user namespaces are for root alone here: run sysctl -w kernel.unprivileged_userns_clone=1'
    if (container) {
      return 'a container without privileges can make no boxes: start it with --privileged, or use Docker for builds, or set isolation to none if nothing in it needs protection'
    }
    if (sysctl('kernel/apparmor_restrict_unprivileged_userns') === '1') {
      const way = 'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0'
      return bubblewrap ? `AppArmor forbids user namespaces: run ${way}` : `AppArmor forbids user namespaces: run apt-get install bubblewrap, and if that is not enough ${way}`
    }
    return bubblewrap ? 'neither bubblewrap nor unshare works here' : 'bubblewrap is not installed: run apt-get install bubblewrap, or what installs it on this system'
  }
}
