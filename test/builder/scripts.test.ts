/** The scripts that run in containers, run here by this machine's Python and shell. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer, type ServerResponse } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fetchWheels } from '../../src/builder/fetch.ts'
import { PLACE, type Box, type Session } from '../../src/builder/session.ts'
import { parseUserAgent } from '../../src/domain/client.ts'

const BUILDERS = join(import.meta.dirname, '../../builders')
const python = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 11, 4))']).status === 0
const pip = python && spawnSync('python3', ['-m', 'pip', '--version']).status === 0

let folder: string
beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'muslin-scripts-')) })
afterEach(() => rm(folder, { recursive: true }))

async function write(files: Record<string, string>) {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
}

function run(command: string, args: string[], options: { cwd?: string; env?: Record<string, string> } = {}) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: options.cwd ?? folder, env: { PATH: process.env['PATH'] ?? '', HOME: folder, ...options.env }, encoding: 'utf8' })
  return { status, output: stdout + stderr }
}

/** As `run`, while this process goes on and can be connected to. */
async function runAside(command: string, args: string[]): Promise<string> {
  const { all } = await execa(command, args, { cwd: folder, env: { PATH: process.env['PATH'] ?? '', HOME: folder }, extendEnv: false, reject: false, all: true })
  return all
}

const json = async (name: string) => JSON.parse(await readFile(join(folder, name), 'utf8')) as unknown

describe.skipIf(!python)('patch.py', () => {
  beforeEach(() => copyFile(`${BUILDERS}/scripts/patch.py`, join(folder, 'patch.py')))
  const SOURCE = 'one\ntwo\nthree\nfour\nfive\n'
  const patch = async (diff: string) => {
    await write({ 'p.patch': diff, 'src/a/x.c': SOURCE, 'src/gone.c': 'gone\n' })
    return run('python3', [`${folder}/patch.py`, `${folder}/p.patch`], { cwd: `${folder}/src` })
  }
  const text = (name: string) => readFile(join(folder, 'src', name), 'utf8').catch(() => undefined)

  test('changes, adds and removes files, hunks away from their lines too', async () => {
    expect(await patch(`About this.

diff --git a/a/x.c b/a/x.c
--- a/a/x.c\t2024-01-01
+++ b/a/x.c
@@ -1,2 +1,3 @@ some function
 one
+one and a half
 two
@@ -14,2 +15,2 @@
 four
-five
+5
\\ No newline at end of file
--- /dev/null
+++ b/new/y.c
@@ -0,0 +1 @@
+new
--- a/gone.c
+++ /dev/null
@@ -1 +0,0 @@
-gone
`)).toEqual({ status: 0, output: '' })
    expect(await text('a/x.c')).toBe('one\none and a half\ntwo\nthree\nfour\n5')
    expect([await text('new/y.c'), await text('gone.c')]).toEqual(['new\n', undefined])
  })

  test('adds behind the line that a hunk without context names, as GNU patch does', async () => {
    expect(await patch('--- a/a/x.c\n+++ b/a/x.c\n@@ -0,0 +1 @@\n+zero\n@@ -3,0 +5,2 @@\n+3a\n+3b\n@@ -5 +8 @@\n-five\n+5\n@@ -5,0 +9 @@\n+six\n')).toEqual({ status: 0, output: '' })
    expect(await text('a/x.c')).toBe('zero\none\ntwo\nthree\n3a\n3b\nfour\n5\nsix\n')
  })

  test('changes and takes away again what it made before', async () => {
    expect(await patch('--- /dev/null\n+++ b/y.c\n@@ -0,0 +1 @@\n+y\n--- a/y.c\n+++ b/y.c\n@@ -1 +1 @@\n-y\n+z\n--- /dev/null\n+++ b/w.c\n@@ -0,0 +1 @@\n+w\n--- a/w.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-w\n')).toEqual({ status: 0, output: '' })
    expect([await text('y.c'), await text('w.c')]).toEqual(['z\n', undefined])
    expect(await patch('--- a/gone.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-gone\n--- a/gone.c\n+++ b/gone.c\n@@ -1 +1 @@\n-gone\n+come\n')).toEqual({ status: 1, output: 'patch.py: gone.c is missing\n' })
  })

  test('ends lines at LF alone: a CR, and what Python takes for the end of a line, is within one', async () => {
    await write({ 'src/cr.c': 'a\rb\r\nc\x0cd\ne\n' })
    expect(await patch('--- a/cr.c\n+++ b/cr.c\n@@ -1,3 +1,3 @@\n a\rb\r\n-c\x0cd\n+c\rd\n e\n')).toEqual({ status: 0, output: '' })
    expect(await text('cr.c')).toBe('a\rb\r\nc\rd\ne\n')
  })

  test.each([
    ['a hunk that does not fit', '--- a/a/x.c\n+++ b/a/x.c\n@@ -1 +1 @@\n-six\n+6\n', 'a/x.c does not hold what it changes at line 1'],
    ['a file that is absent', '--- a/b.c\n+++ b/b.c\n@@ -1 +1 @@\n-a\n+b\n', 'b.c is missing'],
    ['a file outside', '--- a/../../x\n+++ b/../../x\n@@ -1 +1 @@\n-a\n+b\n', 'it names a/../../x, which is no file of the sdist below a first folder'],
    ['a hunk that is cut off', '--- a/a/x.c\n+++ b/a/x.c\n@@ -1,3 +1,3 @@\n one\n', 'its last hunk is cut off'],
    ['no diff at all', 'hello\n', 'it changes no file'],
  ])('says what is wrong, and changes nothing: %s', async (_, diff, why) => {
    expect(await patch(`--- a/gone.c\n+++ b/gone.c\n@@ -1 +1 @@\n-gone\n+come\n${diff}`.slice(why === 'it changes no file' ? 61 : 0))).toMatchObject({ status: 1, output: `patch.py: ${why}\n` })
    expect([await text('a/x.c'), await text('gone.c')]).toEqual([SOURCE, 'gone\n'])
  })
})

describe.skipIf(!python)('hooks.py', () => {
  beforeEach(() => copyFile(`${BUILDERS}/scripts/hooks.py`, join(folder, 'hooks.py')))
  const BACKEND = `
import os
class Deep:
    def get_requires_for_build_wheel(self, settings): return ["one>=1", "two"]
    def prepare_metadata_for_build_wheel(self, folder, settings):
        os.mkdir(os.path.join(folder, "demo-1.0.dist-info"))
        with open(os.path.join(folder, "demo-1.0.dist-info", "METADATA"), "w", encoding="utf-8") as file: file.write("Name: d\\u00e9mo\\n")
        return "demo-1.0.dist-info"
deep = Deep()
`

  const told = (more: Record<string, unknown> = {}) => JSON.stringify({ sdist: 'x', backend: 'mine', backendPath: ['.'], settings: {}, requires: [], wantsMetadata: true, ...more })
  const ask = () => run('python3', [`${folder}/hooks.py`, 'ask'], { cwd: `${folder}/src` })

  test('asks an in-tree backend by its path: for metadata only where it has all that it requires', async () => {
    await write({ 'build.json': told({ backend: 'mine:deep', backendPath: ['build'] }), 'src/build/mine.py': BACKEND })
    expect(ask()).toMatchObject({ status: 0 })
    expect(await json('answer.json')).toEqual({ requires: ['one>=1', 'two'] })
    await write({ 'build.json': told({ backend: 'mine:deep', backendPath: ['build'], requires: ['two', 'one>=1'] }) })
    expect(ask()).toMatchObject({ status: 0 })
    expect(await json('answer.json')).toEqual({ requires: ['one>=1', 'two'], metadata: 'Name: démo\n' })
    await write({ 'build.json': told({ backend: 'mine:deep', backendPath: ['build'], requires: ['two', 'one>=1'], wantsMetadata: false }) })
    expect(ask()).toMatchObject({ status: 0 })
    expect(await json('answer.json')).toEqual({ requires: ['one>=1', 'two'] })
  })

  test('does not wait for what a backend leaves running', async () => {
    await write({ 'build.json': told(), 'src/mine.py': `
import os, time
def get_requires_for_build_wheel(settings):
    left = os.fork()
    if left == 0:
        os.close(1); os.close(2)
        time.sleep(30)
        os._exit(0)
    with open("left", "w") as file: file.write(str(left))
    return []
` })
    const began = Date.now()
    expect(ask()).toMatchObject({ status: 0 })
    expect(Date.now() - began).toBeLessThan(20_000)
    process.kill(Number(await readFile(join(folder, 'src/left'), 'utf8')), 'SIGKILL')
  })

  test('asks each question in a process of its own, and ends as it ended', async () => {
    const backend = (end: string) => `
import atexit, os
seen = []
def get_requires_for_build_wheel(settings):
    seen.append(1)
    atexit.register(print, "cleaned up", flush=True)
    return []
def prepare_metadata_for_build_wheel(folder, settings):
    assert not seen
    ${end}
`
    await write({ 'build.json': told(), 'src/mine.py': backend('raise SystemExit(7)') })
    expect(ask()).toEqual({ status: 7, output: 'cleaned up\n' })
    await write({ 'src/mine.py': backend('print("on its way", flush=True); os.kill(os.getpid(), 11)') })
    expect(ask()).toMatchObject({ status: 139, output: 'cleaned up\non its way\n' })
  })

  test('builds with the settings, the metadata that is there, and folders whose names are the same each time', async () => {
    const backend = `
import os, tempfile
def build_wheel(folder, settings, metadata=None):
    with open(os.path.join(folder, "seen"), "w") as file: file.write(" ".join([settings["a"], os.path.basename(metadata or "none"), os.path.basename(tempfile.mkdtemp()), os.path.basename(tempfile.mkdtemp())]))
`
    await write({ 'build.json': told({ settings: { a: 'b' } }), 'src/mine.py': backend })
    expect(run('python3', [`${folder}/hooks.py`, 'build'], { cwd: `${folder}/src`, env: { TMPDIR: folder } })).toMatchObject({ status: 0 })
    expect(await readFile(join(folder, 'out/seen'), 'utf8')).toBe('b none tmp00000000 tmp00000001')
    await write({ 'metadata/demo-1.0.dist-info/METADATA': '' })
    expect(run('python3', [`${folder}/hooks.py`, 'build'], { cwd: `${folder}/src`, env: { TMPDIR: folder } })).toMatchObject({ status: 0 })
    expect(await readFile(join(folder, 'out/seen'), 'utf8')).toBe('b demo-1.0.dist-info tmp00000002 tmp00000003')
  })

  test('takes absent hooks for an empty answer, and imports nothing from the source folder by itself', async () => {
    await write({ 'build.json': told(), 'src/mine.py': '' })
    ask()
    expect(await json('answer.json')).toEqual({ requires: [], metadata: null })
    await write({ 'build.json': told({ backendPath: [] }) })
    expect(ask()).toMatchObject({ status: 1, output: expect.stringContaining('ModuleNotFoundError') as string })
  })

  test('unpacks every kind of sdist, modes included, and not outside', async () => {
    const make = `
import tarfile, zipfile, io, sys
def add(t, name, text, mode=0o644):
    i = tarfile.TarInfo(name); i.size = len(text); i.mode = mode; t.addfile(i, io.BytesIO(text))
for kind in "a.tar.gz", "a.tgz", "b.tar.bz2", "c.txz", "d.tar":
    mode = {"z": "gz", "2": "bz2"}.get(kind[-1], "") if kind != "c.txz" else "xz"
    with tarfile.open(kind, "w:" + mode) as t: add(t, kind + "/configure", b"x", 0o755)
with tarfile.open("bad.tar.gz", "w:gz") as t: add(t, "../out", b"x")
with zipfile.ZipFile("a.zip", "w") as z:
    i = zipfile.ZipInfo("z-1/configure"); i.external_attr = 0o100755 << 16; z.writestr(i, "x")
`
    expect(run('python3', ['-c', make]).output).toBe('')
    for (const [sdist, file] of [...['a.tar.gz', 'a.tgz', 'b.tar.bz2', 'c.txz', 'd.tar'].map((kind) => [kind, `${kind}/configure`] as const), ['a.zip', 'z-1/configure'] as const]) {
      await write({ 'build.json': JSON.stringify({ sdist }) })
      expect(run('python3', ['hooks.py', 'unpack'])).toMatchObject({ status: 0 })
      expect(run('test', ['-x', `src/${file}`]).status).toBe(0)
    }
    await write({ 'build.json': JSON.stringify({ sdist: 'bad.tar.gz' }) })
    expect(run('python3', ['hooks.py', 'unpack'])).toMatchObject({ status: 1, output: expect.stringContaining('OutsideDestinationError') })
  })
})

describe.skipIf(!python)('try.py', () => {
  test('says of each import what became of it', async () => {
    await copyFile(`${BUILDERS}/scripts/try.py`, join(folder, 'try.py'))
    await write({
      'modules.json': JSON.stringify(['good', 'crash', 'needs', 'leaves', 'odd', 'stays']),
      'good.py': 'print("hello")', 'crash.py': 'import os; os.kill(os.getpid(), 11)', 'needs.py': 'import no_such_module', 'leaves.py': 'import os; os._exit(3)',
      'odd.py': 'class Mine(OSError): pass\nraise Mine("x" * 5000)', 'stays.py': 'import subprocess; subprocess.Popen(["sleep", "300"])',
    })
    expect(run('python3', ['try.py', 'modules.json', 'answer.json'])).toMatchObject({ status: 0, output: expect.stringContaining('import crash: signal') })
    expect(await json('answer.json')).toEqual([
      { module: 'good', outcome: 'ok' },
      { module: 'crash', outcome: 'signal', message: 'SIGSEGV' },
      { module: 'needs', outcome: 'error', type: 'ModuleNotFoundError', name: 'no_such_module', message: "No module named 'no_such_module'" },
      { module: 'leaves', outcome: 'error', type: 'SystemExit', name: null, message: 'ended the process with 3' },
      { module: 'odd', outcome: 'error', type: 'OSError', name: null, message: 'x'.repeat(2000) },
      { module: 'stays', outcome: 'ok' },
    ])
  })
})

describe.skipIf(!pip)('fetch.py', () => {
  test('never runs the code of an sdist, even one that a requirement names by its path', async () => {
    await copyFile(`${BUILDERS}/scripts/fetch.py`, join(folder, 'fetch.py'))
    await write({
      'evil/setup.py': 'open("ran", "w")', 'evil/ran.py': '', 'evil/backend.py': `open(${JSON.stringify(join(folder, 'ran'))}, "w")`,
      'evil/pyproject.toml': '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]',
      'requirements.txt': `${folder}/evil\n`,
    })
    const fetched = run('python3', ['fetch.py', 'http://index.example/', 'download', '--only-binary=:all:', '--no-index', '--disable-pip-version-check', '-d', 'wheels', '-r', 'requirements.txt'])
    expect(fetched.status).not.toBe(0)
    expect(fetched.output).toContain('nothing is run while requirements are fetched')
    expect(run('test', ['-e', 'ran']).status).toBe(1)
    // The proof that it would have: the same pip without the guard.
    run('python3', ['-m', 'pip', 'download', '--only-binary=:all:', '--no-index', '--disable-pip-version-check', '-d', 'wheels', '-r', 'requirements.txt'])
    expect(run('test', ['-e', 'ran']).status).toBe(0)
  })

  test('connects to nothing but the index, whatever URL a requirement names', async () => {
    await copyFile(`${BUILDERS}/scripts/fetch.py`, join(folder, 'fetch.py'))
    let asked = 0
    const elsewhere = createServer((socket) => { asked++; socket.destroy() })
    await new Promise<void>((resolve) => { elsewhere.listen(0, '127.0.0.1', resolve) })
    try {
      const { port } = elsewhere.address() as AddressInfo
      await write({ 'requirements.txt': `mean @ http://127.0.0.1:${port}/mean-1.0-py3-none-any.whl\n` })
      const pip = (command: string[]) => runAside('python3', [...command, '--isolated', 'download', '--disable-pip-version-check', '--retries', '0', '-d', 'wheels', '-r', 'requirements.txt'])
      expect(await pip(['fetch.py', 'http://127.0.0.1:9/'])).toContain('nothing but the index is asked while requirements are fetched')
      expect(asked).toBe(0)
      await pip(['-m', 'pip'])
      expect(asked).toBeGreaterThan(0)
    } finally {
      elsewhere.close()
    }
  })

  test('tells the index that it is a build\'s, whatever environment pip is isolated from', async () => {
    const agents: (string | undefined)[] = []
    const index = createHttpServer((request, response) => {
      agents.push(request.headers['user-agent'])
      response.writeHead(404).end()
    })
    await new Promise<void>((resolve) => { index.listen(0, '127.0.0.1', resolve) })
    const here = (text: string) => text.replaceAll(PLACE, folder)
    const box: Pick<Box, 'put' | 'exec'> = {
      async put(entries) {
        for (const { name, body } of entries) if (typeof body === 'string' || Buffer.isBuffer(body)) await write({ [name]: body.toString() })
      },
      async exec([program = '', ...rest], { env = {} } = {}) {
        const { all, exitCode } = await execa(program, rest.map(here), {
          cwd: folder, env: { ...env, HOME: folder, PATH: process.env['PATH'] ?? '' }, extendEnv: false, reject: false, all: true,
        })
        return { exitCode: exitCode ?? -1, text: all }
      },
    }
    const session = { within: (_spec: unknown, use: (given: Box) => Promise<unknown>) => use(box as Box) } as unknown as Session
    try {
      const { port } = index.address() as AddressInfo
      const fetched = fetchWheels(session, { image: 'image', indexUrl: `http://127.0.0.1:${port}/`, name: 'fetched', requirements: ['demo'] })
      await expect(fetched).rejects.toMatchObject({ failure: { class: 'build-requirement-unbuildable', key: 'demo' } })
      expect(agents.map((agent) => parseUserAgent(agent))).toEqual([expect.objectContaining({ tool: 'pip', own: true })])
    } finally {
      index.close()
    }
  })
})

test('what the Dockerfile runs installs by apk and pip, and makes the user that builds run as', async () => {
  const dockerfile = await readFile(`${BUILDERS}/alpine/Dockerfile`, 'utf8')
  const [, source, target] = /^COPY (\S+) (\/tmp\/\S+)$/m.exec(dockerfile) ?? []
  const [command, ...others] = [...dockerfile.matchAll(/^RUN (.*)$/gm)].map(([, line]) => line!)
  if (!source || !target || !command) throw new Error('the Dockerfile copies nothing, or runs nothing')
  expect(others).toEqual([])
  expect(command).toContain(target)
  const copied = join(folder, 'setup.sh')
  /** As an engine runs it, in a shell whose environment holds the arguments, with the copied file here instead of there. */
  const runLine = async () => {
    await copyFile(`${BUILDERS}/alpine/${source}`, copied)
    return run('sh', ['-c', command.replaceAll(target, copied)], { env })
  }
  const record = (name: string) => `#!/bin/sh\necho "${name} $*" >> "$RECORD"\n`
  await write({
    'bin/apk': record('apk'), 'bin/adduser': record('adduser'),
    'bin/python3': '#!/bin/sh\necho "python3 $*" >> "$RECORD"\ncase "$1" in -c) echo /usr/local/lib/python3.13;; esac\ncase "$*" in *compileall*) exit 1;; esac\n',
  })
  for (const name of ['apk', 'adduser', 'python3']) await chmod(join(folder, 'bin', name), 0o755)
  const env = { PATH: `${folder}/bin:${process.env['PATH']}`, RECORD: `${folder}/record`, AUDITWHEEL: '6.8.2' }
  expect(await runLine()).toEqual({ status: 0, output: '' })
  expect(run('test', ['-e', copied]).status).toBe(1)
  expect((await readFile(join(folder, 'record'), 'utf8')).trim().split('\n')).toEqual([
    'apk add --no-cache build-base file linux-headers patchelf pkgconf',
    expect.stringMatching(/^python3 -m pip install .*auditwheel==6\.8\.2$/),
    expect.stringMatching(/^python3 -c /),
    'python3 -m compileall -q /usr/local/lib/python3.13',
    'adduser -D -u 1000 builder',
  ])
  await write({ 'bin/apk': '#!/bin/sh\nexit 1\n' })
  expect((await runLine()).status).not.toBe(0)
})

test('the Dockerfile takes its base as an argument and needs no newer builder', async () => {
  const text = await readFile(`${BUILDERS}/alpine/Dockerfile`, 'utf8')
  expect(text).toMatch(/^ARG PYTHON_IMAGE=python:3\.\d+-alpine3\.\d+\nFROM \$PYTHON_IMAGE$/m)
  expect(text).not.toMatch(/--mount|<<|# syntax/)
})

describe.skipIf(!python)('crates.py', () => {
  const BYTES = Buffer.from('the bytes of a crate')
  const fetchFrom = async (answer: (response: ServerResponse) => void) => {
    await copyFile(`${BUILDERS}/scripts/crates.py`, join(folder, 'crates.py'))
    await write({ 'crates.json': JSON.stringify([['tiny', '1.0.0', createHash('sha256').update(BYTES).digest('hex')]]) })
    const server = createHttpServer((_, response) => answer(response)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      return await runAside('python3', ['crates.py', 'fetch', `http://127.0.0.1:${(server.address() as AddressInfo).port}/`])
    } finally {
      server.closeAllConnections()
      server.close()
    }
  }

  test('keeps a crate whose bytes are those of the lock', async () => {
    expect(await fetchFrom((response) => response.end(BYTES))).toBe('crates: 1 are here and are what Cargo.lock says')
    expect(await readFile(join(folder, 'crates/tiny-1.0.0.crate'))).toEqual(BYTES)
  })

  test.each([['with a length', { 'Content-Length': `${BYTES.length}` }], ['in chunks', {}]])('tells a connection that was cut from other bytes, %s', async (_, headers) => {
    expect(await fetchFrom((response) => {
      response.writeHead(200, headers)
      response.write(BYTES.subarray(0, 5), () => response.destroy())
    })).toMatch(/^crates: unreachable tiny 1\.0\.0: /m)
  })

  test('says that other bytes are others', async () => {
    expect(await fetchFrom((response) => response.end('other bytes'))).toMatch(/^crates: checksum tiny 1\.0\.0: the registry has other bytes/m)
  })
})
