/** Locks that real tools made against the upstream, before our wheels' hashes are in them and after. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { assertAdded, NO_COMPILER } from '../added-lines.ts'
import { TARGET, type Check } from '../lab.ts'
import { assertInstalled, WITH_LIBRARY, type Scene } from './scene.ts'
import { EXPORT, PDM, PIPENV, place, POETRY, UV, type Tool } from './tools.ts'

export const WANTED = [`${WITH_LIBRARY}==1.0`, 'idna==3.10']
const NAMED = [POETRY, PDM, PIPENV]
const ALL = [...NAMED, UV]

/** Leaves the locks with our hashes in folders of the clean box: `/locks/poetry/poetry.lock` and so on, `/locks/uv/requirements.txt`. */
export async function addHashes(check: Check, scene: Scene): Promise<void> {
  const { clean, turnout, relay, url } = scene
  const folder = await scene.lab.folder()
  const files = [...ALL.map(({ name, lock }) => ({ inBox: `/locks/${name}/${lock}`, here: join(folder, lock) })), { inBox: '/locks/uv/requirements.txt', here: join(folder, 'requirements.txt') }]
  const index = `${turnout.url}/simple/`
  const before = new Map<string, string>()

  await check('poetry, pdm, pipenv and uv lock against the upstream', async () => {
    turnout.to(relay.url)
    await Promise.all(ALL.map(async (tool) => {
      await place(clean, `/locks/${tool.name}`, tool, WANTED, index)
      // Its lock holds URLs of files, and they lead to the upstream for ever.
      await clean.sound(`cd /locks/${tool.name} && ${tool.locks}`, { INDEX: tool === UV ? relay.url : index })
    }))
    await clean.sound(`cd /locks/uv && ${EXPORT}`)
    for (const { inBox, here } of files) {
      before.set(here, await clean.sound(`cat ${inBox}`))
      await writeFile(here, before.get(here)!)
    }
  })

  await check('without a compiler nothing is installed by them from the upstream', () => refused(clean, index))

  await check('muslin lock-hashes: one line comes to each, that of our wheel, and a second run adds nothing', async () => {
    const paths = files.map(({ here }) => here)
    assert.equal((await scene.command('lock-hashes', '--check', '--target', TARGET, ...paths)).exitCode, 2)
    const first = await scene.command('lock-hashes', '--target', TARGET, ...paths)
    assert.equal(first.exitCode, 0, first.all)
    const wheel = (await scene.wheels(WITH_LIBRARY)).get(1)!
    const after = await Promise.all(paths.map((path) => readFile(path, 'utf8')))
    for (const [at, path] of paths.entries()) {
      const added = assertAdded(path, before.get(path)!, after[at]!, [wheel], url)
      console.log(`       + ${added.map((line) => line.trim().slice(0, 120)).join('\n         ')}`)
    }
    assert.equal((await scene.command('lock-hashes', '--check', '--target', TARGET, ...paths)).exitCode, 0)
    assert.equal((await scene.command('lock-hashes', '--target', TARGET, ...paths)).exitCode, 0)
    assert.deepEqual(await Promise.all(paths.map((path) => readFile(path, 'utf8'))), after)
  })

  await check('by the locks as they were nobody takes the wheel, though it is listed', async () => {
    turnout.to(url)
    await refused(clean, index)
  })

  for (const { inBox, here } of files) await clean.write(inBox, await readFile(here, 'utf8'))
  for (const tool of NAMED) {
    await check(`${tool.lock} of ${tool.name}: by the name that now leads here it installs our wheel, whose hash it checks, and compiles nothing`, async () => {
      const wheel = (await scene.wheels(WITH_LIBRARY)).get(1)!
      const sent = await scene.sent(() => clean.sound(`cd /locks/${tool.name} && ${tool.installs} && ${USE(tool)}`, { INDEX: viewOf(tool, turnout.url) }))
      assert.deepEqual(sent.map((file) => file.split('-')[0]), ['idna', 'with_bobbin'])
      assert.equal(sent[1], `${wheel.filename} ${wheel.sha256}`)
      await assertInstalled(scene, clean, `/locks/${tool.name}/${tool.python}`, wheel)
    })
  }
  await check('it was built once', async () => {
    assert.deepEqual(scene.muslin.jobs().filter(({ kind, project }) => kind === 'build' && project === WITH_LIBRARY).map(({ state, attempts }) => `${state} ${attempts}`), ['built 1'])
  })
}

async function refused(clean: Scene['clean'], index: string): Promise<void> {
  const ran = await Promise.all(NAMED.map(async (tool) => ({ tool, ...await clean.run(`cd /locks/${tool.name} && ${tool.installs}`, { INDEX: index }) })))
  for (const { tool, code, output } of ran) {
    assert.notEqual(code, 0, tool.name)
    assert.match(output, NO_COMPILER, `${tool.name}: ${output.slice(-3000)}`)
  }
}

/** pipenv cannot be told from pip: its view has finished files alone. */
function viewOf(tool: Tool, root: string): string {
  return tool === PIPENV ? `${root}/finished/simple/` : `${root}/simple/`
}

export const USE = ({ python }: Pick<Tool, 'python'>) => `${python} -c 'import idna, _with_bobbin; assert _with_bobbin.turns() == 7'`
