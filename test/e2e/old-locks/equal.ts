/** Locks that were made before a build, and are used after it: what they install is what it was. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Check } from '../lab.ts'
import { assertInstalled, PLAIN, type File, type Scene } from './scene.ts'
import { EXPORT, pip, place, POETRY, REPORT, REQUIREMENTS, UV, uvPip } from './tools.ts'

/** An sdist alone, a wheel for all, and one that has wheels for musl among many. */
const WANTED = [`${PLAIN}==1.0`, 'idna==3.10', 'markupsafe==3.0.2']
const PYTHON = '.venv/bin/python'
const IMPORT = `${PYTHON} -c 'import _plain_c, idna, markupsafe._speedups'`

/** Makes locks while nothing of it is built; what comes back compares what they install, once it is built. */
export async function lockBefore(check: Check, scene: Scene): Promise<() => Promise<void>> {
  const { compiling: box, turnout, relay, url } = scene
  const index = `${turnout.url}/simple/`
  await check('uv and poetry lock before a build, uv through Muslin too', async () => {
    turnout.to(relay.url)
    await Promise.all([
      place(box, '/before/uv', UV, WANTED, '').then(() => box.sound(`cd /before/uv && ${UV.locks} && ${EXPORT}`, { INDEX: relay.url })),
      place(box, '/before/through', UV, WANTED, '').then(() => box.sound(`cd /before/through && ${UV.locks}`, { INDEX: `${url}/simple/` })),
      place(box, '/before/poetry', POETRY, WANTED, index).then(() => box.sound(`cd /before/poetry && ${POETRY.locks}`)),
    ])
    const [plain, through] = await Promise.all(['uv', 'through'].map((name) => box.sound(`grep -o 'sha256:[0-9a-f]*' /before/${name}/uv.lock`)))
    assert.equal(through, plain)
    assert.deepEqual(scene.muslin.jobs().filter(({ project }) => project === PLAIN), [])
  })
  return () => compare(check, scene, index)
}

async function compare(check: Check, scene: Scene, index: string): Promise<void> {
  const { compiling: box, turnout, relay, url } = scene
  const sdist = (await (await fetch(`${url}/finished/simple/${PLAIN}/`, { headers: { accept: 'application/vnd.pypi.simple.v1+json' } })).json()) as { files: { filename: string; hashes: { sha256: string } }[] }
  const source: File = `${PLAIN}-1.0.tar.gz ${sdist.files.find(({ filename }) => filename.endsWith('.tar.gz'))!.hashes.sha256}`

  await check('it is built', async () => {
    const path = join(await scene.lab.folder(), 'requirements.txt')
    await writeFile(path, await box.sound('cat /before/uv/requirements.txt'))
    const { exitCode, all } = await scene.command('prebuild', '--wait', path)
    assert.equal(exitCode, 0, all)
    assert.deepEqual([...(await scene.wheels(PLAIN)).keys()], [1])
  })

  for (const name of ['pip-23.2', 'pip'] as const) {
    await check(`${name} --require-hashes: its report, and what it fetched, are those of the plain upstream`, async () => {
      const report = async (from: string) => {
        await box.sound(`cd /before/uv && ${pip(name, REQUIREMENTS)} && ${IMPORT}`, { INDEX: from })
        return told(await box.sound(`cat ${REPORT}`))
      }
      let plain: File[] = []
      let through: File[] = []
      const fetched = await scene.sentByUpstream(async () => { plain = await report(relay.url) })
      assert.deepEqual(await scene.sent(async () => { through = await report(`${url}/simple/`) }), fetched)
      assert.deepEqual(through, plain)
      assert.ok(plain.length === 3 && plain.includes(source), plain.join('\n'))
      assert.ok(fetched.some((file) => file.startsWith('setuptools-')), fetched.join('\n'))
    })
  }
  await check('uv.lock, by itself and with Muslin as the index, and one that was made through it: the same', async () => {
    const sync = (folder: string, from: string) => box.sound(`cd ${folder} && ${UV.installs} && ${IMPORT} && /opt/uv/bin/uv pip freeze`, { INDEX: from })
    const plain = await scene.sentByUpstream(() => sync('/before/uv', relay.url))
    assert.ok(plain.includes(source), plain.join('\n'))
    let above: File[] = []
    const here = await scene.sent(async () => { above = await scene.sentByUpstream(() => sync('/before/uv', `${url}/simple/`)) })
    assert.deepEqual([...new Set([...above, ...here])].sort(), plain)
    assert.deepEqual(await scene.sent(() => sync('/before/through', `${url}/simple/`)), plain)
  })
  await check('poetry.lock under a name that led to the upstream: the same', async () => {
    const install = () => box.sound(`cd /before/poetry && ${POETRY.installs} && ${IMPORT}`)
    turnout.to(relay.url)
    const plain = await scene.sentByUpstream(install)
    assert.ok(plain.includes(source), plain.join('\n'))
    turnout.to(url)
    assert.deepEqual(await scene.sent(install), plain)
  })

  const unlocked = [
    { name: 'pip 23.2', installs: pip('pip-23.2', WANTED.join(' ')) }, { name: 'pip', installs: pip('pip', WANTED.join(' ')) },
    { name: 'uv pip install', installs: uvPip(WANTED.join(' ')) }, { name: 'poetry', locks: POETRY.locks, installs: POETRY.installs },
  ]
  for (const { name, locks = ':', installs } of unlocked) {
    await check(`${name} without such a lock takes our wheel`, async () => {
      const wheel = (await scene.wheels(PLAIN)).get(1)!
      await place(box, '/now', POETRY, WANTED, index)
      await box.sound(`cd /now && ${locks}`)
      const sent = await scene.sent(() => box.sound(`cd /now && ${installs} && ${IMPORT}`, { INDEX: `${url}/simple/` }))
      assert.ok(sent.length === 3 && sent.includes(`${wheel.filename} ${wheel.sha256}`), sent.join('\n'))
      await assertInstalled(scene, box, `/now/${PYTHON}`, wheel)
    })
  }
}

/** What pip's report names. */
function told(report: string): File[] {
  const { install } = JSON.parse(report) as { install: { download_info: { url: string; archive_info: { hashes: { sha256: string } } } }[] }
  return install.map(({ download_info: { url, archive_info: { hashes } } }): File => `${new URL(url).pathname.split('/').at(-1)!} ${hashes.sha256}`).sort()
}
