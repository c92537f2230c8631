/** Containers in which locks are made and installed by. */
import assert from 'node:assert/strict'
import { execa } from 'execa'
import { cleanEnv, docker, HOST, LABEL, type Lab } from '../lab.ts'

export interface Ran { code: number; output: string }

export interface Box {
  /** Runs a shell's command with a home of its own, so that no cache tells what an earlier one saw. */
  run(command: string, env?: Record<string, string>): Promise<Ran>
  /** What a command that must work printed. */
  sound(command: string, env?: Record<string, string>): Promise<string>
  write(path: string, text: string): Promise<void>
}

/** Wide, so that no tool breaks its lines. */
const envOf = (host: string) => ({
  COLUMNS: '1000', NO_COLOR: '1', PIP_TRUSTED_HOST: `${HOST} ${host}`, PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_ROOT_USER_ACTION: 'ignore', PIP_NO_CACHE_DIR: '1',
  UV_PYTHON_DOWNLOADS: 'never', UV_LINK_MODE: 'copy', UV_NO_CACHE: '1',
  POETRY_VIRTUALENVS_IN_PROJECT: 'true', POETRY_VIRTUALENVS_OPTIONS_NO_PIP: 'true', PYTHON_KEYRING_BACKEND: 'keyring.backends.null.Keyring',
  PDM_NON_INTERACTIVE: '1', PDM_CHECK_UPDATE: 'false', PDM_IGNORE_ACTIVE_VENV: '1',
  PIPENV_VENV_IN_PROJECT: '1', PIPENV_NOSPIN: '1', PIPENV_YES: '1',
})

/** A container of `image`, with clients of another image, which are folders of its /opt. `host` is where indexes are beside the well-known name. */
export async function startBox(lab: Lab, { host, image, others, clients }: { host: string; image: string; others: string; clients: string[] }): Promise<Box> {
  const flags = Object.entries(envOf(host)).flatMap(([name, value]) => ['--env', `${name}=${value}`])
  const id = await docker(['run', '-d', '--init', '--label', LABEL, '--add-host', `${HOST}:host-gateway`, ...flags, image, 'sleep', '3600'])
  lab.onClose(async () => { await docker(['rm', '-f', id]) })
  const lender = await docker(['create', '--label', LABEL, others])
  lab.onClose(async () => { await docker(['rm', '-f', lender]) })
  for (const client of clients) await execa('docker', ['cp', `${lender}:/opt/${client}`, '-'], { env: cleanEnv(), extendEnv: false, buffer: false }).pipe('docker', ['cp', '-', `${id}:/opt`], { env: cleanEnv(), extendEnv: false })

  async function run(command: string, env: Record<string, string> = {}, input?: string): Promise<Ran> {
    const told = Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`])
    const { exitCode, all } = await execa('docker', ['exec', ...(input === undefined ? [] : ['-i']), ...told, id, 'sh', '-c', `export HOME=$(mktemp -d); ${command}`], {
      env: cleanEnv(), extendEnv: false, reject: false, all: true, timeout: 300_000, ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
    })
    return { code: exitCode ?? -1, output: all }
  }
  async function sound(command: string, env: Record<string, string> = {}, input?: string): Promise<string> {
    const { code, output } = await run(command, env, input)
    assert.equal(code, 0, `${command}\n${output.slice(-3000)}`)
    return output
  }
  return { run, sound, async write(path, text) { await sound(`mkdir -p $(dirname ${path}) && cat > ${path}`, {}, text) } }
}
