/** Repaired wheel → finished wheel: under its final name, and checked by us, whatever the container said about it. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { ExpectedKind } from '../domain/plan.ts'
import { builtFilename } from '../domain/tags.ts'
import type { Target } from '../domain/target.ts'
import { verifyWheel, type Verdict } from '../domain/verify.ts'
import type { Carried } from './carry.ts'
import { Failed } from './failed.ts'
import type { Session } from './session.ts'
import { readWheel, retagWheel } from './wheel-file.ts'

/** Throws Failed with what is wrong with the wheel. The finished one lies in `scratch/wheel`. */
export async function checkWheel(
  session: Session, wheel: Carried, given: { target: Target; muslRelease: string; expected: ExpectedKind },
): Promise<{ wheel: Carried; verdict: Verdict & { ok: true } }> {
  const { job, number, scratch } = session.work
  const to = join(scratch, 'wheel')
  await mkdir(to, { recursive: true })
  const filename = builtFilename(job.project, job.version, number, given.target)
  const path = await retagWheel({ path: wheel.path, to, filename, number, target: given.target })
  const verdict = await verifyWheel({
    filename: basename(path),
    members: await readWheel(path),
    project: job.project,
    version: job.version,
    ...given,
    sha256: (bytes) => createHash('sha256').update(bytes).digest('base64url'),
  })
  if (!verdict.ok) throw new Failed(verdict.failure)
  session.say(verdict.native ? `verified: needs musl ${verdict.lowestMusl} or later${verdict.bundled.length > 0 ? `, brings ${verdict.bundled.join(', ')}` : ''}` : 'verified: a pure wheel')
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return { wheel: { path, filename, size: (await stat(path)).size, sha256: hash.digest('hex') }, verdict }
}
