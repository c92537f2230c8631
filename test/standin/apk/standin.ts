/**
 * Alpine as far as builds see it: the stand-in images with an `apk` (`sbin/apk` says how it differs from the real one), a signing key, a
 * database in which zlib is installed, and the repository of a few libraries that they name. MUSLIN_TEST_APK names a real, static apk to use
 * in the place of the script.
 */
import { createHash, generateKeyPairSync } from 'node:crypto'
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { makeApk, publicPem, type ApkContent, type ApkSpec, type MadeApk, type SigningKey } from './repository.ts'

const HERE = fileURLToPath(new URL('./', import.meta.url))
const CLEAN_ENV = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' }
/** What the images name; Muslin is told by apkMirror where that really is. */
export const REPOSITORY = 'https://alpine.example/alpine/v3.19/main'

export interface StandinAlpine {
  builder: string
  clean: string
  key: SigningKey
  /** The apks of the repository. */
  apks: MadeApk[]
  /** Another apk of theirs, signed by the same key: such as the next version of a library. */
  make(spec: ApkSpec): Promise<MadeApk>
  /** The files of a library's two apks, for a next version. */
  files(library: Library): Promise<{ library: Record<string, ApkContent>; dev: Record<string, ApkContent> }>
}

export type Library = 'libffi' | 'zlib' | 'bobbin' | 'spindle' | 'selvage'

/** Makes what is absent: the libraries take a minute once a machine. `from` are the stand-in images that they are made from. */
export async function standinAlpine(from: { builder: string; clean: string }): Promise<StandinAlpine> {
  const folder = (await run('bash', [join(HERE, 'libraries.sh'), from.builder])).trim()
  const key = await signingKey()
  const files = (library: Library) => split(join(folder, library))
  const zlib = (await run('docker', ['run', '--rm', '--network', 'none', from.builder, 'readlink', '/usr/lib/libz.so.1'])).trim().replace('libz.so.', '')
  const libz: ApkSpec = {
    name: 'zlib', version: `${zlib}-r0`, provides: [`so:libz.so.1=${zlib}`],
    files: { 'usr/lib/libz.so.1': { link: `libz.so.${zlib}` }, [`usr/lib/libz.so.${zlib}`]: { mode: 0o755, body: await fileOf(from.builder, `/usr/lib/libz.so.${zlib}`) } },
  }
  const apks = await Promise.all([
    libz,
    { name: 'zlib-dev', version: `${zlib}-r0`, origin: 'zlib', depends: [`zlib=${zlib}-r0`], provides: [`pc:zlib=${zlib}`], files: (await files('zlib')).dev },
    ...await pair('libffi', '3.4.4-r0', 'so:libffi.so.8=8.1.2', ['pc:libffi=3.4.4']),
    ...await pair('bobbin', '1.0.0-r0', 'so:libbobbin.so.1=1.0.0', ['pc:bobbin=1.0.0']),
    ...await pair('spindle', '1.0.0-r0', 'so:libspindle.so.1=1.0.0', ['cmd:spindle-config=1.0.0-r0']),
    ...await pair('selvage', '1.0.0-r0', 'so:libselvage.so.1=1.0.0', []),
    // What must never come beside the image's own, and what would bring it.
    { name: 'python3', version: '3.11.8-r0', provides: ['cmd:python3=3.11.8-r0'], files: { 'usr/bin/python3': { mode: 0o755, body: '#!/bin/sh\nexit 1\n' } } },
    { name: 'knitting-dev', version: '1.0-r0', depends: ['python3'], provides: ['pc:knitting=1.0'] },
  ].map((spec) => makeApk(spec, key)))
  const database = apks[0]?.installed ?? ''
  const [builder, clean] = await Promise.all([image('muslin-standin-alpine', from.builder, '1000:1000'), image('muslin-standin-alpine-clean', from.clean, '0:0')])
  return { builder, clean, key, apks, make: (spec) => makeApk(spec, key), files }

  async function pair(name: Library, version: string, so: string, provides: string[]): Promise<ApkSpec[]> {
    const { library, dev } = await files(name)
    return [{ name, version, provides: [so], files: library }, { name: `${name}-dev`, version, origin: name, depends: [`${name}=${version}`], provides, files: dev }]
  }

  async function image(name: string, base: string, user: string): Promise<string> {
    const id = (await run('docker', ['image', 'inspect', '-f', '{{.Id}}', base])).trim()
    const script = await readFile(process.env['MUSLIN_TEST_APK'] ?? join(HERE, 'sbin/apk'))
    const hash = createHash('sha256').update(JSON.stringify([id, user, database, publicPem(key), script.toString('base64')])).digest('hex').slice(0, 12)
    const tag = `${name}:${hash}`
    if ((await execa('docker', ['image', 'inspect', tag], { env: CLEAN_ENV, extendEnv: false, reject: false })).exitCode === 0) return tag
    const context = await mkdtemp(join(tmpdir(), 'muslin-standin-alpine-'))
    try {
      const root: Record<string, string | Buffer> = {
        'sbin/apk': script, 'etc/apk/repositories': `${REPOSITORY}\n`, 'etc/apk/world': 'zlib\n', 'etc/apk/arch': 'x86_64\n',
        [`etc/apk/keys/${key.name}`]: publicPem(key), 'lib/apk/db/installed': database, 'lib/apk/db/triggers': '', 'var/cache/apk/.keep': '',
      }
      for (const [path, body] of Object.entries(root)) {
        await mkdir(join(context, 'root', path, '..'), { recursive: true })
        await writeFile(join(context, 'root', path), body, { mode: path === 'sbin/apk' ? 0o755 : 0o644 })
      }
      await writeFile(join(context, 'Dockerfile'), `FROM ${base}\nUSER 0:0\nCOPY root/ /\nUSER ${user}\n`)
      await run('docker', ['build', '--quiet', '--network', 'none', '--tag', tag, context])
    } finally {
      await rm(context, { recursive: true })
    }
    return tag
  }
}

/** Made once a machine, so that the images stay the same. */
async function signingKey(): Promise<SigningKey> {
  const folder = process.env['MUSLIN_STANDIN_CACHE'] ?? join(homedir(), '.cache/muslin-standin')
  const file = join(folder, 'apk-key.pem')
  await mkdir(folder, { recursive: true })
  const made = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  // The first of two that make one at a time is taken.
  await writeFile(file, made, { mode: 0o600, flag: 'wx' }).catch((error: NodeJS.ErrnoException) => { if (error.code !== 'EEXIST') throw error })
  return { name: 'standin.rsa.pub', privateKey: await readFile(file, 'utf8') }
}

/** As Alpine splits what a library installs: what programs need to run, and what compilers need. */
async function split(folder: string): Promise<{ library: Record<string, ApkContent>; dev: Record<string, ApkContent> }> {
  const library: Record<string, ApkContent> = {}
  const dev: Record<string, ApkContent> = {}
  for (const path of (await readdir(folder, { recursive: true })).sort()) {
    const file = join(folder, path)
    const found = await lstat(file)
    if (found.isDirectory()) continue
    const content = found.isSymbolicLink() ? { link: await readlink(file) } : { mode: found.mode & 0o777, body: await readFile(file) }
    const runtime = /\/lib[^/]+\.so\.[^/]+$/.test(path)
    ;(runtime ? library : dev)[path] = content
  }
  return { library, dev }
}

async function fileOf(image: string, path: string): Promise<Buffer> {
  const { stdout } = await execa('docker', ['run', '--rm', '--network', 'none', image, 'cat', path], { env: CLEAN_ENV, extendEnv: false, encoding: 'buffer', stdin: 'ignore' })
  return Buffer.from(stdout)
}

async function run(command: string, args: string[]): Promise<string> {
  return (await execa(command, args, { env: { ...CLEAN_ENV, ...process.env['MUSLIN_STANDIN_CACHE'] && { MUSLIN_STANDIN_CACHE: process.env['MUSLIN_STANDIN_CACHE'] } }, extendEnv: false, stdin: 'ignore' })).stdout
}
