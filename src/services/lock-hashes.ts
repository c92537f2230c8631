import { setImmediate } from 'node:timers/promises'
import { addHashes, type Added, type Addition, type Outcome } from '../domain/lock/add-hashes.ts'
import { badLock } from '../domain/lock/bad-lock.ts'
import type { RootOf } from '../domain/lock/entry.ts'
import { MuslinError } from '../errors.ts'
import type { LockHashes, LockLine } from './lock-views.ts'
import type { BuiltWheel, Store } from './ports.ts'
import type { Plan, PlanLine, PlanRequest } from './views.ts'

export interface LockHasher {
  /**
   * Adds to each file the hashes of the wheels of ours that its plan has; `plan` is of these very files. Nothing is built or kept. A file
   * without hashes gets a note. Throws `bad-lock` where a file is not written as its tool does, and `bad-request` where two files have one name.
   */
  add(files: PlanRequest['files'], plan: Plan, rootOf: RootOf): Promise<LockHashes>
}

/** A line of the plan, with the wheel of ours that the lock should name. */
interface Judged { line: PlanLine; wheel: BuiltWheel | undefined; addition: Addition | undefined }

/** Locks that were made against the upstream get the hashes of our wheels, so that installers which check them need not compile. */
export function createLockHasher({ store }: { store: Pick<Store, 'wheels'> }): LockHasher {
  return { add }

  async function add(files: PlanRequest['files'], plan: Plan, rootOf: RootOf): Promise<LockHashes> {
    const names = files.map(({ name }) => name)
    const twice = names.find((name, index) => names.indexOf(name) < index)
    if (twice !== undefined) throw new MuslinError('bad-request', `two files have the name ${twice.slice(0, 100)}; give them one by one`)
    const wheelsOf = await ours(plan)
    const judged = plan.lines.map((line) => judge(line, wheelsOf.get(line.project) ?? []))
    const outcomes = new Map<Judged, Outcome>()
    const written: LockHashes['files'] = []
    for (const [index, { name, text }] of files.entries()) {
      // Whoever else wants something gets a turn between two files.
      await setImmediate()
      const roots = new Set<string>()
      const additions = judged.filter(({ line, addition }) => line.file === name && addition)
      const given = { given: names.toSpliced(index, 1), rootOf: (at: string | undefined) => noted(roots, rootOf(at)) }
      const result = addHashes(name, text, additions.map(({ addition }) => addition!), given)
      await setImmediate()
      confirm(name, result, additions, given)
      additions.forEach((each, at) => outcomes.set(each, result.outcomes[at]!))
      const added = new Set(additions.filter((each) => stateOf(outcomes.get(each)) === 'added').map(({ wheel }) => wheel!.sha256))
      written.push({ name, kind: plan.files[index]!.kind, added: added.size, roots: added.size > 0 ? [...roots] : [], note: result.plain ? PLAIN : null, text: result.text })
    }
    return { targets: plan.targets, files: written, lines: judged.map((each) => view(each, outcomes.get(each))) }
  }

  async function ours({ lines }: Plan): Promise<Map<string, BuiltWheel[]>> {
    const projects = new Set(lines.filter(({ verdict }) => verdict === 'built').map(({ project }) => project))
    return new Map(await Promise.all([...projects].map(async (project) => [project, await store.wheels.wheels(project)] as const)))
  }
}

const PLAIN = 'it has no hashes, so none is missing: by it installers take our wheels as they are'

/** Throws `bad-lock` where no file has hashes: whoever asked for them gave the wrong ones. */
export function requireHashes(made: LockHashes): LockHashes {
  const [first, ...others] = made.files
  if (!first || [first, ...others].some(({ note }) => note === null)) return made
  throw badLock(first.name, [{ what: `${others.length > 0 ? 'like the others, ' : ''}${PLAIN}. Give a lock with hashes, such as pip-compile --generate-hashes makes` }])
}

/** A wheel is added if it was made of the sdist that the lock names by its hash: a lock must not vouch for more than its author did. */
function judge(line: PlanLine, wheels: BuiltWheel[]): Judged {
  const taken = line.verdict === 'built' ? wheels.find(({ filename }) => filename === line.filename) : undefined
  // By a lock that holds an older build installers take that; to move on is what its author asks for here.
  const builds = wheels.filter(({ sdist, target }) => sdist === taken?.sdist && target === taken.target)
  const wheel = builds.toSorted((a, b) => b.number - a.number)[0]
  const isTraced = wheel !== undefined && wheel.sdist === line.sdist?.sha256
  return { line, wheel, addition: isTraced ? { project: line.project, version: line.version, wheel, sdist: wheel.sdist } : undefined }
}

function view({ line, wheel, addition }: Judged, outcome: Outcome | undefined): LockLine {
  const { project, version, target, file, line: at, estimateSeconds, why, remedy, job } = line
  const filename = wheel?.filename ?? line.filename
  const base = { project, version, target, file, line: at, filename, estimateSeconds, why: null, remedy: null, job, sha256: null }
  switch (line.verdict) {
    case 'upstream-wheel': return { ...base, state: 'not-needed' }
    // What keeps installers from it is what will be mended.
    // A plan has nothing to say of a pin that takes any file.
    case 'would-build': return { ...base, state: why === null ? 'not-needed' : 'to-build' }
    case 'cannot': return { ...base, state: 'cannot', why, remedy }
    case 'built': break
  }
  const held = { ...base, sha256: wheel?.sha256 ?? null }
  // A plan has nothing to say against a wheel that the lock takes.
  if (!addition) return why === null ? { ...held, state: 'listed' } : { ...base, state: 'cannot', why: `the lock names no sdist that ${filename} was built from`, remedy: 'lock again, so that the sdist is among its files' }
  const told = typeof outcome === 'object' ? { why: outcome.why, remedy: 'lock again, or add it by hand' } : {}
  const state = stateOf(outcome)
  if (state === 'added' || state === 'listed') return { ...held, state, ...told }
  return { ...base, state: state === 'free' ? 'not-needed' : 'cannot', ...told }
}

/** Undefined: it is nowhere in the lock, and cannot be. */
function stateOf(outcome: Outcome | undefined): 'added' | 'listed' | 'free' | undefined {
  return typeof outcome === 'object' ? outcome.besides : outcome
}

/** A lock is what installers trust: one that was not written as meant is not handed out. */
function confirm(name: string, { text, outcomes }: Added, judged: Judged[], given: Parameters<typeof addHashes>[3]): void {
  let cause: unknown
  try {
    const again = addHashes(name, text, judged.map(({ addition }) => addition!), given)
    if (again.text === text && again.outcomes.every((outcome, index) => stateOf(outcomes[index]) !== 'added' || stateOf(outcome) === 'listed')) return
  } catch (error) {
    // It would blame whoever sent the lock for what was put into it.
    cause = error
  }
  throw new MuslinError('internal', `the hashes that were put into ${name.slice(0, 100)} are not read back; the file stays as it was`, { cause })
}

function noted(roots: Set<string>, root: string): string {
  roots.add(root)
  return root
}
