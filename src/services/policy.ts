import { sha256Of } from '../domain/digest.ts'
import { areEmpty, fileVerdict, filterPage, filterWheels, projectVerdict, uploadTimeOf, versionOf } from '../domain/policy.ts'
import type { Ages, FileFacts, Held, HeldFile, PolicyRules } from '../domain/policy.ts'
import type { ProjectPage } from '../domain/page.ts'
import { otherOwner, ownersOf } from '../domain/owner.ts'
import { heldLine } from '../domain/policy-line.ts'
import { MuslinError } from '../errors.ts'
import type { BuiltWheel, Clock, Store, UpstreamFile } from './ports.ts'
import type { UpstreamPages } from './upstream-pages.ts'

/** A view that leaves out files beside what the server does. `key`: another one for other rules. */
export interface PageView { key: string; rules: PolicyRules }

/** What is left of a project. `until`: when that next changes by itself, Infinity: never. */
export interface Permitted<W> { page: ProjectPage | undefined; wheels: W[]; held: HeldFile[]; until: number }

/** The decision whether a file is served: the same one wherever it is asked for. */
export interface Policy {
  /** Throws `blocked-by-policy` where nothing of the project is ever served, on this view. */
  admit(project: string, view?: PageView): void
  /** Throws `blocked-by-policy` where the server holds back a recorded file of the upstream, or a wheel of ours. */
  check(file: UpstreamFile | BuiltWheel): Promise<void>
  /** What the server, and the view, let be served of a page as the upstream has it, and of our wheels. */
  permitted(project: string, had: { page: ProjectPage | undefined; wheels: BuiltWheel[] }, view?: PageView): Promise<Permitted<BuiltWheel>>
  /** What `permitted` judges by, for `permittedBy`; undefined where all may be served. */
  terms(project: string, view?: PageView): Promise<PolicyTerms | undefined>
  /** Whether the server holds back anything at all. */
  guards: boolean
}

/** Plain data, so that it can be sent to another thread. */
export interface PolicyTerms { rules: PolicyRules[]; ages: Ages; now: number }

/** `rules`: those of the server, which hold on every view. */
export function createPolicy({ rules, store, clock }: { rules: PolicyRules; store: Pick<Store, 'pages'>; clock: Pick<Clock, 'now'> }): Policy {
  const guards = !areEmpty(rules)

  return {
    admit(project, view) {
      for (const each of rulesFor(view)) refuse(project, projectVerdict(project, each))
    },
    async check(file) {
      if (!guards) return
      if ('sdist' in file) return refuse(file.filename, await wheelVerdict(file))
      for (const listed of ownersOf(file.filename, await store.pages.listed(file.sha256, file.filename))) refuse(file.filename, await verdict(listed))
    },
    async permitted(project, had, view) { return permittedBy(project, had, await terms(project, view)) },
    terms,
    guards,
  }

  async function terms(project: string, view?: PageView): Promise<PolicyTerms | undefined> {
    const all = rulesFor(view)
    return all.length === 0 ? undefined : { rules: all, ages: await agesOf(project), now: clock.now() }
  }

  function rulesFor(view: PageView | undefined): PolicyRules[] {
    return [...guards ? [rules] : [], ...view && !areEmpty(view.rules) ? [view.rules] : []]
  }

  async function agesOf(project: string): Promise<Ages> {
    return new Map((await store.pages.undated(project)).map(({ sha256, uploadedAt, seenAt }) => [sha256, { uploadedAt, seenAt }]))
  }

  /** A wheel of ours shares the fate of its sdist. */
  async function wheelVerdict({ project, version, sdist, publishedAt }: BuiltWheel): Promise<Held | undefined> {
    const [recorded] = (await store.pages.named(sdist)).filter((file) => file.project === project)
    return recorded ? verdict(recorded, version) : fileVerdict({ project, version, uploadedAt: publishedAt, seenAt: undefined }, rules, clock.now())
  }

  async function verdict({ sha256, filename, project, uploadedAt, seenAt }: UpstreamFile, version = versionOf(filename, project)): Promise<Held | undefined> {
    const facts: FileFacts = { project, version, uploadedAt, seenAt }
    const other = otherOwner(filename, project)
    const judged = (file: FileFacts) => fileVerdict(file, rules, clock.now()) ?? (other === undefined ? undefined : fileVerdict({ ...file, project: other }, rules, clock.now()))
    const held = judged(facts)
    if (held?.by !== 'cooldown' || uploadedAt !== undefined) return held
    // Recorded before upload-times were: the page as it is kept may have it.
    return judged({ ...facts, uploadedAt: await uploadTimeOnPage(project, sha256) })
  }

  async function uploadTimeOnPage(project: string, sha256: string): Promise<number | undefined> {
    const kept = await store.pages.get(project)
    const page = kept?.json && JSON.parse(kept.json.toString()) as ProjectPage
    const file = page?.files.find((each) => sha256Of(each) === sha256)
    return file && uploadTimeOf(file)
  }
}

/** What the terms let be served of a page as the upstream has it, and of our wheels. */
export function permittedBy(project: string, { page, wheels }: { page: ProjectPage | undefined; wheels: BuiltWheel[] }, terms: PolicyTerms | undefined): Permitted<BuiltWheel> {
  if (!terms) return { page, wheels, held: [], until: Infinity }
  const ours = filterWheels({ project, page, wheels, ...terms })
  const theirs = page && filterPage({ project, page, ...terms })
  return { page: theirs?.page, wheels: ours.wheels, held: theirs?.held ?? [], until: Math.min(ours.until, theirs?.until ?? Infinity) }
}

/** Where no rules are given, on views either. */
export const NO_POLICY: Policy = {
  admit() {},
  async check() {},
  async permitted(_project, had) { return { ...had, held: [], until: Infinity } },
  async terms() { return undefined },
  guards: false,
}

/** The upstream's pages as the server's rules leave them: for all who choose among what may be served. */
export function permittedPages(pages: UpstreamPages, policy: Policy): UpstreamPages {
  return {
    ...pages,
    async read(project) {
      const kept = await pages.read(project)
      const page = kept && (await policy.permitted(project, { page: kept.page, wheels: [] })).page
      return kept && { ...kept, page: page ?? kept.page }
    },
  }
}

function refuse(what: string, held: Held | undefined): void {
  if (held) throw new MuslinError('blocked-by-policy', heldLine(what, held))
}
