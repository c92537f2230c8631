/** A Podman with a store, networks and settings of its own, so that a test neither needs nor changes those of the machine. */
import { mkdir, readFile, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { cleanEnv, type Lab } from './lab.ts'

const INSTALL = 'on Debian: apt-get install --no-install-recommends podman crun netavark aardvark-dns iptables'
const OVERLAY_MAGIC = 0x794c7630

/** The environment in which podman's client finds it, with docker's images of these names in it. */
export async function ownPodman(lab: Lab, images: string[]): Promise<Record<string, string>> {
  const folder = await lab.folder()
  const store = join(folder, 'store')
  const overlay = (await statfs(folder)).type !== OVERLAY_MAGIC
  await mkdir(join(folder, 'networks'))
  await writeFile(join(folder, 'containers.conf'), [
    '[network]', 'network_backend = "netavark"', `network_config_dir = ${JSON.stringify(join(folder, 'networks'))}`,
    // Neither systemd nor its journal is in every container that runs tests.
    '[engine]', 'cgroup_manager = "cgroupfs"', 'events_logger = "file"', ...await mixedGroups() ? ['runtime = "runc"'] : [], '',
  ].join('\n'))
  await writeFile(join(folder, 'storage.conf'), ['[storage]', `driver = "${overlay ? 'overlay' : 'vfs'}"`, `graphroot = ${JSON.stringify(store)}`, `runroot = ${JSON.stringify(join(folder, 'run'))}`, ''].join('\n'))
  const more = { CONTAINERS_CONF: join(folder, 'containers.conf'), CONTAINERS_STORAGE_CONF: join(folder, 'storage.conf') }
  const env = cleanEnv(more)
  const client = await execa('podman', ['version'], { env, extendEnv: false, reject: false })
  if (client.exitCode !== 0) throw new Error(`no podman here (${client.stderr || client.shortMessage}); ${INSTALL}`)
  // It mounts its store on itself.
  lab.onClose(async () => { await execa('umount', ['--lazy', join(store, 'overlay')], { reject: false }) })
  await execa('docker', ['save', ...images], { env: cleanEnv(), extendEnv: false, buffer: false }).pipe('podman', ['load', '--quiet'], { env, extendEnv: false })
  return more
}

/** Whether the machine has controllers in both versions of control groups, which crun refuses. */
async function mixedGroups(): Promise<boolean> {
  return (await readFile('/sys/fs/cgroup/unified/cgroup.controllers', 'utf8').catch(() => '')).trim() !== ''
}
