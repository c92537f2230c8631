import { cold, firstByte } from './cold.ts'
import { files, huge } from './files.ts'
import { installs } from './installs.ts'
import { outage } from './outage.ts'
import { crowd, hot, mix, single, unchanged } from './pages.ts'
import type { Scenario } from './scenario.ts'
import { startup } from './start.ts'
import { storm } from './storm.ts'

export const SCENARIOS: readonly Scenario[] = [hot, single, mix, unchanged, crowd, cold, files, firstByte, storm, huge, outage, startup, installs]

export function scenariosByName(names: string[]): Scenario[] {
  const unknown = names.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name))
  if (unknown.length > 0) throw new Error(`there is no scenario ${unknown.join(', ')}; there are ${SCENARIOS.map(({ name }) => name).join(', ')}`)
  return SCENARIOS.filter(({ name }) => names.includes(name))
}
