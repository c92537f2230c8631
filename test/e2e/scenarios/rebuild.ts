/** What is built again: for a new Python what an older one uses, by a new tag where that will do; and wheels whose libraries are outdated. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { execa } from 'execa'
import type { Outdated } from '../../../src/services/rebuild-views.ts'
import type { Plan, Prebuild } from '../../../src/services/views.ts'
import { standinAlpine } from '../../standin/apk/standin.ts'
import { calling, removeImages, serveRepository } from '../alpine.ts'
import { cleanEnv, FIRST, NODE, ROOT, SECOND, type Check, type Lab, type Muslin } from '../lab.ts'
import { startRelay } from '../relay.ts'
import { makeSdist } from '../sdists.ts'

const NEW = FIRST.name
const OLD = SECOND.name
/** Where upstream has a wheel of it for the older Python alone, and where for both. */
const FOR_OLD = 'markupsafe==2.1.3'
const FOR_BOTH = 'markupsafe==3.0.2'

export default async function rebuild(check: Check, lab: Lab): Promise<void> {
  const [first, second] = [await standinAlpine(FIRST), await standinAlpine(SECOND)]
  const repository = await serveRepository(lab, first)
  const relay = await startRelay()
  lab.onClose(() => relay.close())
  relay.add(
    await makeSdist({ project: 'plain-c' }), await makeSdist({ project: 'with-bobbin', ...calling('with-bobbin', 'bobbin') }),
    await makeSdist({ project: 'stable-abi', files: { 'setup.py': STABLE } }), await makeSdist({ project: 'pure-one', files: { 'setup.py': PURE, 'pure_one.py': 'answer = 42\n' } }),
  )
  const instances: string[] = []
  lab.onClose(async () => { for (const instance of instances) await removeImages(instance) })
  const options = {
    upstream: relay.url, args: ['--apk-mirror', repository.mirror],
    targets: [{ name: NEW, builder: first.builder, clean: first.clean }, { name: OLD, builder: second.builder, clean: second.clean }],
  }
  let muslin = await lab.muslin(options)
  instances.push((JSON.parse(await readFile(join(muslin.data, 'server.json'), 'utf8')) as { instance: string }).instance)
  const clients = { [OLD]: second.clean, [NEW]: first.clean }

  /** `args` of a second client: one that has another address. */
  async function install(target: string, wanted: string[], imports: string, args: string[] = []): Promise<void> {
    const { code, output } = await lab.run(clients[target]!, ['sh', '-c', `pip install -q --no-deps ${wanted.join(' ')} && python -c "import ${imports}"`], { env: lab.index(muslin), seconds: 600, args })
    const failed = muslin.jobs().filter(({ state, build }) => state === 'failed' && build !== null)
    assert.equal(code, 0, [output, ...await Promise.all(failed.map(async ({ build }) => (await fetch(`${muslin.url}/b/${build}`)).text()))].join('\n'))
  }

  await check(`installs on ${OLD} are what it uses`, async () => {
    await install(OLD, ['plain-c', 'with-bobbin', 'stable-abi', 'pure-one', FOR_BOTH], '_plain_c, _with_bobbin, _stable_abi, pure_one, markupsafe; assert _with_bobbin.turns() == 7')
    await install(OLD, ['plain-c', FOR_OLD], '_plain_c, markupsafe', ['--network', 'host'])
    await muslin.until('what was sent is counted', () => demand(muslin).get('plain-c') === 2 || undefined, 30)
  })

  await check('a dry run plans the most wanted first, and leaves out what the upstream has', async () => {
    const plan = await cli<Plan>(muslin, 'rebuild', '--target', NEW, '--like', OLD, '--dry-run')
    assert.deepEqual(plan.lines.map(({ project, version, verdict }) => `${project} ${version} ${verdict}`), [
      'plain-c 1.0 would-build', 'markupsafe 2.1.3 would-build', 'markupsafe 3.0.2 upstream-wheel', 'pure-one 1.0 would-build', 'stable-abi 1.0 would-build', 'with-bobbin 1.0 would-build',
    ])
    assert.equal(muslin.jobs().filter((job) => job.target === NEW).length, 0)
  })
  await check(`rebuild --target ${NEW} --like ${OLD}: all of it is built in that order`, async () => {
    const end = await cli<Prebuild>(muslin, 'rebuild', '--target', NEW, '--like', OLD, '--wait')
    assert.deepEqual([end.finished, end.total, end.failed], [true, 5, 0], JSON.stringify(end.lines, null, 1))
    const jobs = muslin.jobs().filter((job) => job.target === NEW && job.kind === 'build')
    const begun = jobs.toSorted((a, b) => (a.started_at ?? 0) - (b.started_at ?? 0)).map(({ project }) => project)
    assert.deepEqual(begun.slice(0, 2).sort(), ['markupsafe', 'plain-c'])
    assert.ok(jobs.every(({ state }) => state === 'built'))
  })
  for (const project of ['stable-abi', 'pure-one']) {
    await check(`${project} was not compiled a second time: its first result got a new tag, and was tried on both targets`, async () => {
      const [there, here] = await Promise.all([OLD, NEW].map((target) => buildOf(muslin, project, target)))
      assert.ok(there && here)
      assert.ok(there.record.steps.some(({ step }) => step === 'build'))
      assert.deepEqual([here.record.result?.build, here.record.result?.refused], [there.id, undefined])
      assert.ok(!here.record.steps.some(({ step }) => step === 'build'))
      for (const { record } of [there, here]) assert.ok(record.try && !('notTried' in record.try), JSON.stringify(record.try))
    })
  }
  await check(`all of it installs on ${NEW} at once`, async () => {
    await install(NEW, ['plain-c', 'with-bobbin', 'stable-abi', 'pure-one', FOR_OLD], '_plain_c, _with_bobbin, _stable_abi, pure_one, markupsafe._speedups; assert _with_bobbin.turns() == 7')
    assert.ok(muslin.jobs().every(({ state }) => state === 'built'))
  })

  const before = wheels(muslin, 'with-bobbin')
  await check('nothing is outdated while the branch has nothing newer', async () => {
    assert.deepEqual(before.map(({ bundled }) => bundled), [['bobbin 1.0.0-r0'], ['bobbin 1.0.0-r0']])
    assert.deepEqual(await cli<Outdated>(muslin, 'outdated'), { outdated: [], unreachable: [] })
  })
  await check('a newer library in the branch makes the wheels outdated that bundle it', async () => {
    const { library, dev } = await first.files('bobbin')
    const newer = [
      await first.make({ name: 'bobbin', version: '1.0.0-r1', provides: ['so:libbobbin.so.1=1.0.0'], files: library }),
      await first.make({ name: 'bobbin-dev', version: '1.0.0-r1', origin: 'bobbin', depends: ['bobbin=1.0.0-r1'], provides: ['pc:bobbin=1.0.0'], files: dev }),
    ]
    await repository.publish([...first.apks.filter(({ filename }) => !filename.startsWith('bobbin-')), ...newer])
    // Indexes are asked for anew after ten minutes: as if they were over.
    await muslin.stop()
    write(muslin, 'UPDATE kept_files SET fetched_at = 0')
    muslin = await lab.muslin({ ...options, data: muslin.data, port: muslin.port })
    const { outdated } = await cli<Outdated>(muslin, 'outdated')
    assert.deepEqual(outdated.map(({ filename, apk, has, newest, job }) => [filename, apk, has, newest, job]).sort(), before.map(({ filename }) => [filename, 'bobbin', '1.0.0-r0', '1.0.0-r1', null]).sort())
  })
  await check('they are built anew as -2-, with the newer library, by jobs that are told from all others', async () => {
    const token = await tokenOf(muslin)
    await muslin.until('a worker is ready again', async () => ((await (await fetch(`${muslin.url}/readyz`)).text()).includes('wheels are built for') ? true : undefined))
    const { rebuilt } = await cli<Outdated & { rebuilt: { jobs: { id: number; kind: string; priority: string }[] } }>(muslin, 'outdated', '--rebuild')
    assert.deepEqual(rebuilt.jobs.map(({ kind, priority }) => [kind, priority]), [['rebuild', 'rebuild'], ['rebuild', 'rebuild']], token)
    await muslin.until('both are built', () => muslin.jobs().filter(({ kind, state }) => kind === 'rebuild' && state === 'built').length === 2 || undefined, 300)
    const now = wheels(muslin, 'with-bobbin').filter(({ number }) => number === 2)
    assert.deepEqual(now.map(({ bundled }) => bundled), [['bobbin 1.0.0-r1'], ['bobbin 1.0.0-r1']])
    assert.deepEqual(await cli<Outdated>(muslin, 'outdated'), { outdated: [], unreachable: [] })
  })
  await check('the old ones are listed as yanked, nobody takes them, and a lock that holds their hash still does', async () => {
    const page = (await (await fetch(`${muslin.url}/simple/with-bobbin/`, { headers: { accept: 'application/vnd.pypi.simple.v1+json' } })).json()) as { files: { filename: string; yanked: unknown }[] }
    for (const { filename } of before) assert.equal(page.files.find((file) => file.filename === filename)?.yanked, 'superseded by build 2')
    for (const { target, filename, sha256 } of before) {
      const taken = (line: string, more = '') => lab.run(clients[target]!, ['sh', '-c', `printf '%s\\n' "${line}" > /tmp/lock && pip download -q --no-deps ${more} -d /tmp/w -r /tmp/lock && ls /tmp/w`], { env: lab.index(muslin) })
      const plain = await taken('with-bobbin')
      assert.equal(plain.output.trim(), filename.replace('-1.0-1-', '-1.0-2-'), plain.output)
      const locked = await taken(`with-bobbin==1.0 --hash=sha256:${sha256}`, '--require-hashes')
      assert.match(locked.output, new RegExp(`${filename.replaceAll('.', '\\.')}\\s*$`), locked.output)
    }
    await install(NEW, ['with-bobbin'], '_with_bobbin; assert _with_bobbin.turns() == 7')
  })
}

/** As wheels of the stable ABI are made (PEP 384). */
const STABLE = `from setuptools import Extension, setup
open("_stable_abi.c", "w").write('''#define Py_LIMITED_API 0x03080000
#include <Python.h>
static struct PyModuleDef def = { PyModuleDef_HEAD_INIT, "_stable_abi", 0, -1, 0 };
PyMODINIT_FUNC PyInit__stable_abi(void) { return PyModule_Create(&def); }
''')
setup(name="stable-abi", version="1.0", ext_modules=[Extension("_stable_abi", ["_stable_abi.c"], py_limited_api=True)], options={"bdist_wheel": {"py_limited_api": "cp38"}})
`
const PURE = 'from setuptools import setup\nsetup(name="pure-one", version="1.0", py_modules=["pure_one"])\n'

/** What a command of ours prints as JSON. */
async function cli<T>(muslin: Muslin, ...words: string[]): Promise<T> {
  const { stdout, stderr, exitCode } = await execa(NODE, [join(ROOT, 'src/main.ts'), ...words, '--json', '--server', muslin.url, '--token', await tokenOf(muslin)], {
    env: cleanEnv(), extendEnv: false, reject: false, stdin: 'ignore', cwd: ROOT, timeout: 600_000,
  })
  assert.equal(exitCode, 0, `muslin ${words.join(' ')}: ${stderr}; the server said:\n${muslin.output().slice(-3000)}`)
  return JSON.parse(stdout) as T
}

async function tokenOf(muslin: Muslin): Promise<string> {
  return (await readFile(join(muslin.data, 'admin-token'), 'utf8')).trim()
}

interface Record { steps: { step: string }[]; result?: { build: number; refused?: string }; try?: object }

async function buildOf(muslin: Muslin, project: string, target: string): Promise<{ id: number; record: Record } | undefined> {
  const build = muslin.jobs().find((job) => job.project === project && job.target === target && job.kind === 'build')?.build
  return build == null ? undefined : (await (await fetch(`${muslin.url}/api/v1/builds/${build}`)).json()) as { id: number; record: Record }
}

function read<Row>(muslin: Muslin, sql: string, ...values: unknown[]): Row[] {
  const database = new Database(join(muslin.data, 'muslin.db'), { readonly: true })
  try {
    return database.prepare(sql).all(...values) as Row[]
  } finally {
    database.close()
  }
}

/** Of a server that is stopped. */
function write(muslin: Muslin, sql: string): void {
  const database = new Database(join(muslin.data, 'muslin.db'))
  database.exec(sql)
  database.close()
}

function demand(muslin: Muslin): Map<string, number> {
  return new Map(read<{ project: string; downloads: number }>(muslin, 'SELECT project, downloads FROM demand WHERE target = ?', OLD).map(({ project, downloads }) => [project, downloads]))
}

function wheels(muslin: Muslin, project: string) {
  const rows = read<{ filename: string; sha256: string; target: string; number: number; system: string | null }>(muslin, 'SELECT * FROM wheels WHERE project = ? ORDER BY number, target', project)
  return rows.map(({ system, ...wheel }) => ({
    ...wheel, bundled: system === null ? [] : (JSON.parse(system) as { bundled: { apk: string; version: string }[] }).bundled.map(({ apk, version }) => `${apk} ${version}`),
  }))
}
