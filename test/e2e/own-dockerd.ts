/**
 * A second Docker daemon that is as far away as another machine: in a network and a mount namespace of its own, reached over a cable (veth)
 * alone, with nothing of this machine's engine.
 */
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { cleanEnv, type Lab } from './lab.ts'

export interface Remote {
  /** As DOCKER_HOST takes it. */
  address: string
  /** This machine, as it is seen from there. */
  host: string
  /** A network there from whose containers this machine alone is reached, made as `docs/engines.md` says. */
  network: string
  /** Ends the daemon with all that runs in it, and begins another over what it left; resolves when that one answers. */
  restart(): Promise<void>
}

const BRIDGE = 'muslin0'
/** Hides the engine of this machine from the new one, then waits for the other end of the cable. TERM ends the daemon, HUP begins it anew. */
const START = `mount --make-rprivate / && mount -t tmpfs tmpfs /run && mkdir -p /run/lock && ip link set lo up && echo apart && read -r address || exit
trap 'again=; kill $!' TERM
trap 'again=yes; kill $!' HUP
while :; do
  again=
  dockerd "$@" --host "tcp://$address:2375" &
  wait $!; wait $!; code=$?
  [ -n "$again" ] || exit $code
done`

/** Starts it, with this machine's images of these names in it. It ends with the lab, and with the process that started it. */
export async function ownDockerd(lab: Lab, images: string[]): Promise<Remote> {
  const folder = await lab.folder()
  const run = (command: string, ...args: string[]) => execa(command, args, { env: cleanEnv(), extendEnv: false })
  const options = ['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec'), '--pidfile', join(folder, 'pid')]
  const daemon = execa('setpriv', ['--pdeathsig', 'TERM', 'unshare', '--net', '--mount', 'sh', '-c', START, 'sh', ...options], {
    env: cleanEnv(), extendEnv: false, reject: false, stdin: 'pipe', buffer: { stdout: false, stderr: true }, maxBuffer: 16 << 20,
  })
  lab.onClose(async () => {
    daemon.kill('SIGTERM')
    await daemon
  })
  await Promise.race([once(daemon.stdout, 'data'), daemon.then(({ stderr }) => { throw new Error(`namespaces cannot be made: ${stderr}`) })])
  // 198.18.0.0/15 is for measurements in laboratories (RFC 2544): no engine gives it to its networks.
  const subnet = `198.18.${(process.pid >> 6) & 0xff}.${(process.pid & 0x3f) << 2}`
  const [host, there] = [1, 2].map((last) => subnet.replace(/\d+$/, (base) => String(Number(base) + last))) as [string, string]
  const cable = `muslin${process.pid}`
  const inside = ['--target', String(daemon.pid), '--net']
  await run('ip', 'link', 'add', cable, 'type', 'veth', 'peer', 'name', 'cable', 'netns', String(daemon.pid))
  await run('ip', 'address', 'add', `${host}/30`, 'dev', cable)
  await run('ip', 'link', 'set', cable, 'up')
  await run('nsenter', ...inside, 'ip', 'address', 'add', `${there}/30`, 'dev', 'cable')
  await run('nsenter', ...inside, 'ip', 'link', 'set', 'cable', 'up')
  await run('nsenter', ...inside, 'ip', 'route', 'add', 'default', 'via', host)
  daemon.stdin.end(`${there}\n`)
  const address = `tcp://${there}:2375`
  await answers(address, daemon)
  await run('docker', '--host', address, 'network', 'create', '--opt', `com.docker.network.bridge.name=${BRIDGE}`, '--opt', 'com.docker.network.bridge.enable_icc=false', BRIDGE)
  await run('nsenter', ...inside, 'iptables', '--insert', 'DOCKER-USER', '--in-interface', BRIDGE, '!', '--destination', host, '--jump', 'DROP')
  await run('nsenter', ...inside, 'iptables', '--insert', 'INPUT', '--in-interface', BRIDGE, '--jump', 'DROP')
  await execa('docker', ['save', ...images], { env: cleanEnv(), extendEnv: false, buffer: false }).pipe('docker', ['--host', address, 'load', '--quiet'], { env: cleanEnv(), extendEnv: false })
  return {
    address, host, network: BRIDGE,
    async restart() {
      const begun = async () => (await execa('docker', ['--host', address, 'info', '--format', '{{.ID}} {{.SystemTime}}'], { env: cleanEnv(), extendEnv: false, reject: false, timeout: 5_000 })).exitCode === 0
      daemon.kill('SIGHUP')
      while (await begun()) await sleep(100)
      await answers(address, daemon)
    },
  }
}

async function answers(address: string, daemon: PromiseLike<{ stderr: string | undefined }>): Promise<void> {
  const ended = daemon.then(({ stderr }) => { throw new Error(`the second dockerd ended: ${(stderr ?? '').slice(-2000)}`) })
  for (let attempt = 0; attempt < 100; attempt++) {
    const { exitCode } = await execa('docker', ['--host', address, 'version'], { env: cleanEnv(), extendEnv: false, reject: false, timeout: 5_000 })
    if (exitCode === 0) return
    await Promise.race([sleep(300), ended])
  }
  throw new Error(`no dockerd answers at ${address}`)
}
