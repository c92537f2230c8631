/** What a client installed, beside the recorded wheels. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BlobReader, Uint8ArrayWriter, ZipReader } from '@zip.js/zip.js'
import { lockedProjects, recordedFiles } from '../recording/folder.ts'

/**
 * Throws unless all that a recorded wheel of each project in its locked version holds lies in `lib`, with the same bytes. What it says itself,
 * in its RECORD, counts for nothing; of its scripts installers change the first line, so they are left out.
 */
export async function expectInstalled(lib: string, recording: string, projects: string[]): Promise<void> {
  const versions = await lockedProjects(recording)
  const recorded = await recordedFiles(recording)
  for (const project of projects) {
    const begin = spelt(`${project}-${versions.get(project)}-`)
    const wheels = recorded.filter(({ filename }) => filename.endsWith('.whl') && spelt(filename).startsWith(begin))
    if (wheels.length === 0) throw new Error(`no wheel of ${project} ${versions.get(project)} is recorded`)
    const wrong = await Promise.all(wheels.map(async ({ path }) => differences(lib, await membersOf(path))))
    // Of several that were recorded it is one.
    if (wrong.every((each) => each.length > 0)) throw new Error(`what is installed is not ${wheels.map(({ filename }) => filename).join(' nor ')}: ${wrong[0]?.slice(0, 5).join('; ')}`)
  }
}

/** Digests by path. */
async function membersOf(wheel: string): Promise<Map<string, string>> {
  const zip = new ZipReader(new BlobReader(new Blob([new Uint8Array(await readFile(wheel))])), { useWebWorkers: false })
  const members = new Map<string, string>()
  for (const entry of await zip.getEntries()) {
    if (entry.directory || entry.filename.endsWith('.dist-info/RECORD') || /^[^/]+\.data\//.test(entry.filename)) continue
    members.set(entry.filename, sha256(await entry.getData(new Uint8ArrayWriter())))
  }
  await zip.close()
  return members
}

async function differences(lib: string, members: Map<string, string>): Promise<string[]> {
  const wrong = [...members].map(async ([path, digest]) => {
    const bytes = await readFile(join(lib, path)).catch(() => undefined)
    return bytes === undefined ? [`${path} is not installed`] : sha256(bytes) === digest ? [] : [`${path} has other bytes`]
  })
  return members.size === 0 ? ['the recorded wheel is empty'] : (await Promise.all(wrong)).flat()
}

function spelt(name: string): string {
  return name.toLowerCase().replaceAll('-', '_')
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
