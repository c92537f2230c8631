/** Locks that hold the hash of a wheel which a newer build of ours replaced, beside that of its sdist. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { diffLines } from '../diff-lines.ts'
import { TARGET, type Check } from '../lab.ts'
import { USE, WANTED } from './added.ts'
import { assertInstalled, WITH_LIBRARY, type Scene } from './scene.ts'
import { PDM, pip, PIPENV, place, POETRY, REQUIREMENTS, UV, uvPip, type Tool } from './tools.ts'

const PYTHON = '.venv/bin/python'
const LOCKED: { name: string; folder: string; installs: string }[] = [
  { name: 'pip 23.2 --require-hashes', folder: '/locks/uv', installs: pip('pip-23.2', REQUIREMENTS) },
  { name: 'pip --require-hashes', folder: '/locks/uv', installs: pip('pip', REQUIREMENTS) },
  { name: 'uv pip install --require-hashes', folder: '/locks/uv', installs: uvPip(REQUIREMENTS) },
  ...[UV, POETRY, PDM, PIPENV].map(({ name, lock, installs }) => ({ name: `${name} by ${lock}`, folder: `/locks/${name}`, installs })),
]
const UNLOCKED: { name: string; tool?: Tool; installs: string }[] = [
  { name: 'pip 23.2', installs: pip('pip-23.2', WANTED.join(' ')) },
  { name: 'pip', installs: pip('pip', WANTED.join(' ')) },
  { name: 'uv pip install', installs: uvPip(WANTED.join(' ')) },
  ...[UV, POETRY, PDM].map((tool) => ({ name: `${tool.name} by a lock that it makes now`, tool, installs: `${tool.locks} && ${tool.installs}` })),
]

/** By locks that hold build 1, while a newer library has it built anew. */
export async function superseded(check: Check, scene: Scene): Promise<void> {
  const { clean, turnout } = scene
  const index = `${turnout.url}/simple/`
  await check('a newer library has the wheel built anew, as build 2', () => rebuild(scene))
  for (const { name, folder, installs } of LOCKED) await check(`${name} takes build 1 still, and compiles nothing`, () => takes(1, folder, installs))
  for (const { name, tool, installs } of UNLOCKED) {
    await check(`${name} takes build 2`, async () => {
      const folder = `/fresh/${tool?.name ?? 'none'}`
      if (tool) await place(clean, folder, tool, WANTED, index)
      else await clean.sound(`mkdir -p ${folder}`)
      await takes(2, folder, installs)
    })
  }
  await check('muslin lock-hashes adds build 2 to the old lock, and pip takes it by that', async () => {
    const path = join(await scene.lab.folder(), 'requirements.txt')
    const before = await clean.sound('cat /locks/uv/requirements.txt')
    await writeFile(path, before)
    const { exitCode, all } = await scene.command('lock-hashes', '--target', TARGET, path)
    assert.equal(exitCode, 0, all)
    const after = await readFile(path, 'utf8')
    const { added, removed } = diffLines(before, after)
    assert.deepEqual([added.length, removed], [1, []])
    assert.ok(added[0]!.includes((await scene.wheels(WITH_LIBRARY)).get(2)!.sha256))
    await clean.write('/moved/requirements.txt', after)
    for (const name of ['pip-23.2', 'pip'] as const) await takes(2, '/moved', pip(name, REQUIREMENTS))
  })

  async function takes(number: number, folder: string, installs: string): Promise<void> {
    const wheel = (await scene.wheels(WITH_LIBRARY)).get(number)!
    const sent = await scene.sent(() => clean.sound(`cd ${folder} && ${installs} && ${USE({ python: PYTHON })}`, { INDEX: index }))
    // uv fetches what its lock names from where that says: the upstream's idna.
    assert.deepEqual(sent.filter((file) => !file.startsWith('idna-')), [`${wheel.filename} ${wheel.sha256}`])
    await assertInstalled(scene, clean, `${folder}/${PYTHON}`, wheel)
  }
}

async function rebuild(scene: Scene): Promise<void> {
  const { alpine: { apks, files, make }, repository } = scene
  const { library, dev } = await files('bobbin')
  await repository.publish([
    ...apks.filter(({ filename }) => !filename.startsWith('bobbin-')),
    await make({ name: 'bobbin', version: '1.0.0-r1', provides: ['so:libbobbin.so.1=1.0.0'], files: library }),
    await make({ name: 'bobbin-dev', version: '1.0.0-r1', origin: 'bobbin', depends: ['bobbin=1.0.0-r1'], provides: ['pc:bobbin=1.0.0'], files: dev }),
  ])
  // Indexes are asked for anew after ten minutes: as if they were over.
  await scene.restart(() => {
    const database = new Database(join(scene.muslin.data, 'muslin.db'))
    database.exec('UPDATE kept_files SET fetched_at = 0')
    database.close()
  })
  const { exitCode, all } = await scene.command('outdated', '--rebuild')
  assert.equal(exitCode, 0, all)
  await scene.muslin.until('it is built', () => scene.muslin.jobs().some(({ kind, state }) => kind === 'rebuild' && state === 'built') || undefined, 120)
  assert.deepEqual([...(await scene.wheels(WITH_LIBRARY)).keys()].sort(), [1, 2])
}
