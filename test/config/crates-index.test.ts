import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findCratesIndex } from '../../src/config/crates-index.ts'

let folder: string
beforeAll(async () => { folder = await mkdtemp(join(tmpdir(), 'muslin-cargo-')) })
afterAll(() => rm(folder, { recursive: true }))

const found = async (config: string) => {
  await writeFile(join(folder, 'config.toml'), config)
  return findCratesIndex({ setting: undefined, env: { CARGO_HOME: folder } })
}

test.each<[string, string, string | undefined]>([
  ['a mirror', '[source.crates-io]\nreplace-with = "mirror"\n[source.mirror]\nregistry = "sparse+https://crates.example/index/"', 'https://crates.example/index/'],
  ['a mirror of a mirror', '[source]\ncrates-io = { replace-with = "a" }\na = { replace-with = "b" }\nb = { registry = "sparse+http://crates.example/" }', 'http://crates.example/'],
  ['a registry by its name', '[source.crates-io]\nreplace-with = "ours"\n[registries.ours]\nindex = "sparse+https://crates.example/"', 'https://crates.example/'],
  ['a repository of git, which is no sparse index', '[source.crates-io]\nreplace-with = "git"\n[source.git]\nregistry = "https://git.example/index"', undefined],
  ['a folder', '[source.crates-io]\nreplace-with = "here"\n[source.here]\ndirectory = "vendor"', undefined],
  ['a circle', '[source.crates-io]\nreplace-with = "a"\n[source.a]\nreplace-with = "crates-io"', undefined],
  ['nothing about it', '[build]\njobs = 1', undefined],
  ['no TOML', '[', undefined],
])('%s', async (_, config, expected) => expect(await found(config)).toBe(expected))

test('the setting comes first, and without either there is none', async () => {
  expect(await findCratesIndex({ setting: 'https://set.example/', env: { CARGO_HOME: folder } })).toBe('https://set.example/')
  expect(await findCratesIndex({ setting: undefined, env: {} })).toBeUndefined()
  expect(await findCratesIndex({ setting: undefined, env: { HOME: join(folder, 'absent') } })).toBeUndefined()
})
