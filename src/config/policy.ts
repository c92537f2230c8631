import { parseSpan } from '../domain/moment.ts'
import { parsePattern } from '../domain/pattern.ts'
import type { PolicyRules } from '../domain/policy.ts'
import type { Settings, ViewSettings } from './settings.ts'

type ServerPolicy = Pick<Settings, 'deny' | 'cooldown' | 'cooldownExempt'> & Partial<Pick<Settings, 'allow'>>

/** The rules that hold for every file of this server. */
export function serverRules(settings: ServerPolicy): PolicyRules {
  return rulesOf('', settings, [])
}

/** The views by their names, each with its own rules: those of the server hold beside them. What the server exempts from a cooldown is exempt from a view's too. */
export function viewRules({ views, cooldownExempt }: Pick<Settings, 'views' | 'cooldownExempt'>): Map<string, PolicyRules> {
  return new Map(Object.entries(views).map(([name, view]) => [name, rulesOf(`views.${name}.`, view, cooldownExempt)]))
}

function rulesOf(of: string, { allow, deny = [], cooldown = 0, cooldownExempt = [], before }: ViewSettings, exempt: string[]): PolicyRules {
  const patterns = (texts: string[]) => texts.flatMap((text) => parsePattern(text) ?? [])
  return {
    of, allow: allow && patterns(allow), deny: patterns(deny), cooldown: cooldown * 1000, exempt: patterns([...exempt, ...cooldownExempt]),
    before: before === undefined ? undefined : parseSpan(before)?.last,
  }
}
