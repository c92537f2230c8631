/** What apk does on the fetch network: it plans, and fetches what it planned, through Muslin alone. */
import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { apkFilename } from '../../domain/apk-index.ts'
import type { ApkRepository } from '../../domain/apk-repository.ts'
import { extractTar } from '../../services/tar.ts'
import { PLAIN } from '../environment.ts'
import { Failed } from '../failed.ts'
import { PLACE, type Box, type Session } from '../session.ts'
import { APK_CALLS, apkFailure } from './calls.ts'
import type { PlannedApk } from './planned.ts'

/** A repository of an image, and its path below Muslin's root. */
export interface Served extends ApkRepository { path: string }

const FOLDER = 'apks'
const REPOSITORIES = 'repositories'
/** Of a tar archive, beside the files that it holds. */
const ROOM = 1 << 20

/** apk as it is set up in a fetch run: with Muslin for its only repositories. */
export interface Fetching {
  /** What apk would do to add these, in its own words. Throws Failed. */
  plan(names: string[]): Promise<string>
  /** The files of these, written to `to` on the server, by their names. Throws Failed. */
  fetch(planned: PlannedApk[], to: string): Promise<Map<string, string>>
}

export async function setUpFetching(session: Session, box: Box, { repositories, indexUrl }: { repositories: Served[]; indexUrl: string }): Promise<Fetching> {
  const base = new URL(indexUrl.endsWith('/') ? indexUrl : `${indexUrl}/`)
  await box.put([
    { name: REPOSITORIES, body: repositoriesFile(repositories, (path) => new URL(path, base).href) },
    { name: `${FOLDER}/.keep`, body: '' },
  ])
  const given = { repositories: `${PLACE}/${REPOSITORIES}`, folder: `${PLACE}/${FOLDER}`, untrustedTls: base.protocol === 'https:', upgrade: session.work.fresh !== undefined }

  return {
    plan: (names) => run('plan', names),
    async fetch(planned, to) {
      await run('fetch', planned.map(({ entry }) => entry.name))
      return carry(session, box, planned, to)
    },
  }

  async function run(name: 'plan' | 'fetch', names: string[]): Promise<string> {
    const call = APK_CALLS[name]
    const { exitCode, text } = await box.exec(call.command({ ...given, names }), { env: PLAIN })
    const failure = apkFailure(call, exitCode, text)
    if (failure) throw new Failed(failure)
    return text
  }
}

/** The lines of an `/etc/apk/repositories`, with `place` of each path in the place of its URL. */
export function repositoriesFile(repositories: Served[], place: (path: string) => string): string {
  return repositories.map(({ tag, path }) => `${tag === undefined ? '' : `@${tag} `}${place(path)}\n`).join('')
}

async function carry(session: Session, box: Box, planned: PlannedApk[], to: string): Promise<Map<string, string>> {
  await mkdir(to, { recursive: true })
  const sizes = new Map(planned.map(({ entry }) => [apkFilename(entry), entry.size]))
  const maxBytes = [...sizes.values()].reduce((sum, size) => sum + size + ROOM, ROOM)
  const carried = new Map<string, string>()
  for await (const file of extractTar(await box.get([FOLDER], maxBytes), { maxBytes, maxEntries: planned.length + 10 })) {
    const filename = basename(file.name)
    if (file.name !== `${FOLDER}/${filename}` || sizes.get(filename) !== file.size) continue
    const path = join(to, filename)
    await session.guard(pipeline(file.body, createWriteStream(path)))
    carried.set(filename, path)
  }
  const absent = [...sizes.keys()].find((filename) => !carried.has(filename))
  if (absent !== undefined) throw new Failed({ class: 'infrastructure', key: `apk fetch brought no ${absent}` })
  return carried
}
