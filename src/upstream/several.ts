import { LRUCache } from 'lru-cache'
import type { Logger } from 'pino'
import { briefest } from '../domain/freshness.ts'
import { MuslinError } from '../errors.ts'
import type { Upstream, UpstreamPage } from '../services/ports.ts'
import { mergeLists } from './merge-lists.ts'
import { mergePages } from './merge-pages.ts'
import { readStamp, writeStamp, type Stamp } from './stamp.ts'

/** One of several upstreams. */
export interface Member {
  /** Tells it from the others, after a restart too. */
  name: string
  upstream: Upstream & { close(): Promise<void> }
  /** Whether this name is asked here at all. */
  asks(project: string): boolean
  /** Whether this name is asked nowhere else. */
  claims(project: string): boolean
  /** Whether files of this name stand beside those of other upstreams. */
  merges(project: string): boolean
  /** Whether a URL is in the folder of this index, or at least on its host. */
  covers(url: URL): boolean
  isAt(url: URL): boolean
}

interface Found { member: Member; answer: Exclude<UpstreamPage, { kind: 'absent' }> }

/** Of so many file hosts it is remembered through whom they were reached. */
const MOST_HOSTS = 1000

/**
 * Several upstreams in order, as one. The first that knows a name owns it, and keeps it until it says that there is no such project: another that stands
 * before it takes it only where it was not in the settings yet. An upstream that fails makes the answer fail: a later one must never answer for it. Files of several
 * are listed together only for names that an upstream's settings say so of.
 */
export function createSeveral({ members, log }: { members: Member[]; log: Logger }): Upstream & { close(): Promise<void> } {
  /** Origin → who reached it last. */
  const reached = new LRUCache<string, Member>({ max: MOST_HOSTS })

  return {
    label: members.map(({ upstream }) => upstream.label).join(', '),

    async page(project, validator, via, reload) {
      const candidates = candidatesFor(project)
      const kept = readStamp(validator)
      const ask = (member: Member, own?: string): Promise<UpstreamPage> => member.upstream.page(project, own, via, reload)
      const owner = await firstToKnow(inTurn(candidates.filter((member) => !member.merges(project)), kept), (member) => ask(member, kept?.from.get(member.name)))
      const beside: Found[] = []
      for (const member of candidates.filter((each) => each.merges(project))) {
        const answer = await ask(member, kept?.from.get(member.name))
        if (answer.kind !== 'absent') beside.push({ member, answer })
      }
      const found = [...owner ? [owner] : [], ...beside].toSorted((a, b) => members.indexOf(a.member) - members.indexOf(b.member))
      if (found.length === 0) return { kind: 'absent' }
      const names = candidates.map(({ name }) => name)
      if (kept && isUnchanged(found, names, kept)) return { kind: 'unchanged', freshness: briefest(found.map(({ answer }) => answer.freshness)) }
      return await whole(found, names, ask)
    },

    list: (validator, via) => mergeLists(members.map((member) => ({ ...member, lists: (project) => candidatesFor(project).includes(member) })), { validator, via, log }),

    async file(url, ...options) {
      const at = URL.parse(url)
      let failure: unknown
      for (const member of at ? waysTo(at) : members.slice(0, 1)) {
        try {
          const file = await member.upstream.file(url, ...options)
          if (at) reached.set(at.origin, member)
          return file
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

  /** By its own upstream alone; a host that is nobody's by whoever can reach it. */
  function waysTo(at: URL): Member[] {
    const own = members.find((member) => member.covers(at)) ?? members.find((member) => member.isAt(at))
    if (own) return [own]
    const known = reached.get(at.origin)
    return known ? [known, ...members.filter((member) => member !== known)] : members
  }
}

/** Those that are new before the page's owner, then the owner, then the others in their order. */
function inTurn(members: Member[], kept: Stamp | undefined): Member[] {
  const owner = members.find(({ name }) => kept?.from.has(name))
  if (!owner) return members
  const before = members.slice(0, members.indexOf(owner)).filter(({ name }) => !kept?.candidates.includes(name))
  return [...new Set([...before, owner, ...members])]
}

async function firstToKnow(members: Member[], ask: (member: Member) => Promise<UpstreamPage>): Promise<Found | undefined> {
  for (const member of members) {
    const answer = await ask(member)
    if (answer.kind !== 'absent') return { member, answer }
  }
  return undefined
}

function isUnchanged(found: Found[], candidates: string[], kept: Stamp): boolean {
  const names = found.map(({ member }) => member.name)
  return found.every(({ answer }) => answer.kind === 'unchanged') && sameTexts(names, [...kept.from.keys()]) && sameTexts(candidates, kept.candidates)
}

function sameTexts(some: string[], others: string[]): boolean {
  return some.length === others.length && some.every((text, at) => text === others[at])
}

/** The page of all that were found. What did not change since is not here: it is asked for again. */
async function whole(found: Found[], candidates: string[], ask: (member: Member) => Promise<UpstreamPage>): Promise<UpstreamPage> {
  const pages: { member: Member; page: Extract<UpstreamPage, { kind: 'page' }> }[] = []
  for (const { member, answer } of found) {
    const page = answer.kind === 'unchanged' ? await ask(member) : answer
    if (page.kind === 'page') pages.push({ member, page })
  }
  const [first] = pages
  if (!first) return { kind: 'absent' }
  const validator = writeStamp({ from: new Map(pages.map(({ member, page }) => [member.name, page.validator])), candidates })
  return { ...first.page, ...pages.length > 1 && mergePages(pages.map(({ page }) => page)), validator, freshness: briefest(pages.map(({ page }) => page.freshness)) }
}
