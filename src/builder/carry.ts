/** Files on their way out of a run: whatever ran there may have made them. */
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { MuslinError } from '../errors.ts'
import type { FailureClass } from '../domain/failure.ts'
import { extractTar } from '../services/tar.ts'
import { Failed } from './failed.ts'
import type { Box, Session } from './session.ts'

/** A file on the server, carried out of a run. */
export interface Carried { path: string; filename: string; size: number; sha256: string }

/** File names of wheels: safe in a command and a path. */
const WHEEL = /^[A-Za-z0-9][A-Za-z0-9_.+!-]*\.whl$/
const MAX_FILES = 6000

/** The wheels that lie in `folder` of the run, written to `to`. What else lies there is passed over; what cannot be carried is a failure. */
export async function carryWheels(session: Session, box: Box, folder: string, to: string, blame: FailureClass = 'wrong-wheel'): Promise<Carried[]> {
  return carryFiles(session, box, { folder, to, names: WHEEL, blame })
}

/** As `carryWheels`, for files whose names match. */
export async function carryFiles(
  session: Session, box: Box, { folder, to, names, blame }: { folder: string; to: string; names: RegExp; blame: FailureClass },
): Promise<Carried[]> {
  await mkdir(to, { recursive: true })
  return refusing(blame, async () => {
    const carried: Carried[] = []
    const tar = await box.get([folder], session.limits.disk)
    for await (const file of extractTar(tar, { maxBytes: session.limits.disk, maxEntries: MAX_FILES })) {
      const filename = basename(file.name)
      if (!names.test(filename) || file.name !== `${folder}/${filename}`) { file.body.resume(); continue }
      const path = join(to, filename)
      const hash = createHash('sha256')
      file.body.on('data', (chunk: Buffer) => hash.update(chunk))
      await session.guard(pipeline(file.body, createWriteStream(path)))
      carried.push({ path, filename, size: file.size, sha256: hash.digest('hex') })
    }
    return carried.sort((a, b) => a.filename < b.filename ? -1 : 1)
  })
}

/** The text of one small file of the run. */
export async function carryText(box: Box, name: string, maxBytes: number, blame: FailureClass): Promise<string> {
  return refusing(blame, async () => {
    const chunks: Buffer[] = []
    for await (const file of extractTar(await box.get([name], maxBytes), { maxBytes, maxEntries: 1 })) {
      for await (const chunk of file.body) chunks.push(chunk as Buffer)
    }
    return Buffer.concat(chunks).toString('utf8')
  })
}

/** What a run holds is the project's doing, not the engine's. */
async function refusing<T>(blame: FailureClass, carry: () => Promise<T>): Promise<T> {
  try {
    return await carry()
  } catch (error) {
    if (error instanceof MuslinError && error.code === 'transfer-failed') throw new Failed({ class: blame, key: error.detail })
    throw error
  }
}
