import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'smol-toml'

const SPARSE = 'sparse+'
/** cargo follows one replacement after another; a configuration that needs more goes in a circle. */
const MOST_STEPS = 10

/**
 * The URL of the sparse index that crates come from: the setting, else what cargo on this machine is told to use instead of its own registry
 * (`[source.crates-io] replace-with`). No registry is named in the code. Undefined where there is neither.
 */
export async function findCratesIndex({ setting, env }: { setting: string | undefined; env: Record<string, string | undefined> }): Promise<string | undefined> {
  if (setting !== undefined) return setting
  const folder = env['CARGO_HOME'] ?? (env['HOME'] === undefined ? undefined : join(env['HOME'], '.cargo'))
  if (folder === undefined) return undefined
  // By its older name as well, which cargo prefers where there are both.
  const text = await readFile(join(folder, 'config'), 'utf8').catch(() => readFile(join(folder, 'config.toml'), 'utf8')).catch(() => undefined)
  return text === undefined ? undefined : replacement(text)
}

function replacement(text: string): string | undefined {
  const { source, registries } = parsed(text)
  let name = 'crates-io'
  for (let step = 0; step < MOST_STEPS; step++) {
    const { 'replace-with': next, registry = table(table(registries)[name])['index'] } = table(table(source)[name])
    if (typeof next === 'string') name = next
    else return typeof registry === 'string' && /^sparse\+https?:\/\//.test(registry) ? registry.slice(SPARSE.length) : undefined
  }
  return undefined
}

function parsed(text: string): Record<string, unknown> {
  try {
    return parse(text)
  } catch {
    return {}
  }
}

function table(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? value as Record<string, unknown> : {}
}
