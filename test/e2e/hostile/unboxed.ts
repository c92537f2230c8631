/**
 * The counter-proof's place: no box, the rights of root, the machine's network and programs. What is written goes into a root folder that is
 * thrown away, processes end with their control group, so that this machine is not harmed.
 */
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { findGroups } from '../../../src/engine/embedded/cgroup.ts'
import { cleanEnv, type Lab } from '../lab.ts'
import type { Sdist } from '../sdists.ts'

const MB = 1 << 20

export interface Place {
  /** A shell's, run where the sdist lies. */
  script: string
  env?: Record<string, string>
  /** `disk`: its /tmp is a file system of so many megabytes; of its own otherwise, unless it is `host`. */
  disk?: number
  /** It sees the machine's processes, sockets and /tmp. */
  host?: boolean
  /** Of its control group. */
  memoryBytes?: number
  processes?: number
}

/** `refusedForks`: how often the control group's limit on processes was met. */
export interface Unboxed { text: string; oomKills: number; peakBytes: number; refusedForks: number }

/** Runs a script beside the sdist. Needs root, overlayfs and control groups. */
export async function unboxed(lab: Lab, sdist: Pick<Sdist, 'filename' | 'bytes'>, place: Place): Promise<Unboxed> {
  const groups = await findGroups()
  if (!groups || process.getuid?.() !== 0) throw new Error('the counter-proof makes control groups and mounts: run it as root, where that is allowed')
  const folder = await lab.folder()
  await writeFile(join(folder, sdist.filename), sdist.bytes)
  const disk = place.disk === undefined ? '1g' : await ext4(folder, place.disk)
  const name = `unboxed-${randomBytes(4).toString('hex')}`
  const group = groups.make(name, { memoryBytes: place.memoryBytes ?? 4096 * MB, processes: place.processes ?? 4096 })
  const [file, ...args] = group.entering
  try {
    const namespaces = ['unshare', '--mount', ...place.host ? [] : ['--pid', '--fork', '--kill-child']]
    const outer = ['bash', '-c', OUTER, 'bash', folder, sdist.filename, place.host ? 'host' : 'own', disk, place.script]
    const { all, failed, exitCode } = await execa(file, [...args, ...namespaces, ...outer], {
      env: cleanEnv(place.env), extendEnv: false, reject: false, all: true, stdin: 'ignore', timeout: 120_000, maxBuffer: 200 * MB, stripFinalNewline: false,
    })
    const { oomKills, peakBytes = 0 } = group.figures()
    return { text: `${all}${failed ? `\nended with ${exitCode}` : ''}`, oomKills, peakBytes, refusedForks: await refused(groups.folders(name)) }
  } finally {
    await group.remove()
  }
}

async function refused(folders: string[]): Promise<number> {
  const events = await Promise.all(folders.map((folder) => readFile(join(folder, 'pids.events'), 'utf8').catch(() => '')))
  return Number(/^max (\d+)$/m.exec(events.join('\n'))?.[1] ?? 0)
}

/** Mounts end with the namespace that they were made in. */
const OUTER = `set -e
place=$1 name=$2 kind=$3 disk=$4 script=$5
mkdir "$place"/over
mount -t tmpfs -o size=1g none "$place"/over
mkdir "$place"/over/{upper,work,root}
root=$place/over/root
mount -t overlay -o lowerdir=/,upperdir="$place"/over/upper,workdir="$place"/over/work overlay "$root"
mount -t tmpfs none "$root"/dev
for node in null zero random urandom; do touch "$root/dev/$node"; mount --bind "/dev/$node" "$root/dev/$node"; done
ln -s /proc/self/fd "$root"/dev/fd
mkdir "$root"/dev/shm
if [ "$kind" = host ]; then
  mount --rbind /proc "$root"/proc
  mount --rbind /run "$root"/run
else
  mount -t proc proc "$root"/proc
  case $disk in
    /*) mount -o loop "$disk" "$root"/tmp ;;
    *) mount -t tmpfs -o size="$disk" none "$root"/tmp ;;
  esac
fi
mkdir "$root"/tmp/unboxed
mv "$place/$name" "$root"/tmp/unboxed/
exec chroot "$root" env HOME=/root TMPDIR=/tmp sh -c 'cd /tmp/unboxed; eval "$1"' sh "$script"
`

/** The image of a small file system; without loop devices a limit that a tmpfs has. */
async function ext4(folder: string, megabytes: number): Promise<string> {
  const image = join(folder, 'disk.img')
  const run = (command: string, args: string[]) => execa(command, args, { env: cleanEnv(), extendEnv: false, reject: false })
  await run('truncate', ['-s', `${megabytes}M`, image])
  const made = await run('mkfs.ext4', ['-q', '-F', image])
  const loop = await run('losetup', ['--find'])
  if (made.exitCode === 0 && loop.exitCode === 0) return image
  console.log('       no loop device can be had here: a tmpfs of that size is the small disk')
  return `${megabytes}m`
}
