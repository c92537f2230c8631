/** Lock files of the real tools, made and dry-run on musl against the plain upstream: the plan names the same files. */
import assert from 'node:assert/strict'
import { execa } from 'execa'
import type { Plan } from '../../../src/services/views.ts'
import { bridgeAddress, CLEAN, cleanEnv, docker, LABEL, TARGET, type Check, type Lab } from '../lab.ts'
import { startRelay } from '../relay.ts'

/** An sdist without any wheel, wheels for musl, pure ones, extras, and markers that hold and that do not. */
const DIRECT = ['requests[socks]>=2.31', 'crcmod==1.7', 'pyyaml', 'colorama; sys_platform == "win32"', 'uvloop; sys_platform != "win32"', 'tomli; python_version < "3.11"', 'rich']
const PROJECT = `[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.11,<4"
dependencies = [${DIRECT.map((text) => `'${text}'`).join(', ')}]
[project.optional-dependencies]
yaml = ["ruamel.yaml", "orjson; platform_machine == 'x86_64' and implementation_name == 'cpython'"]
windows = ["pywin32; sys_platform == 'win32'", "click"]
[dependency-groups]
dev = ["pytest"]
docs = ["markdown-it-py[linkify]", "importlib-metadata; python_full_version < '3.12'"]
[tool.uv]
package = false
[tool.poetry]
package-mode = false
`

export default async function locks(check: Check, lab: Lab): Promise<void> {
  const relay = await startRelay({ host: await bridgeAddress() })
  lab.onClose(() => relay.close())
  const box = await startBox(lab, relay.url)
  const muslin = await lab.muslin({ upstream: relay.url })
  const plan = async (names: string[], wanted: { extras?: string[]; groups?: string[] } = {}): Promise<Plan> => {
    const files = await Promise.all(names.map(async (name) => ({ name, text: await box.run(`cat ${name}`) })))
    const answer = await fetch(`${muslin.url}/api/v1/plan`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ files, targets: [TARGET], ...wanted }) })
    const text = await answer.text()
    assert.equal(answer.status, 200, text)
    return JSON.parse(text) as Plan
  }

  await check('the tools install from the machine\'s own index', async () => {
    await box.run('python3 -m venv --without-pip /tools && pip --python /tools/bin/python install -q --no-cache-dir --no-compile pip pip-tools setuptools uv poetry')
    console.log(`       ${(await box.run('/tools/bin/pip --version; uv --version; poetry --version; pip-compile --version')).split('\n').map((line) => line.replace(/ from .*/, '')).join(', ')}`)
  })

  await check('they lock', async () => {
    await box.write('pyproject.toml', PROJECT)
    await box.write('poetry/pyproject.toml', `${PROJECT}[[tool.poetry.source]]\nname = "plain"\nurl = "${relay.url}"\npriority = "primary"\n`)
    await box.write('requirements.in', DIRECT.join('\n'))
    await Promise.all([
      box.run('pip-compile -q --no-build-isolation --no-strip-extras --generate-hashes -o compiled.txt requirements.in'),
      box.run('/tools/bin/pip lock -q --no-build-isolation -r requirements.in -o pylock.toml'),
      box.run('uv lock -q && uv pip compile -q --universal --all-extras -o universal.txt pyproject.toml'),
      box.run('cd poetry && poetry lock'),
    ])
    await box.run('uv export -q --extra yaml --extra windows --group docs -o exported.txt && uv export -q --extra yaml --format pylock.toml -o pylock.uv.toml')
  })

  for (const [name, made] of [['compiled.txt', 'pip-compile'], ['universal.txt', 'uv pip compile --universal'], ['exported.txt', 'uv export']] as const) {
    await check(`${name} of ${made}: the plan is what pip install --dry-run --report and uv pip sync --dry-run would fetch`, async () => {
      const planned = await plan([name])
      assert.deepEqual(filesOf(planned), await box.pipReport(`-r ${name}`))
      assert.deepEqual(releasesOf(planned), await box.uvSync(name))
    })
  }

  for (const [name, made] of [['pylock.toml', 'pip lock'], ['pylock.uv.toml', 'uv export']] as const) {
    await check(`${name} of ${made}: the same`, async () => {
      const planned = await plan([name])
      assert.deepEqual(filesOf(planned), await box.pipReport(`-r ${name}`))
      assert.deepEqual(releasesOf(planned), await box.uvSync(name))
    })
  }

  await check('uv.lock, with extras and groups and with what uv takes by default: the same as uv sync --dry-run, and as pip on its export', async () => {
    const all = await plan(['uv.lock'], { extras: ['yaml', 'windows'], groups: ['dev', 'docs'] })
    assert.deepEqual(releasesOf(all), await box.uvDryRun('uv sync --dry-run --extra yaml --extra windows --group docs'))
    assert.deepEqual(filesOf(all), await box.pipReport('-r exported.txt'))
    assert.deepEqual(releasesOf(await plan(['uv.lock'])), await box.uvDryRun('uv sync --dry-run'))
    assert.deepEqual(releasesOf(await plan(['uv.lock'], { groups: [] })), await box.uvDryRun('uv sync --dry-run --no-default-groups'))
  })

  await check('poetry.lock, with extras, without groups and with all of them: the same as poetry install --dry-run', async () => {
    const lock = ['poetry/poetry.lock']
    assert.deepEqual(releasesOf(await plan(lock, { extras: ['yaml', 'windows'] })), await box.poetryDryRun('--extras yaml --extras windows --all-groups'))
    assert.deepEqual(releasesOf(await plan(lock, { groups: [] })), await box.poetryDryRun('--only main'))
    assert.deepEqual(releasesOf(await plan(lock, { groups: ['dev'] })), await box.poetryDryRun('--with dev --without docs'))
  })

  await check('what is not pinned is refused with all its lines', async () => {
    const answer = await fetch(`${muslin.url}/api/v1/plan`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ files: [{ name: 'requirements.txt', text: DIRECT.join('\n') }] }) })
    const problem = (await answer.json()) as { detail: string }
    console.log(`       ${problem.detail.slice(0, 160)}…`)
    assert.equal(answer.status, 400)
    for (const line of [1, 3, 4, 5, 6, 7]) assert.match(problem.detail, new RegExp(`line ${line}: \\S+ .*is not pinned`))
  })

  await check('planning started nothing', async () => assert.deepEqual(muslin.jobs(), []))
}

/** What a client of the plain upstream fetches: its wheel, or the sdist where there is none. */
function filesOf(plan: Plan): string[] {
  assert.deepEqual(plan.lines.filter((line) => line.verdict === 'cannot' || line.verdict === 'built'), [])
  const files = plan.lines.map((line) => (line.verdict === 'would-build' ? line.sdist?.filename : line.filename) ?? `nothing of ${line.project}`)
  console.log(`       ${plan.files[0]?.kind}: ${plan.totals.upstreamWheel} wheels of the upstream, ${plan.totals.wouldBuild} to be built`)
  assert.ok(plan.totals.upstreamWheel > 5)
  return files.toSorted()
}

function releasesOf(plan: Plan): string[] {
  return plan.lines.map(({ project, version }) => `${project}==${version}`).toSorted()
}

interface Box {
  run(command: string): Promise<string>
  write(file: string, text: string): Promise<void>
  /** Names of the files that pip would install. */
  pipReport(args: string): Promise<string[]>
  /** `name==version` of what uv would install. */
  uvSync(file: string): Promise<string[]>
  uvDryRun(command: string): Promise<string[]>
  poetryDryRun(args: string): Promise<string[]>
}

/** A musl container that knows the plain upstream alone. */
async function startBox(lab: Lab, index: string): Promise<Box> {
  const host = new URL(index).hostname
  const env = {
    PATH: '/tools/bin:/usr/local/bin:/usr/bin:/bin', PIP_INDEX_URL: index, PIP_TRUSTED_HOST: host, PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_ROOT_USER_ACTION: 'ignore',
    UV_DEFAULT_INDEX: index, UV_PYTHON_DOWNLOADS: 'never', UV_LINK_MODE: 'copy', POETRY_VIRTUALENVS_OPTIONS_NO_PIP: 'true', PYTHON_KEYRING_BACKEND: 'keyring.backends.null.Keyring',
  }
  const flags = Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`])
  const id = await docker(['run', '-d', '--init', '--label', LABEL, ...flags, '--workdir', '/project', CLEAN, 'sleep', '3600'])
  lab.onClose(async () => { await docker(['rm', '-f', id]) })
  const exec = async (command: string, input?: string): Promise<string> => {
    const { exitCode, stdout, stderr } = await execa('docker', ['exec', ...(input === undefined ? [] : ['-i']), id, 'sh', '-c', command], {
      env: cleanEnv(), extendEnv: false, reject: false, timeout: 120_000, ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
    })
    assert.equal(exitCode, 0, `${command}\n${stdout}\n${stderr}`.slice(-3000))
    return stdout
  }
  const uvDryRun = async (command: string) => found(await exec(`${command} 2>&1`), /^ \+ (\S+)==(\S+)/gm)
  return {
    run: (command) => exec(command),
    write: async (file, text) => { await exec(`mkdir -p $(dirname ${file}) && cat > ${file}`, text) },
    async pipReport(args) {
      const report = JSON.parse(await exec(`/tools/bin/pip install -q --dry-run --ignore-installed --no-build-isolation --report - ${args}`)) as { install: { download_info: { url: string } }[] }
      return report.install.map(({ download_info: { url } }) => decodeURIComponent(new URL(url).pathname.split('/').at(-1) ?? '')).toSorted()
    },
    uvSync: async (file) => uvDryRun(`rm -rf /synced && uv venv -q /synced && uv pip sync --dry-run --python /synced ${file}`),
    uvDryRun,
    poetryDryRun: async (args) => found(await exec(`cd poetry && poetry install --dry-run --no-ansi ${args} 2>&1`), /- Installing (\S+) \((\S+)\)(?!.*Skipped)/g),
  }
}

function found(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, name, version]) => `${name}==${version}`).toSorted()
}
