import type { Logger } from 'pino'
import { briefest } from '../domain/freshness.ts'
import { MuslinError } from '../errors.ts'
import type { Upstream, UpstreamPage } from '../services/ports.ts'
import type { Address } from './address.ts'
import { mergeLists, onlyList } from './merge-lists.ts'
import { mergePages } from './merge-pages.ts'
import { readStamp, sameTexts, writeStamp, type Stamp } from './stamp.ts'

/** One of several upstreams. */
export interface Member {
  /** Tells it from the others, after a restart too, and from what it was at another address. */
  name: string
  upstream: Upstream & { close(): Promise<void> }
  /** Whether all names are asked here, and whether this one is. */
  asksAll: boolean
  asks(project: string): boolean
  /** Whether this name is asked nowhere else. */
  claims(project: string): boolean
  /** Whether files of this name stand beside those of other upstreams. */
  merges(project: string): boolean
  address: Pick<Address, 'base' | 'folder' | 'covers'>
}

interface Found { member: Member; answer: Exclude<UpstreamPage, { kind: 'absent' }> }

/**
 * Several upstreams in order, as one. The first that knows a name owns it, until it says that there is no such project, or one before it comes to know the name.
 * An upstream that fails makes the answer fail: a later one must never answer for it, but for the owner of a kept page, where the one that fails had no such project
 * before. Files of several are listed together only for names that an upstream's settings say so of.
 */
export function createSeveral({ members, log }: { members: Member[]; log: Logger }): Upstream & { close(): Promise<void> } {
  /** An index within another's folder is the one that is meant. */
  const deepestFirst = members.toSorted((a, b) => b.address.folder.length - a.address.folder.length)
  const only = members.length === 1 ? members[0] : undefined

  return {
    label: members.map(({ upstream }) => upstream.label).join(', '),

    async page(project, validator, via, reload) {
      const candidates = candidatesFor(project)
      const kept = readStamp(validator)
      const ask = (member: Member, own?: string): Promise<UpstreamPage> => member.upstream.page(project, own, via, reload)
      const alone = candidates.filter((member) => !member.merges(project))
      const owner = await ownedBy(alone, kept, (member) => ask(member, kept?.from.get(member.name)), {
        takes: (member, before) => log.warn({ project, upstream: member.upstream.label, before: before.upstream.label }, 'an upstream has come to know a name of one behind it, whose files are served no more'),
        fails: (member, error) => log.warn({ err: error, project, upstream: member.upstream.label }, 'an upstream failed that had no such project before; the one behind it that has it is asked'),
      })
      const beside: Found[] = []
      for (const member of candidates.filter((each) => each.merges(project))) {
        const answer = await ask(member, kept?.from.get(member.name))
        if (answer.kind !== 'absent') beside.push({ member, answer })
      }
      const found = [...owner ? [owner] : [], ...beside].toSorted((a, b) => members.indexOf(a.member) - members.indexOf(b.member))
      if (found.length === 0) return { kind: 'absent' }
      const absent = alone.slice(0, owner ? alone.indexOf(owner.member) : undefined).map(({ name }) => name)
      if (kept && isUnchanged(found, absent, kept)) return { kind: 'unchanged', freshness: briefest(found.map(({ answer }) => answer.freshness)) }
      return await whole(found, absent, ask)
    },

    list: (validator, via) => only?.asksAll ? onlyList(only, { validator, via }) : mergeLists(members.map((member) => ({ ...member, lists: (project) => candidatesFor(project).includes(member) })), { validator, via, log }),

    async file(url, { source, ...question } = {}) {
      const named = members.find(({ name }) => name === source)
      if (named) return await named.upstream.file(url, question)
      let failure: unknown
      for (const member of waysTo(URL.parse(url))) {
        try {
          return await member.upstream.file(url, question)
        } catch (error) {
          // Its certificates or its proxy may not be those for this host.
          if (!(error instanceof MuslinError) || error.code !== 'upstream-unreachable') throw error
          failure ??= error
        }
      }
      throw failure
    },

    close: async () => { await Promise.all(members.map(({ upstream }) => upstream.close())) },
  }

  function candidatesFor(project: string): Member[] {
    const claiming = members.filter((member) => member.claims(project))
    return claiming.length > 0 ? claiming : members.filter((member) => member.asks(project))
  }

  /** For a URL of which it is not known who named it: its own upstream alone, and for a host that is nobody's whoever can reach it. */
  function waysTo(at: URL | null): Member[] {
    if (!at) return members.slice(0, 1)
    const own = deepestFirst.find(({ address }) => address.covers(at)) ?? members.find(({ address }) => address.base.origin === at.origin)
    return own ? [own] : members
  }
}

/** The first that knows it. Throws the failure of one before that, unless the kept page has an owner, before whom all once said that they have no such project. */
async function ownedBy(members: Member[], kept: Stamp | undefined, ask: (member: Member) => Promise<UpstreamPage>, { takes, fails }: {
  takes: (member: Member, before: Member) => void
  fails: (member: Member, error: unknown) => void
}): Promise<Found | undefined> {
  const owner = members.find(({ name }) => kept?.from.has(name))
  const before = owner ? members.slice(0, members.indexOf(owner)) : []
  for (const member of members) {
    try {
      const answer = await ask(member)
      if (answer.kind === 'absent') continue
      if (owner && before.includes(member)) takes(member, owner)
      return { member, answer }
    } catch (error) {
      if (!owner || !before.includes(member) || !before.every(({ name }) => kept?.absent.includes(name))) throw error
      fails(member, error)
      const answer = await ask(owner)
      if (answer.kind === 'absent') throw error
      return { member: owner, answer }
    }
  }
  return undefined
}

function isUnchanged(found: Found[], absent: string[], kept: Stamp): boolean {
  const names = found.map(({ member }) => member.name)
  return found.every(({ answer }) => answer.kind === 'unchanged') && sameTexts(names, [...kept.from.keys()]) && sameTexts(absent, kept.absent)
}

/** The page of all that were found. What did not change since is not here: it is asked for again. */
async function whole(found: Found[], absent: string[], ask: (member: Member) => Promise<UpstreamPage>): Promise<UpstreamPage> {
  const pages: { member: Member; page: Extract<UpstreamPage, { kind: 'page' }> }[] = []
  for (const { member, answer } of found) {
    const page = answer.kind === 'unchanged' ? await ask(member) : answer
    if (page.kind === 'page') pages.push({ member, page })
  }
  const [first] = pages
  if (!first) return { kind: 'absent' }
  const validator = writeStamp({ from: new Map(pages.map(({ member, page }) => [member.name, page.validator])), absent })
  const merged = pages.length > 1 ? mergePages(pages.map(({ member, page }) => ({ page, source: member.name }))) : { sourceOf: () => first.member.name }
  return { ...first.page, ...merged, validator, freshness: briefest(pages.map(({ page }) => page.freshness)) }
}
