/** Images made ready by their content. */
import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { createInterface } from 'node:readline'
import { pipeline } from 'node:stream/promises'
import { PassThrough } from 'node:stream'
import type { Logger } from 'pino'
import { MuslinError } from '../errors.ts'
import type { ImageSource } from '../services/ports.ts'
import { packTar } from '../services/tar.ts'
import { lastWords, type Cli } from './cli.ts'
import { LABEL } from './labels.ts'

/** As docker and podman say it. */
export const NO_IMAGE = /no such image|image not known/i

const PULL_MS = 10 * 60_000
const BUILD_MS = 60 * 60_000
/** Lines of a failed image build that go into the error; the log has them all. */
const LAST_LINES = 5

/**
 * Makes an image ready. A ready-made one is looked for, else pulled once; its digest and its `ref` are its id, so that a tag that moves
 * later changes nothing. One to be built is named by `imageDigest`; it is built where no image of that name is. Throws
 * `image-unavailable` (for an interpreter of the machine too), or `engine-unavailable` where no engine answers.
 */
export async function makeImage(image: ImageSource, { cli, log }: { cli: Cli; log: Logger }): Promise<{ ref: string; digest: string }> {
  if (image.kind === 'ready') {
    const id = await inspect(cli, image.ref) ?? await pull(cli, image.ref, log)
    return { ref: id, digest: id }
  }
  if (image.kind === 'interpreter') throw noInterpreters()
  const digest = await imageDigest(image.folder, image.args)
  const ref = builtRef(image.name, digest)
  if (!await inspect(cli, ref)) await build(cli, image, { ref, digest, log })
  return { ref, digest }
}

/** The name under which an image that was built stands on the engine. */
export function builtRef(name: string, digest: string): string {
  return `${name}:${digest.slice(0, 12)}`
}

/** The digest that `makeImage` would give, without making anything; undefined where a ready-made image is not on the engine. */
export async function knownDigest(image: ImageSource, cli: Cli): Promise<string | undefined> {
  if (image.kind === 'interpreter') throw noInterpreters()
  return image.kind === 'ready' ? inspect(cli, image.ref) : imageDigest(image.folder, image.args)
}

/**
 * sha256 over the folder's files (path, executable or not, bytes; by path) and the build arguments (by name): the same on every
 * machine, whatever its umask, clock or order of directory entries. Throws `image-unavailable` for anything but files and folders.
 */
export async function imageDigest(folder: string, args: Record<string, string>): Promise<string> {
  const hash = createHash('sha256')
  for (const file of await contextOf(folder)) {
    hash.update(JSON.stringify([file.name, file.mode, file.body.length])).update(file.body)
  }
  const sorted = Object.entries(args).sort(([a], [b]) => a < b ? -1 : 1)
  return hash.update(JSON.stringify(sorted)).digest('hex')
}

async function contextOf(folder: string): Promise<{ name: string; mode: number; body: Buffer }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    throw new MuslinError('image-unavailable', `the image's folder ${folder} cannot be read: reinstall Muslin`, { cause })
  })
  const files = entries.filter((entry) => !entry.isDirectory()).map((entry) => {
    const path = join(entry.parentPath, entry.name)
    if (!entry.isFile()) throw unavailable(`${path} is not a regular file: an image's folder holds only files and folders`)
    return { path, name: relative(folder, path).split(sep).join('/') }
  }).sort((a, b) => a.name < b.name ? -1 : 1)
  return Promise.all(files.map(async ({ path, name }) => ({ name, mode: (await stat(path)).mode & 0o100 ? 0o755 : 0o644, body: await readFile(path) })))
}

/** The image's id, or undefined where the engine has none of that name. */
async function inspect(cli: Cli, ref: string): Promise<string | undefined> {
  const found = await findImage(cli, ref)
  // A volume is a writable place on the engine's disk without any limit.
  if (Object.keys(found?.config.Volumes ?? {}).length > 0) throw unavailable(`${ref} declares volumes, which a build could fill: use an image without VOLUME`)
  return found?.id
}

export interface FoundImage {
  id: string
  /** What the image is told by: of what it was made where Muslin made it, else its id. */
  digest: string
  config: { User?: string; Entrypoint?: string[] | null; Cmd?: string[] | null; WorkingDir?: string; Volumes?: Record<string, unknown> | null; Labels?: Record<string, string> | null }
}

/** What the engine says of an image, or undefined where it has none of that name. */
export async function findImage(cli: Cli, ref: string): Promise<FoundImage | undefined> {
  // It becomes an argument of the client: a leading dash would be an option.
  if (!/^\w[\w.:/@-]*$/.test(ref)) throw unavailable(`${JSON.stringify(ref)} is not an image's name: name one in builderImages`)
  const text = await cli.must(['image', 'inspect', '--format', '{{.Id}} {{json .Config}}', ref], {
    refuse: (words) => NO_IMAGE.test(words) ? new MuslinError('image-unavailable', 'absent') : undefined,
  }).catch((error: unknown) => {
    if (error instanceof MuslinError && error.code === 'image-unavailable') return undefined
    throw error
  })
  if (text === undefined) return undefined
  const [, hex, json] = /^(?:sha256:)?(\w{64}) (\{.*\})$/.exec(text.trim()) ?? []
  // A client that is told to stop may call that success.
  if (hex === undefined || json === undefined) throw new MuslinError('engine-unavailable', `${cli.command} gave no answer; it is asked again at the next build`)
  const id = `sha256:${hex}`
  const config = JSON.parse(json) as FoundImage['config']
  const made = config.Labels?.[LABEL.digest]
  // An image inherits labels, but not the name that goes with this one.
  return { id, config, digest: made !== undefined && ref.split(':').at(-1)?.startsWith(made.slice(0, 12)) ? made : id }
}

async function pull(cli: Cli, ref: string, log: Logger): Promise<string> {
  log.info({ image: ref }, 'pulling an image')
  const ended = await cli.run(['pull', '--quiet', ref], { timeout: PULL_MS })
  const id = await inspect(cli, ref)
  if (id) return id
  const why = ended.timedOut ? 'no answer in time' : lastWords(ended.stderr)
  throw unavailable(`${ref} is not on this engine and cannot be pulled (${why}): load it, or name another in builderImages`)
}

async function build(cli: Cli, image: ImageSource & { kind: 'build' }, { ref, digest, log }: { ref: string; digest: string; log: Logger }) {
  log.info({ image: ref, folder: image.folder }, 'building an image')
  // From version 23 the client wants its buildx part, which many systems do not install, unless told otherwise.
  const buildx = (await cli.run(['buildx', 'version'])).exitCode === 0
  const args = Object.entries(image.args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`])
  const child = cli.start(
    ['build', ...(buildx ? [] : ['--force-rm']), '--tag', ref, '--label', `${LABEL.digest}=${digest}`, ...args, '-'],
    { stdin: true, timeout: BUILD_MS, ...(buildx ? {} : { env: { DOCKER_BUILDKIT: '0' } }) },
  )
  const lines: string[] = []
  const both = new PassThrough()
  child.stdout.pipe(both, { end: false })
  child.stderr.pipe(both, { end: false })
  const read = (async () => {
    for await (const line of createInterface({ input: both })) {
      log.info({ image: ref }, line)
      if (line.trim() !== '') lines.push(line.trim())
      if (lines.length > LAST_LINES) lines.shift()
    }
  })()
  await Promise.allSettled([pipeline(packTar(await contextOf(image.folder)), child.stdin)])
  const ended = await child
  both.end()
  await read
  if (ended.exitCode !== 0 || !await inspect(cli, ref)) {
    const why = ended.timedOut ? `not done in ${BUILD_MS / 60_000} minutes` : lines.join(' | ').slice(-800)
    throw unavailable(`${ref} cannot be built (${why}): see the server's log, or name a ready-made image in builderImages`)
  }
}

function noInterpreters(): MuslinError {
  return unavailable('a container engine has images, not interpreters of this machine: name an image in builderImages')
}

function unavailable(detail: string): MuslinError {
  return new MuslinError('image-unavailable', detail)
}
