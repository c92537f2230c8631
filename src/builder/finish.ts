/** Repaired wheel → finished wheel: with its bill of materials, under its final name, checked by us, and tried. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { parseWheelFilename } from '../domain/filename.ts'
import type { ExpectedKind } from '../domain/plan.ts'
import { SBOM } from '../domain/sbom.ts'
import { builtFilename } from '../domain/tags.ts'
import type { Target } from '../domain/target.ts'
import { verifyWheel, type Verdict } from '../domain/verify.ts'
import type { Built, WheelSystem } from '../services/ports.ts'
import type { Apks } from './apk/install.ts'
import type { Carried } from './carry.ts'
import { Failed } from './failed.ts'
import type { Image, ReadyPair } from './images.ts'
import type { Session } from './session.ts'
import { tryWheel } from './try.ts'
import { readWheel } from './wheel-file.ts'
import { retagWheel, rewriteWheel } from './wheel-write.ts'

export interface Finishing {
  target: Target
  ready: ReadyPair
  muslRelease: string
  expected: ExpectedKind
  indexUrl: string
  apks: Apks | undefined
  system: WheelSystem | undefined
  /** Undefined: the wheel has it already. */
  sbom: string | undefined
}

/** Throws Failed with what is wrong with the wheel, on its own or on the clean image. The finished one lies in `scratch/wheel`. */
export async function finish(session: Session, wheel: Carried, given: Finishing): Promise<Omit<Built, 'learnt'>> {
  const add: Record<string, string> = given.sbom === undefined ? {} : { [SBOM]: given.sbom }
  await session.step('verify')
  const { finished, verdict } = await check(session, wheel, add, given)
  const { ok: _, metadata, requiresPython, ...figures } = verdict
  const { filename, sha256, size } = finished
  session.record['verify'] = { ...figures, muslRelease: given.muslRelease, filename, sha256, size }
  if (given.system) session.record['system'] = given.system
  session.record['try'] = await attempt(session, finished, metadata, given)
  return { wheel: finished.path, metadata: Buffer.from(metadata), requiresPython, system: given.system, reusable: await reusable(session, wheel, add) }
}

async function check(session: Session, wheel: Carried, add: Record<string, string>, { target, muslRelease, expected }: Finishing): Promise<{ finished: Carried; verdict: Verdict & { ok: true } }> {
  const { job, number, recipe } = session.work
  const to = await folder(session, 'wheel')
  const filename = builtFilename(job.project, job.version, number, target)
  const path = await retagWheel({ path: wheel.path, to, filename, number, target, add })
  const verdict = await verifyWheel({
    filename, members: await readWheel(path), project: job.project, version: job.version, target, muslRelease, expected, outside: recipe.exclude,
    sha256: (bytes) => createHash('sha256').update(bytes).digest('base64url'),
  })
  if (!verdict.ok) throw new Failed(verdict.failure)
  session.say(verdict.native ? `verified: needs musl ${verdict.lowestMusl} or later${verdict.bundled.length > 0 ? `, brings ${verdict.bundled.join(', ')}` : ''}` : 'verified: a pure wheel')
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return { finished: { path, filename, size: (await stat(path)).size, sha256: hash.digest('hex') }, verdict }
}

async function attempt(session: Session, wheel: Carried, metadata: Uint8Array, given: Finishing) {
  const { target, ready: { builder, clean, bundles }, indexUrl } = given
  if (!clean) {
    const notTried = `no Python ${target.major}.${target.minor} that runs on musl is at hand`
    session.say(`the wheel is not tried: ${notTried}`)
    return { notTried }
  }
  await session.step('try')
  const { ref } = await withRuntime(session, clean, given)
  // A builder that cannot run on musl would fetch requirements for its own libc.
  return tryWheel(session, wheel, { metadata, clean: ref, image: bundles ? builder.ref : clean.ref, indexUrl })
}

/** The clean image as its users must have it: with the apks that the wheel leaves outside. */
async function withRuntime(session: Session, clean: Image, { apks, system, indexUrl }: Finishing): Promise<Image> {
  const runtime = system?.runtime ?? []
  const installed = runtime.length > 0 && apks ? await session.guard(apks.of(session, clean)) : undefined
  if (!installed) return clean
  session.say(`the clean image gets ${runtime.join(', ')}, as its users' images must`)
  return (await installed.add(session, runtime, indexUrl)).image
}

/** What other targets may have from this build, still under the name that it gave: pure wheels, and those of the stable ABI. */
async function reusable(session: Session, wheel: Carried, add: Record<string, string>): Promise<Built['reusable']> {
  const named = parseWheelFilename(wheel.filename)
  const forMany = named?.abis.every((abi) => abi === 'abi3' || (abi === 'none' && named.pythons.every((python) => python.startsWith('py'))))
  if (!forMany) return undefined
  const path = await rewriteWheel({ path: wheel.path, to: await folder(session, 'reusable'), filename: wheel.filename, add })
  return { path, filename: wheel.filename }
}

async function folder({ work }: Session, name: string): Promise<string> {
  const path = join(work.scratch, name)
  await mkdir(path, { recursive: true })
  return path
}
