/** What builds lack is found: apks by header, pkg-config module, command and library, through Muslin alone; and build requirements, by jobs of their own. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { standinAlpine } from '../../standin/apk/standin.ts'
import { calling, neighbour, removeImages, serveRepository, stranger } from '../alpine.ts'
import { BUILDER, CLEAN, docker, TARGET, until, type Check, type Lab, type Muslin } from '../lab.ts'
import { startRelay } from '../relay.ts'
import { makeSdist } from '../sdists.ts'

const PATH = '/apk/v3.19/main/x86_64/'

/** Each finds out one thing after the other, as configure scripts do. */
const NEEDS = {
  bobbin: { prelude: 'import subprocess\nsubprocess.check_call(["pkg-config", "--exists", "--print-errors", "bobbin"])\n' },
  spindle: { prelude: 'import subprocess\nsubprocess.check_output(["spindle-config", "--libs"])\n' },
} as const

export default async function discovery(check: Check, lab: Lab): Promise<void> {
  const alpine = await standinAlpine({ builder: BUILDER, clean: CLEAN })
  const repository = await serveRepository(lab, alpine)
  const relay = await startRelay()
  lab.onClose(() => relay.close())
  relay.hide = (filename) => filename.startsWith('cffi-') && filename.endsWith('.whl')
  const args = ['--builder-image', `${TARGET}=${alpine.builder}`, '--clean-image', `${TARGET}=${alpine.clean}`, '--apk-mirror', repository.mirror]
  const instances: string[] = []
  // After the servers, which make them.
  lab.onClose(async () => { for (const instance of instances) await removeImages(instance) })
  const first = await lab.muslin({ upstream: relay.url, args })
  const instance = await instanceOf(first)
  instances.push(instance)

  async function install(muslin: Muslin, wanted: string, imports: string): Promise<string> {
    const run = await lab.run(alpine.clean, ['sh', '-c', `pip install -q ${wanted} && python -c "import ${imports}"`], { env: lab.index(muslin), seconds: 600 })
    assert.equal(run.code, 0, `${run.output}\n${await logOf(muslin, wanted.split('==')[0] ?? '')}`)
    return logOf(muslin, wanted.split('==')[0] ?? '')
  }
  const refused = (muslin: Muslin, wanted: string) => lab.run(CLEAN, ['pip', 'download', '-q', '--no-deps', '-d', '/tmp/wheels', wanted], { env: lab.index(muslin), seconds: 600 })

  await check('cffi, which nobody wrote a recipe for, is built in the second round with libffi-dev, and imports where libffi is not', async () => {
    assert.deepEqual(await layers(first, 'cffi'), [])
    const log = await install(first, 'cffi==1.17.0', 'cffi; cffi.FFI().cast(\\"int\\", 7)')
    assert.match(log, /round 2 of at most 4: adds the apk libffi-dev, for header ffi\.h/)
    assert.doesNotMatch(log, /round 3/)
    assert.deepEqual(bundled(first, 'cffi'), [{ apk: 'libffi', version: '3.4.4-r0', library: 'libffi.so.8.1.2' }])
  })
  await check('what it took is a learnt recipe, with its evidence; the next version builds in the first round', async () => {
    const [learnt] = await layers(first, 'cffi')
    assert.ok(learnt)
    assert.equal(learnt.origin, 'learnt')
    assert.deepEqual(learnt.apks, ['libffi-dev'])
    assert.match(JSON.stringify(learnt.evidence), /ffi\.h/)
    assert.doesNotMatch(await install(first, 'cffi==1.17.1', 'cffi'), /round 2/)
    assert.equal(repository.requests.filter((path) => path.endsWith('libffi-dev-3.4.4-r0.apk')).length, 1)
  })

  await check('a pkg-config module is found by what its apk provides', async () => {
    relay.add(await makeSdist({ project: 'needs-bobbin', ...NEEDS.bobbin }))
    assert.match(await install(first, 'needs-bobbin==1.0', '_needs_bobbin'), /round 2 of at most 4: adds the apk bobbin-dev, for the pkg-config module bobbin/)
  })
  await check('a command, too', async () => {
    relay.add(await makeSdist({ project: 'needs-spindle', ...NEEDS.spindle }))
    assert.match(await install(first, 'needs-spindle==1.0', '_needs_spindle'), /adds the apk spindle-dev, for the command spindle-config/)
  })
  await check('a library that is missing at link is found beside the apk that holds it, and put into the wheel', async () => {
    relay.add(await makeSdist({ project: 'needs-selvage', ...calling('needs-selvage', 'selvage') }))
    assert.match(await install(first, 'needs-selvage==1.0', '_needs_selvage; assert _needs_selvage.turns() == 7'), /adds the apk selvage-dev, for the library selvage/)
    assert.deepEqual(bundled(first, 'needs-selvage'), [{ apk: 'selvage', version: '1.0.0-r0', library: 'libselvage.so.1.0.0' }])
  })
  await check('zlib, which clean images hold as well, is left to them', async () => {
    relay.add(await makeSdist({ project: 'needs-zlib', ...calling('needs-zlib', 'z') }))
    assert.match(await install(first, 'needs-zlib==1.0', '_needs_zlib'), /adds the apk zlib-dev/)
    assert.deepEqual(bundled(first, 'needs-zlib'), [])
  })
  await check('three more rounds are made, and no fourth', async () => {
    const prelude = NEEDS.bobbin.prelude + NEEDS.spindle.prelude
    relay.add(await makeSdist({ project: 'needs-three', ...calling('needs-three', 'selvage', prelude) }))
    assert.match(await install(first, 'needs-three==1.0', '_needs_three'), /round 4 of at most 4/)
    relay.add(await makeSdist({ project: 'needs-four', ...calling('needs-four', 'selvage', prelude, '#include <zlib.h>\n') }))
    const { code, output } = await refused(first, 'needs-four==1.0')
    assert.notEqual(code, 0)
    assert.match(output, /needs the library selvage/)
    assert.deepEqual(failure(first, 'needs-four'), { class: 'missing-library', key: 'selvage', apks: ['selvage-dev'] })
    assert.deepEqual((await logOf(first, 'needs-four')).match(/adds the apk \S+/g), ['adds the apk bobbin-dev,', 'adds the apk spindle-dev,', 'adds the apk zlib-dev,'])
  })
  await check('an apk that would bring a second Python is not found, and is refused where a recipe names it', async () => {
    relay.add(await makeSdist({ project: 'needs-knitting', prelude: 'import subprocess\nsubprocess.check_call(["pkg-config", "--exists", "--print-errors", "knitting"])\n' }))
    await refused(first, 'needs-knitting==1.0')
    assert.deepEqual(failure(first, 'needs-knitting'), { class: 'missing-pkg-config', key: 'knitting', apks: [] })
    relay.add(await makeSdist({ project: 'wants-python' }))
    await admin(first, 'recipes', { project: 'wants-python', apks: ['knitting-dev', 'no-such-apk'] })
    await refused(first, 'wants-python==1.0')
    assert.match(failure(first, 'wants-python')?.key ?? '', /python3, which knitting-dev requires/)
  })

  await check('apks that are not what the index says are refused; Muslin serves what it kept in Alpine\'s layout', async () => {
    repository.spoil = 'bobbin-dev-1.0.0-r0.apk'
    const right = await get(first, `${PATH}bobbin-dev-1.0.0-r0.apk`)
    assert.equal(right.status, 200)
    repository.spoil = 'python3-3.11.8-r0.apk'
    assert.equal((await get(first, `${PATH}python3-3.11.8-r0.apk`)).status, 502)
    repository.spoil = undefined
    assert.equal((await get(first, `${PATH}python3-3.11.8-r0.apk`)).status, 200)
    assert.equal((await get(first, `${PATH}absent-1.0-r0.apk`)).status, 404)
    assert.equal((await get(first, '/apk/v3.20/main/x86_64/APKINDEX.tar.gz')).status, 404)
  })
  await check('a repository that no key of the image signed is not installed from', async () => {
    const other = await serveRepository(lab, stranger(alpine))
    const second = await lab.muslin({ upstream: relay.url, args: [...args.slice(0, -1), other.mirror] })
    instances.push(await instanceOf(second))
    relay.add(await makeSdist({ project: 'trusts-nobody', ...NEEDS.bobbin }))
    await admin(second, 'recipes', { project: 'trusts-nobody', apks: ['bobbin-dev'] })
    const asked = refused(second, 'trusts-nobody==1.0')
    const told = await second.until('the job has failed', () => failure(second, 'trusts-nobody'), 300)
    await second.kill('SIGKILL')
    await asked
    assert.equal(told.class, 'infrastructure')
    assert.match(told.key, /BAD signature/)
  })

  await check('from the fetch network no other machine is reached, no other container, and no name; ordinary networks reach them', async () => {
    const network = (await docker(['network', 'ls', '--filter', `label=muslin.instance=${instance}`, '--format', '{{.Name}}'])).trim().split('\n')[0] ?? ''
    const gateway = (await docker(['network', 'inspect', '--format', '{{(index .IPAM.Config 0).Gateway}}', network])).trim()
    const [beside, elsewhere] = await Promise.all([network, 'bridge'].map((one) => neighbour(lab, one)))
    const places = [[gateway, first.port], [beside, 8000], [elsewhere, 8000], ['192.0.2.1', 443], ['1.1.1.1', 53], ['upstream.example', 443], ['localhost', first.port]] as const
    const reached = async (from: string, these: typeof places | [(typeof places)[2]]) =>
      JSON.parse((await lab.run(CLEAN, ['python', '-c', PROBE, JSON.stringify(these)], { args: ['--network', from] })).output) as boolean[]
    await until('the other container listens', async () => (await reached('bridge', [places[2]]))[0] || undefined, 60)
    assert.deepEqual(await reached(network, places), [true, false, false, false, false, false, false], JSON.stringify(places))
  })

  let again = first
  await check('the repository closed, the server restarted and its images gone: the same apks build the next release', async () => {
    await repository.close()
    await first.stop()
    assert.ok(await removeImages(instance) > 0)
    again = await lab.muslin({ upstream: relay.url, data: first.data, port: first.port, args })
    relay.add(await makeSdist({ project: 'needs-selvage', version: '1.1', ...calling('needs-selvage', 'selvage') }))
    await waitForPage(again, 'needs-selvage', '1.1')
    assert.doesNotMatch(await install(again, 'needs-selvage==1.1', '_needs_selvage'), /round 2/)
    assert.equal((await get(again, `${PATH}APKINDEX.tar.gz`)).status, 200)
    assert.equal((await get(again, `${PATH}selvage-1.0.0-r0.apk`)).status, 200)
  })

  await check('a build requirement without a wheel becomes a job of its own, which the other waits for', async () => {
    relay.add(await makeSdist({ project: 'warp-loom' }), await makeSdist({ project: 'weft', requires: ['setuptools', 'warp-loom>=1'], prelude: 'import _warp_loom\n' }))
    await install(again, 'weft==1.0', '_weft')
    const jobs = again.jobs().filter(({ project, kind }) => ['weft', 'warp-loom'].includes(project) && kind === 'build')
    assert.deepEqual(jobs.map(({ project, state }) => [project, state]).sort(), [['warp-loom', 'built'], ['weft', 'built']])
  })
  await check('two that need each other are refused, and both are named', async () => {
    relay.add(await makeSdist({ project: 'chicken', requires: ['setuptools', 'egg'] }), await makeSdist({ project: 'egg', requires: ['setuptools', 'chicken'] }))
    const { code } = await refused(again, 'chicken==1.0')
    assert.notEqual(code, 0)
    const told = failure(again, 'chicken')
    assert.equal(told?.class, 'build-requirement-unbuildable')
    assert.match(told?.key ?? '', /egg/)
  })
}

/** Whether each place takes a connection within two seconds. */
const PROBE = `
import json, socket, sys
def reached(host, port):
    try:
        socket.create_connection((host, port), timeout=2).close()
        return True
    except OSError:
        return False
print(json.dumps([reached(*place) for place in json.loads(sys.argv[1])]))
`

async function get(muslin: Muslin, path: string): Promise<Response> {
  const answer = await fetch(`${muslin.url}${path}`)
  await answer.arrayBuffer()
  return answer
}

async function waitForPage(muslin: Muslin, project: string, version: string): Promise<void> {
  await muslin.until(`the page lists ${version}`, async () => (await (await fetch(`${muslin.url}/simple/${project}/`)).text()).includes(`-${version}.tar.gz`) ? true : undefined)
}

interface Layer { origin: string; apks?: string[]; evidence: unknown }

async function layers(muslin: Muslin, project: string): Promise<Layer[]> {
  return ((await (await fetch(`${muslin.url}/api/v1/projects/${project}/recipe`)).json()) as { layers: Layer[] }).layers
}

async function admin(muslin: Muslin, path: string, body: unknown): Promise<void> {
  const token = (await readFile(join(muslin.data, 'admin-token'), 'utf8')).trim()
  const answer = await fetch(`${muslin.url}/api/v1/${path}`, { method: 'POST', headers: { 'authorization': `Bearer ${token}`, 'content-type': 'application/json' }, body: JSON.stringify(body) })
  assert.ok(answer.ok, await answer.text())
}

async function instanceOf(muslin: Muslin): Promise<string> {
  return (JSON.parse(await readFile(join(muslin.data, 'server.json'), 'utf8')) as { instance: string }).instance
}

function failure(muslin: Muslin, project: string): { class: string; key: string } | undefined {
  return muslin.jobs().findLast((job) => job.project === project && job.failure)?.failure ?? undefined
}

/** The log of a project's newest build. */
async function logOf(muslin: Muslin, project: string): Promise<string> {
  const build = muslin.jobs().findLast((job) => job.project === project && job.kind === 'build' && job.build !== null)?.build
  return build === undefined ? 'no build' : (await fetch(`${muslin.url}/b/${build}`)).text()
}

/** What the newest wheel of a project has from apks. */
function bundled(muslin: Muslin, project: string): unknown[] {
  const database = new Database(join(muslin.data, 'muslin.db'), { readonly: true })
  try {
    const row = database.prepare('SELECT system FROM wheels WHERE project = ? ORDER BY rowid DESC LIMIT 1').get(project) as { system: string | null } | undefined
    return row?.system ? (JSON.parse(row.system) as { bundled: unknown[] }).bundled : []
  } finally {
    database.close()
  }
}
