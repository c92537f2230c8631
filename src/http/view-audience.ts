/** Who gets what on views that leave out files: by the date, or by the name, in the address. */
import type { Client } from '../domain/client.ts'
import { parseSpan } from '../domain/moment.ts'
import { NO_RULES, type PolicyRules } from '../domain/policy.ts'
import type { Target } from '../domain/target.ts'
import { MuslinError } from '../errors.ts'
import type { PageView } from '../services/policy.ts'
import type { Clock } from '../services/ports.ts'

/** For whom a page is made (`target` is undefined where nobody is promised anything), and by which rules. */
export interface Listed { target: Target | undefined; asOld?: boolean; view?: PageView }

/**
 * Who gets what on a view; `named` is what the path names. It depends on the host too, which `Vary` does not name: the host is part of the URL
 * by which a cache keeps an answer (RFC 9110 section 12.5.5, RFC 9111 section 2).
 */
export type Audience = (client: Client, host: string | undefined, named: string) => Listed

export interface RuleDeps {
  /** The views of the settings by their names. */
  views: ReadonlyMap<string, PolicyRules>
  clock: Pick<Clock, 'now'>
}

/**
 * `/before/{date}/`: what there was when a day in UTC ended, or at a moment. Nobody is promised anything, and a wheel of ours is as old as its
 * sdist: it is the same release as on that day. Throws `bad-date`.
 */
export function asOfDate({ clock }: RuleDeps): Audience {
  return (_client, _host, text) => {
    const span = parseSpan(text)
    if (!span) throw new MuslinError('bad-date', `${JSON.stringify(text.slice(0, 40))} is no date; write a day as 2026-01-31, or a moment as 2026-01-31T12:00:00Z`)
    const now = clock.now()
    if (span.first > now) throw new MuslinError('bad-date', `${text.slice(0, 40)} is in the future; here it is ${new Date(now).toISOString()}`)
    return { target: undefined, asOld: true, view: { key: `before ${span.last}`, rules: { ...NO_RULES, before: span.last } } }
  }
}

/** `/view/{name}/`: what `others` get who ask for the same without a view, less what its rules hold back. One with a date is like `asOfDate`. Throws `unknown-view`. */
export function byViewName({ views }: RuleDeps, others: Audience): Audience {
  return (client, host, name) => {
    const rules = views.get(name)
    if (!rules) {
      const known = views.size > 0 ? `the views are ${[...views.keys()].join(', ')}` : 'the settings name none'
      throw new MuslinError('unknown-view', `${name.slice(0, 60)} is no configured view; ${known}`)
    }
    const audience = rules.before === undefined ? others(client, host, name) : { target: undefined, asOld: true }
    return { ...audience, view: { key: `view ${name}`, rules } }
  }
}
