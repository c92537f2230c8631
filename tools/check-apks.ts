/**
 * Checks every apk name of ours against the indexes of a branch of Alpine, such as those of its main and its community:
 *   npm run check:apks -- APKINDEX.tar.gz…      files or URLs
 * Fails where a thing that builds lack, a toolchain or a recipe names nothing that these have.
 */
import { createReadStream } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { resolveApk } from '../src/domain/apk-find.ts'
import type { ApkEntry } from '../src/domain/apk-index.ts'
import { TOOLCHAIN_APKS } from '../src/domain/plan-toolchain.ts'
import { readApkIndex } from '../src/services/apk-index-file.ts'
import { readRecipes } from '../src/services/recipe-text.ts'

const BUILDERS = fileURLToPath(new URL('../builders/', import.meta.url))

/** A place where we name apks. `names` are each wanted, or `any` of them does. */
export interface ApkUse { where: string; names: string[]; any: boolean }

/** Every place in `builders/` and in the code where apks are named. */
export async function apkUses(folder = BUILDERS): Promise<ApkUse[]> {
  const missing = JSON.parse(await readFile(join(folder, 'missing.json'), 'utf8')) as Record<string, Record<string, unknown>>
  const tables = Object.entries(missing).flatMap(([table, entries]) => Object.entries(entries)
    .flatMap(([key, names]) => Array.isArray(names) ? [{ where: `missing.json, ${table}: ${key}`, names: names.map(String), any: true }] : []))
  const recipes = await Promise.all((await readdir(join(folder, 'recipes'))).filter((file) => file.endsWith('.toml')).sort().map(async (file) => {
    const layers = readRecipes(await readFile(join(folder, 'recipes', file), 'utf8'), { file, origin: 'built-in', project: file.slice(0, -'.toml'.length) })
    return layers.flatMap(({ recipe: { apks = [], runtimeApks = [] } }) => [...apks, ...runtimeApks].filter((name) => !name.startsWith('!')).map((name) => ({ where: `recipes/${file}`, names: [name], any: false })))
  }))
  const setup = await readFile(join(folder, 'alpine/setup.sh'), 'utf8')
  const image = [...setup.matchAll(/^apk add (.+)$/gm)].flatMap(([, words = '']) => words.split(' ').filter((word) => !word.startsWith('-')))
  return [...tables, ...recipes.flat(), { where: 'alpine/setup.sh', names: image, any: false }, { where: 'the toolchains', names: TOOLCHAIN_APKS, any: false }]
}

/** What these indexes lack: `dead` are places where nothing is left of what they name, `absent` names of those where something is. */
export function checkApks(uses: ApkUse[], entries: ApkEntry[]): { dead: { where: string; names: string[] }[]; absent: { where: string; names: string[] }[] } {
  const known = new Map<string, boolean>()
  const has = (name: string) => known.get(name) ?? known.set(name, resolveApk(entries, name) !== undefined).get(name) ?? false
  const lacking = uses.map(({ where, names, any }) => ({ where, any, all: names, names: names.filter((name) => !has(name)) })).filter(({ names }) => names.length > 0)
  const isDead = ({ any, all, names }: typeof lacking[number]) => !any || names.length === all.length
  return {
    dead: lacking.filter(isDead).map(({ where, names }) => ({ where, names })),
    absent: lacking.filter((use) => !isDead(use)).map(({ where, names }) => ({ where, names })),
  }
}

async function open(place: string): Promise<Readable> {
  if (!/^https?:\/\//.test(place)) return createReadStream(place)
  const answer = await fetch(place)
  if (!answer.ok) throw new Error(`${place} answered ${answer.status}`)
  return Readable.from([Buffer.from(await answer.arrayBuffer())])
}

async function main(places: string[]): Promise<number> {
  if (places.length === 0) {
    console.error('name the APKINDEX.tar.gz of each repository of a branch: npm run check:apks -- FILE-OR-URL…')
    return 2
  }
  const entries = (await Promise.all(places.map(async (place) => readApkIndex(await open(place), place)))).flat()
  const uses = await apkUses()
  const { dead, absent } = checkApks(uses, entries)
  for (const { where, names } of absent) console.log(`note  ${where}: not here are ${names.join(', ')}`)
  for (const { where, names } of dead) console.log(`DEAD  ${where}: ${names.join(', ')}`)
  console.log(`${uses.length} places, ${entries.length} apks: ${dead.length} dead, ${absent.length} with names that are not here`)
  return dead.length > 0 ? 1 : 0
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2))
