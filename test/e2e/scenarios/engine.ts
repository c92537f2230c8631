/** The engine port's contract against the real engine, with each docker client of this machine. */
import { execa } from 'execa'
import engineContract from '../engine.contract.ts'
import { cleanEnv, type Check } from '../lab.ts'

export default async function engine(check: Check): Promise<void> {
  const seen = new Set<string>()
  for (const command of ['docker', '/usr/bin/docker']) {
    const { stdout, exitCode } = await execa(command, ['version', '--format', '{{.Client.Version}}'], { env: cleanEnv(), extendEnv: false, reject: false })
    if (exitCode !== 0 || seen.has(stdout)) continue
    seen.add(stdout)
    await engineContract((name, run) => check(`client ${stdout}: ${name}`, run), { command })
  }
}
