/** Built wheel → one that brings the libraries it needs: `auditwheel` inside the Alpine that it was built on. */
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { classifyInPieces } from '../domain/classify.ts'
import { isElf } from '../domain/elf.ts'
import { parseWheelFilename } from '../domain/filename.ts'
import type { Target } from '../domain/target.ts'
import { carryWheels, type Carried } from './carry.ts'
import type { Compiled } from './compile.ts'
import type { Begun } from './conditions.ts'
import { PLAIN } from './environment.ts'
import { Failed } from './failed.ts'
import { PLACE, type Box, type Session } from './session.ts'
import { readWheel } from './wheel-file.ts'

/** `grafted`: what the libraries that were put into the wheel are called on the system. */
export interface Repaired { wheel: Carried; grafted: string[] }

/**
 * The wheel with the libraries that it needs bundled for the target; a pure one as it is, and any where no target is given. Throws Failed:
 * `pure-fallback` where a native part was expected, or a platform is named, and there is none.
 */
export async function repair(session: Session, box: Box, source: Begun, { wheel, text }: Compiled, target: Target | undefined): Promise<Repaired> {
  const named = parseWheelFilename(wheel.filename)
  if (!named) throw new Failed({ class: 'wrong-wheel', key: `${wheel.filename} is no wheel's file name` })
  if (named.platforms.includes('any')) {
    if (source.plan.expected === 'native') throw await pureFallback(text)
    session.say('the wheel is pure: nothing to repair')
    return { wheel, grafted: [] }
  }
  // Seen with PyYAML: a build that lost its native part still names the platform, and exits with 0.
  if (!await holdsElf(wheel.path)) throw await pureFallback(text)
  if (!target) {
    session.say('nothing is bundled: there are no libraries for musl here')
    return { wheel, grafted: [] }
  }
  const excluded = session.work.recipe.exclude.flatMap((name) => ['--exclude', name])
  const { text: said } = await box.must(
    ['auditwheel', 'repair', '--plat', target.name.slice(target.python.length + 1), ...excluded, '-w', `${PLACE}/repaired`, `${PLACE}/out/${wheel.filename}`],
    { env: { ...PLAIN, PYTHONHASHSEED: '0', SOURCE_DATE_EPOCH: String(session.work.sourceDate) } },
  )
  // A failed repair leaves a wheel behind as well: only the one that it names is taken.
  const path = /Fixed-up wheel written to (\S+)/.exec(said)?.[1]
  const filename = path?.slice(path.lastIndexOf('/') + 1)
  const repaired = await carryWheels(session, box, 'repaired', join(session.work.scratch, 'repaired'), 'repair-failed')
  const taken = repaired.find((one) => one.filename === filename)
  if (!taken) throw new Failed({ class: 'repair-failed', key: 'auditwheel names no repaired wheel' })
  return { wheel: taken, grafted: await graftedInto(taken.path) }
}

/** What its log says it was missing may be what its native part was missing. */
async function pureFallback(text: string): Promise<Failed> {
  const said = await classifyInPieces(text, { step: 'build' }, setImmediate)
  return new Failed({ class: 'pure-fallback', key: '' }, { missing: said.class.startsWith('missing-') ? said : undefined })
}

async function holdsElf(path: string): Promise<boolean> {
  for (const member of await readWheel(path)) if (isElf(await member.begin())) return true
  return false
}

/** auditwheel puts `libffi.so.8.1.4` into the folder `demo.libs` as `libffi-1a2b3c4d.so.8.1.4`. */
async function graftedInto(path: string): Promise<string[]> {
  return (await readWheel(path)).flatMap(({ name }) => {
    const [, base, rest] = /^[^/]+\.libs\/([\w.+-]+)-[0-9a-f]{8}(\.[\w.+-]+)$/.exec(name) ?? []
    return base === undefined ? [] : [`${base}${rest}`]
  })
}
