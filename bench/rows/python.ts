/** The products that are written in Python, each as its own documentation says to run it. */
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { recordedFiles } from '../../test/recording/folder.ts'
import { run } from '../lib/process.ts'
import { fill, filesOf } from '../upstream/listing.ts'
import { serve, type Row } from './row.ts'
import { venv } from './venv.ts'

const DEVPI = ['devpi-server==6.20.3', 'setuptools<81']
/** Who may make indexes. */
const USER = 'root'
const PROXPI = ['proxpi==1.3.1', 'gunicorn==27.0.1']
const SIMPLE_REPOSITORY = ['simple-repository-server==0.10.0']
const PYPISERVER = ['pypiserver==2.4.2']

export const devpi: Row = {
  name: 'devpi', peer: true, caches: true, metadata: true,
  prepare: async () => (await venv('devpi', DEVPI), '6.20.3'),
  async start({ folder, upstream, freshFor }) {
    const bin = await venv('devpi', DEVPI)
    const data = join(folder, 'server')
    const begun = existsSync(data)
    if (!begun) await run(join(bin, 'devpi-init'), ['--serverdir', data, '--no-root-pypi', '--root-passwd', ''])
    const server = await serve(join(bin, 'devpi-server'), (port) => [
      '--serverdir', data, '--host', '127.0.0.1', '--port', String(port), '--enable-core-metadata', '--logger-cfg', join(folder, 'logging.json'),
      ...freshFor === undefined ? [] : ['--mirror-cache-expiry', String(freshFor)],
    ], `/${USER}/mirror/+simple/`, { folder: await quiet(folder), seconds: 120 })
    if (!begun) await addMirror(new URL(server.index).origin, upstream.index)
    return server
  },
}

export const proxpi: Row = {
  name: 'proxpi', peer: true, caches: true, metadata: true,
  prepare: async () => (await venv('proxpi', PROXPI), '1.3.1, gunicorn 27.0.1'),
  async start({ folder, upstream, freshFor = 1800 }) {
    const bin = await venv('proxpi', PROXPI)
    const files = join(folder, 'files')
    await mkdir(files, { recursive: true })
    return serve(join(bin, 'gunicorn'), (port) => ['--bind', `127.0.0.1:${port}`, '--workers', '1', '--threads', '8', '--log-level', 'warning', 'proxpi.server:app'], '/index/', {
      folder, env: () => ({ PROXPI_INDEX_URL: upstream.index, PROXPI_CACHE_DIR: files, PROXPI_INDEX_TTL: String(freshFor), PROXPI_LOGGING_LEVEL: 'WARNING' }),
    })
  },
}

export const simpleRepository: Row = {
  name: 'simple-repository', peer: true, caches: false, metadata: true,
  prepare: async () => (await venv('simple-repository', SIMPLE_REPOSITORY), '0.10.0'),
  async start({ folder, upstream }) {
    const bin = await venv('simple-repository', SIMPLE_REPOSITORY)
    // Without the flag clients are sent to the upstream for every file.
    return serve(join(bin, 'simple-repository-server'), (port) => ['--host', '127.0.0.1', '--port', String(port), '--stream-http-resources', upstream.index.replace(/\/$/, '')], '/simple/', { folder })
  },
}

/** It has what is put into its folder, and proxies nothing: it gets the recorded files, and empty ones by the names of the rest of the pages. */
export const pypiserver: Row = {
  name: 'pypiserver', peer: true, caches: false, metadata: false,
  prepare: async () => (await venv('pypiserver', PYPISERVER), '2.4.2'),
  async start({ folder, upstream, projects }) {
    const bin = await venv('pypiserver', PYPISERVER)
    const files = join(folder, 'files')
    if (!existsSync(files)) {
      await mkdir(files)
      const real = new Map(upstream.recording === undefined ? [] : (await recordedFiles(upstream.recording)).map(({ filename, path }) => [filename, path]))
      for (const [index, file] of (await Promise.all(projects.map((project) => filesOf(upstream.index, project)))).flatMap((listed) => [...listed.entries()])) {
        const { filename } = file
        const path = real.get(filename)
        if (index === 0 && filename.startsWith('made_')) await fill(files, file)
        else if (path) await symlink(path, join(files, filename))
        else await writeFile(join(files, filename), '')
      }
    }
    return serve(join(bin, 'pypi-server'), (port) => ['run', '-i', '127.0.0.1', '-p', String(port), '--disable-fallback', '--hash-algo', 'sha256', '--log-stream', 'none', files], '/simple/', { folder })
  },
}

/** Logs of warnings alone; the folder again. */
async function quiet(folder: string): Promise<string> {
  await writeFile(join(folder, 'logging.json'), JSON.stringify({ version: 1, disable_existing_loggers: false, root: { level: 'WARNING' } }))
  return folder
}

async function addMirror(origin: string, upstream: string): Promise<void> {
  const login = await post('POST', `${origin}/+login`, { user: USER, password: '' })
  const token = ((await login.json()) as { result: { password: string } }).result.password
  const made = await post('PUT', `${origin}/${USER}/mirror`, { type: 'mirror', mirror_url: upstream, volatile: false }, { 'X-Devpi-Auth': Buffer.from(`${USER}:${token}`).toString('base64') })
  if (!made.ok) throw new Error(`devpi made no mirror: ${made.status} ${await made.text()}`)
}

function post(method: string, url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, { method, headers: { 'Content-Type': 'application/json', 'Accept': 'application/json', ...headers }, body: JSON.stringify(body) })
}
