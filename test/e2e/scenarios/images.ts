/** The Dockerfiles of docs/docker.md, built as it says: each RUN waits for a wheel that is compiled meanwhile, and the image's own user imports it. */
import assert from 'node:assert/strict'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { examples, type Example } from '../dockerfiles.ts'
import { imageBuilder, type Build, type Builder } from '../image-builds.ts'
import { runsOurs, textsInImage } from '../installed.ts'
import { docker, HOST, type Check, type Lab, type Muslin } from '../lab.ts'
import { HOST_HEADER, nginx } from '../nginx.ts'
import { makeCertificate } from '../private-ca.ts'
import { startRelay, type Relay } from '../relay.ts'
import { makeSdist } from '../sdists.ts'

/** Built by the older builder too: some of each kind that needs no BuildKit. */
const CLASSIC = ['uv-alone', 'pip-complete', 'pip-address', 'user-before', 'stages']
/** Built before the others: of a requirement with a requirement, whose metadata are waited for too. */
const FIRST = ['pip', 'uv']
/** These start from the image that `uv` made, where their line that installs uv finds it: it is large. */
const WITH_UV = ['uv-alone', 'uv-complete', 'uv-address', 'user-venv', 'uv-netrc']
/** Their images run as a plain user. */
const PLAIN = ['user-after', 'user-before', 'user-venv', 'stages', 'uv-netrc']
const SECRET = ['pip-netrc', 'uv-netrc', 'url-secret']
const NAMED = 'muslin.example'
const USER = { name: 'reader', password: `word-of-${process.pid}` }
const AT_ONCE = 3

/** pip's only word on a 401. */
const USER_FOR = new RegExp(`User for ${HOST}:\\d+: `)

/** What becomes of an example when a part of it is left out. */
const LACKING: { what: string; name: string; part: string; instead?: string; says: RegExp }[] = [
  { what: 'without the CA pip trusts nobody', name: 'pip-ca', part: ' --cert ca.pem', says: /CERTIFICATE_VERIFY_FAILED/ },
  { what: 'without the CA uv trusts nobody', name: 'uv-ca', part: 'id=ca uv', instead: 'id=ca unset SSL_CERT_FILE; uv', says: /invalid peer certificate: UnknownIssuer/ },
  { what: 'without the secret pip is not let in', name: 'pip-netrc', part: '--secret id=netrc,src=$HOME/.netrc', says: USER_FOR },
  { what: 'without the secret uv is not let in', name: 'uv-netrc', part: '--mount=type=secret,id=netrc,target=/home/app/.netrc,uid=1000 ', says: /401 Unauthorized/ },
]

type Given = Partial<Pick<Build, 'files' | 'env' | 'words'>>

export default async function images(check: Check, lab: Lab): Promise<void> {
  const relay = await startRelay()
  lab.onClose(() => relay.close())
  const muslin = await lab.muslin({ upstream: relay.url, args: ['--allowed-hosts', NAMED] })
  const given = await givenFor(lab, muslin)
  const build = await imageBuilder(lab)
  const page = await examples()
  const built = new Map<string, string>()
  const example = (name: string): Example => page.find((one) => one.name === name) ?? assert.fail(`docs/docker.md has no Dockerfile ${name}`)
  const image = (name: string): string => built.get(name) ?? assert.fail(`${name} was not built`)

  const make = (one: Example, tag: string, project: string, builder: Builder = 'buildkit') => build({
    ...given(one.name), ...WITH_UV.includes(one.name) ? { from: image('uv') } : {}, ...one, builder, tag, files: { 'requirements.txt': `${project}==1.0\n`, ...given(one.name).files },
    dockerfile: one.dockerfile.replaceAll('PROJECT', project).replaceAll(`${NAMED}:8080`, `${NAMED}:${muslin.port}`),
  })
  const asWritten = (name: string, builder: Builder) => check(`${name}, by ${builder}`, async () => {
    const project = `image-${name}-${builder}`
    await addProject(relay, project, FIRST.includes(name))
    const one = example(name)
    const made = await make(builder === 'classic' ? byOlderName(one) : one, `${name}-${builder}`, project, builder)
    assert.equal(made.code, 0, made.output.slice(-4000))
    waited(muslin, project, one.dockerfile.includes('uv pip install') ? 'uv' : 'pip')
    const uid = await runsOurs(lab, muslin, made.image, project)
    assert.equal(uid !== 0, PLAIN.includes(name), `its user is ${uid}`)
    if (builder === 'buildkit') built.set(name, made.image)
  })
  const lacking = ({ what, name, part, instead = '', says }: (typeof LACKING)[number]) => check(what, async () => {
    const whole = example(name)
    assert.ok(`${whole.dockerfile}${whole.command}`.includes(part), `${name} has no ${part}`)
    const made = await make({ name, dockerfile: whole.dockerfile.replace(part, instead), command: whole.command.replace(part, instead) }, `${name}-lacking`, `image-${name}-buildkit`)
    assert.notEqual(made.code, 0, made.output)
    assert.match(made.output, says)
  })

  await check('a build argument without its ARG line in the stage reaches no RUN, by either builder', async () => {
    for (const builder of ['buildkit', 'classic'] as const) {
      const dockerfile = 'ARG PIP_INDEX_URL\nFROM python:3.13-alpine\nRUN echo "index is ${PIP_INDEX_URL:-$((40 + 2))}"\n'
      const made = await make({ ...example('pip'), dockerfile }, `no-arg-${builder}`, 'none', builder)
      assert.equal(made.code, 0, made.output)
      assert.match(made.output, /index is 42/)
    }
  })
  await Promise.all(FIRST.map((name) => asWritten(name, 'buildkit')))
  const rest = page.map(({ name }) => name).filter((name) => !FIRST.includes(name))
  await inTurns([...rest.map((name) => () => asWritten(name, 'buildkit')), ...CLASSIC.map((name) => () => asWritten(name, 'classic')), ...LACKING.map((one) => () => lacking(one))])

  await check('no image that was built with a secret holds it, in a layer or in its history', async () => {
    for (const name of SECRET) {
      assert.ok(!(await history(image(name))).includes(USER.password))
      // What pip and uv wrote is found in the same bytes: so layers were read.
      const installed = `Name: image-${name}-buildkit`
      assert.deepEqual(await textsInImage(image(name), [USER.password, installed]), [installed])
    }
  })
  await check('given as a build argument it is in the history for all to read', async () => {
    const command = `docker build --build-arg PIP_INDEX_URL --build-arg PIP_TRUSTED_HOST=${HOST} --add-host ${HOST}:host-gateway .`
    const made = await make({ name: 'url-secret', dockerfile: example('pip').dockerfile, command }, 'telling', 'image-url-secret-buildkit')
    assert.equal(made.code, 0, made.output.slice(-4000))
    assert.ok((await history(made.image)).includes(USER.password))
    assert.deepEqual(await textsInImage(made.image, [USER.password]), [USER.password])
  })
}

/** The page says that uv's older name of the variable works too. */
function byOlderName({ name, dockerfile, command }: Example): Example {
  return { name, dockerfile: dockerfile.replaceAll('UV_DEFAULT_INDEX', 'UV_INDEX_URL'), command: command.replaceAll('UV_DEFAULT_INDEX', 'UV_INDEX_URL') }
}

async function inTurns(runs: (() => Promise<void>)[]): Promise<void> {
  const next = runs.values()
  await Promise.all(Array.from({ length: AT_ONCE }, async () => { for (const run of next) await run() }))
}

async function history(image: string): Promise<string> {
  return await docker(['history', '--no-trunc', '--format', '{{.CreatedBy}}', image])
}

/** Where the examples' words come from and what lies beside them, on a machine whose user has read docs/docker.md. */
async function givenFor(lab: Lab, muslin: Muslin): Promise<(name: string) => Given> {
  const certificate = await makeCertificate(await lab.folder(), HOST)
  const tls = `https://${HOST}:${await nginx(lab, muslin, HOST_HEADER, certificate)}`
  const guarded = `${HOST}:${await nginx(lab, muslin, `${HOST_HEADER} auth_basic index; auth_basic_user_file ${await usersFile(lab)};`)}`
  const home = await lab.folder()
  await writeFile(join(home, '.netrc'), `machine ${HOST} login ${USER.name} password ${USER.password}\n`, { mode: 0o600 })
  const config = { DOCKER_CONFIG: join(process.env['HOME'] ?? '', '.docker') }
  const open = `http://${USER.name}:${USER.password}@${guarded}`
  return (name) => {
    if (name.endsWith('-address')) return { words: ['--add-host', `${NAMED}:host-gateway`] }
    if (name.endsWith('-ca')) return { env: { MUSLIN_SERVER: tls }, files: { 'ca.pem': certificate.ca } }
    if (name.endsWith('-netrc')) return { env: { MUSLIN_SERVER: `http://${guarded}`, HOME: home, ...config } }
    if (name === 'url-secret') return { env: { MUSLIN_SERVER: open, PIP_INDEX_URL: `${open}/simple/` } }
    return { env: { MUSLIN_DATA: muslin.data } }
  }
}

/** As nginx's workers, a plain user, read it at each request. */
async function usersFile(lab: Lab): Promise<string> {
  const folder = await lab.folder()
  await writeFile(join(folder, 'users'), `${USER.name}:{PLAIN}${USER.password}\n`)
  await chmod(folder, 0o755)
  return join(folder, 'users')
}

/** A release that has to be compiled, and with `resolved` another one that its metadata ask for. */
async function addProject(relay: Relay, project: string, resolved: boolean): Promise<void> {
  if (!resolved) return relay.add(await makeSdist({ project }))
  const needed = `${project}-needed`
  relay.add(await makeSdist({ project: needed }), await makeSdist({ project, staticMetadata: false, files: { 'setup.cfg': `[options]\ninstall_requires = ${needed}\n` } }))
}

/** The RUN asked for the wheel before it was built, and was held until then. It was built once, and its sdist was not asked for. */
function waited(muslin: Muslin, project: string, tool: string): void {
  const jobs = muslin.jobs().filter((job) => job.project === project && job.kind === 'build')
  assert.deepEqual(jobs.map(({ state, attempts }) => [state, attempts]), [['built', 1]])
  const ofWheel = ({ path, tool: asking }: { path: string; tool?: string }) => asking === tool && path.includes(`/${project.replaceAll('-', '_')}-1.0-`) && path.endsWith('.whl')
  const [asked] = muslin.events('hold').filter(ofWheel)
  const ended = muslin.events('held').filter(ofWheel).at(-1)
  assert.ok(asked && ended, `no ${tool} was held for ${project}`)
  assert.ok(Date.parse(asked.time) < (jobs[0]?.finished_at ?? 0), `${project} was asked for at ${asked.time}`)
  assert.equal(ended.ended, 'built')
  assert.deepEqual(muslin.events('request').filter(({ path }) => path.includes(project) && path.endsWith('.tar.gz')), [])
}
