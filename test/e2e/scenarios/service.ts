/** A real service's Dockerfile: compiled by hand, built with promises, built again from what is kept. */
import assert from 'node:assert/strict'
import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { parseWheelFilename } from '../../../src/domain/filename.ts'
import { wheelFits } from '../../../src/domain/tags.ts'
import { parseTarget } from '../../../src/domain/target.ts'
import { BUILDER, CLEAN, cleanEnv, docker, LABEL, ROOT, TARGET, type Check, type Lab } from '../lab.ts'
import { realUpstream } from '../relay.ts'

const SERVICE = join(ROOT, 'examples/service')
const IMAGE = 'muslin-test-service:latest'

export default async function service(check: Check, lab: Lab): Promise<void> {
  const compiled = (await readFile(join(SERVICE, 'compiled.txt'), 'utf8')).split('\n').map((line) => line.replace(/#.*/, '').trim()).filter(Boolean)
  const requirements = await readFile(join(SERVICE, 'requirements.txt'), 'utf8')
  lab.onClose(async () => {
    await execa('docker', ['rmi', '-f', IMAGE], { env: cleanEnv(), extendEnv: false, reject: false })
    // The first build's image lost its name to the second's.
    await docker(['image', 'prune', '-f', '--filter', `label=${LABEL}`])
  })

  await check(`the upstream has no fitting wheel for ${compiled.join(', ')}`, async () => {
    assert.ok(compiled.length >= 5)
    const upstream = await realUpstream()
    const target = parseTarget(TARGET)
    assert.ok(target)
    for (const pin of compiled) {
      const [project = '', version = ''] = pin.split('==')
      assert.match(requirements, new RegExp(`^${pin.replaceAll('.', '\\.')}\\s*$`, 'm'))
      const page = await upstream.page(project)
      assert.equal(page.kind, 'page')
      const files = page.kind === 'page' ? (JSON.parse(page.json.toString()) as { files: { filename: string }[] }).files : []
      const wheels = files.map((file) => parseWheelFilename(file.filename)).filter((wheel) => wheel?.version === version)
      assert.deepEqual(wheels.filter((wheel) => wheel && wheelFits(wheel, target)), [], `${pin} has a fitting wheel upstream`)
    }
  })

  let control = 0
  await check('control: the same requirements compiled in the builder image through /finished/simple/', async () => {
    const empty = await lab.muslin()
    const script = 'cat > /tmp/requirements.txt && pip install --no-cache-dir --no-deps --target /tmp/installed -r /tmp/requirements.txt'
    const run = await lab.run(BUILDER, ['sh', '-c', script], { env: lab.index(empty, '/finished/simple/'), input: requirements, seconds: 1200 })
    assert.equal(run.code, 0, run.output.slice(-3000))
    control = run.seconds
    assert.equal(empty.jobs().length, 0, 'the finished view starts nothing')
    await empty.stop()
  })

  const context = join(await lab.folder(), 'service')
  await cp(SERVICE, context, { recursive: true })
  const muslin = await lab.muslin()
  const times: number[] = []
  const wheels = () => muslin.jobs().filter((job) => job.kind === 'build')
  for (const nth of ['first', 'second']) {
    await check(`the ${nth} docker build --no-cache`, async () => {
      times.push(await dockerBuild(context, muslin.data))
      assert.equal(wheels().filter((job) => job.state === 'built').length, compiled.length)
      assert.equal(wheels().length, compiled.length, 'no other build was started')
      assert.equal(wheels().reduce((sum, job) => sum + job.attempts, 0), compiled.length, 'each was built once')
    })
  }
  const [first = 0, second = 0] = times
  console.log(`       RUN pip install: control ${control.toFixed(1)} s, first ${first.toFixed(1)} s, second ${second.toFixed(1)} s: ${(control / second).toFixed(1)} times shorter than the control`)
  await check('the last is at least 10 times shorter than the control', async () => assert.ok(control / second >= 10, `${control} / ${second}`))
  await check('one build takes over 20 s', async () => {
    const longest = Math.max(...wheels().map((job) => ((job.finished_at ?? 0) - (job.started_at ?? 0)) / 1000))
    assert.ok(longest > 20, `the longest took ${longest} s`)
  })

  await check('the container runs as a plain user, without a compiler, passes its tests and pip check', async () => {
    const who = await lab.run(IMAGE, ['sh', '-c', 'id -u; for c in gcc cc g++ clang tcc; do command -v $c && exit 1; done; pip check'])
    assert.equal(who.code, 0, who.output)
    assert.notEqual(who.output.split('\n')[0], '0')
    const tests = await lab.run(IMAGE, ['python', '-m', 'pytest', '-q', '-p', 'no:cacheprovider'])
    assert.equal(tests.code, 0, tests.output)
    assert.match(tests.output, /\d+ passed/)
  })
}

/** Seconds of the RUN line that installs the requirements, by when the builder announced it and the step after it. */
async function dockerBuild(context: string, data: string): Promise<number> {
  const { stdout } = await execa(join(ROOT, 'muslin'), ['docker-args', '--data', data], { env: cleanEnv(), extendEnv: false })
  const build = execa('docker', ['build', '--no-cache', '--label', LABEL, '--build-arg', `PYTHON_IMAGE=${CLEAN}`, '-t', IMAGE, ...stdout.trim().split(/\s+/), '.'], {
    cwd: context, env: cleanEnv({ DOCKER_BUILDKIT: '0' }), extendEnv: false, all: true, reject: false, timeout: 1_200_000,
  })
  let began = 0
  let seconds = 0
  let text = ''
  build.all?.on('data', (chunk: Buffer) => {
    text += chunk.toString()
    if (began === 0 && /Step \d+\/\d+ : RUN pip install .*-r requirements\.txt && pip check/.test(text)) began = Date.now()
    else if (began > 0 && seconds === 0 && /-r requirements\.txt && pip check[^]*\nStep \d+\/\d+ : /.test(text)) seconds = (Date.now() - began) / 1000
  })
  const { exitCode, all } = await build
  assert.equal(exitCode, 0, String(all).slice(-3000))
  assert.ok(seconds > 0, `the step that installs was not seen in:\n${String(all).slice(-3000)}`)
  return seconds
}
