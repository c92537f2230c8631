/** What every engine does, whatever its containers are made of. Needs a real engine; plain assertions, since no test runner is around it. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { buffer } from 'node:stream/consumers'
import { Readable } from 'node:stream'
import type { Engine, ImageSource, Run, RunSpec } from '../../src/services/ports.ts'
import { extractTar, packTar } from '../../src/services/tar.ts'

export type Check = (name: string, run: () => Promise<void>) => Promise<void>

const MB = 1 << 20
const LIMITS = { cpu: 1, memoryBytes: 96 * MB, diskBytes: 48 * MB, processes: 24 }

/** Where engines may differ. What is not named here is the same for all. */
export interface Traits {
  image: ImageSource
  /** One that cannot be made, by the words that the refusal must hold. */
  absent: { source: ImageSource; named: RegExp }
  /** What a full disk is called by the command that filled it. */
  full: RegExp
  /** Whether the kernel refuses a process too many, refuses and counts it, or the engine ends the run for it. */
  processes: 'refused' | 'counted' | 'ended'
  /** Whether each command has processes of its own, so that what it leaves behind ends with it. */
  apart: boolean
  /** What writable places hold is memory, or disk on which the engine itself looks. */
  places: 'memory' | 'disk'
  /** Whether system calls are filtered as well. */
  seccomp: boolean
  /** Whether it derives images, and has system runs. */
  derives: boolean
  /** How far a peak may lie beyond the limit, where the kernel does not enforce that by itself. */
  overshoot: number
  /** `closed`: a fetch network of its own, from which this machine alone is reached; `ready`: one of the admin's that does the same; `host`: the machine's own. */
  network: 'closed' | 'ready' | 'host'
}

/**
 * `engine` makes an engine as another process of the same instance would; its image has a POSIX shell, tar, cat, sleep and, on a closed
 * network, wget (busybox has them).
 */
export async function engineContract({ engine: make, traits, check }: { engine: () => Engine; traits: Traits; check: Check }) {
  const engine = make()
  const { ref } = await engine.image(traits.image)

  /** A run for the length of `use`. */
  async function inRun(use: (run: Run) => Promise<void>, changes: Partial<RunSpec> = {}, by = engine) {
    const run = await by.create({ image: ref, label: 'contract', user: '1000:1000', network: 'none', limits: LIMITS, writable: ['/tmp', '/area'], ...changes })
    try {
      await use(run)
    } finally {
      await run.remove()
    }
  }

  await check('an image has one digest, asked or made ready; an absent one is refused with its name', async () => {
    const made = await engine.image(traits.image)
    assert.equal(await engine.digest(traits.image), made.digest)
    assert.match(made.digest, /[0-9a-f]{64}$/)
    assert.equal(await engine.digest(traits.absent.source), undefined)
    await assert.rejects(engine.image(traits.absent.source), { code: 'image-unavailable', message: traits.absent.named })
  })

  await check('files go in and come out with their names, modes and bytes', () => inRun(async (run) => {
    const big = Buffer.alloc(3 * MB, 'muslin')
    await run.put('/area', packTar([{ name: 'a/run.sh', mode: 0o755, body: '#!/bin/sh\necho ran\n' }, { name: 'secret', mode: 0o600, body: 's' }, { name: '-dash', body: 'd' }]))
    await run.put('/area', packTar([{ name: 'a/big', body: { size: big.length, open: () => Readable.from([big]) } }]))
    assert.deepEqual(await said(run, ['/area/a/run.sh']), { text: 'ran\n', exitCode: 0 })
    assert.equal((await said(run, ['sh', '-c', 'touch /area/a/mine && rm /area/a/mine && cat /area/secret'])).text, 's')
    const files = await got(run, '/area', ['a', 'secret', '-dash'])
    assert.deepEqual(files.map(({ name, mode }) => [name, mode.toString(8)]).sort(), [['-dash', '644'], ['a/big', '644'], ['a/run.sh', '755'], ['secret', '600']])
    assert.ok(files.find(({ name }) => name === 'a/big')?.bytes.equals(big))
  }))

  await check('a put that cannot be done is refused, and says why', () => inRun(async (run) => {
    await assert.rejects(run.put('/nowhere', packTar([{ name: 'a', body: 'a' }])), { code: 'transfer-failed' })
    await assert.rejects(run.put('/area', packTar([{ name: 'a', body: Buffer.alloc(60 * MB) }])), { code: 'transfer-failed', message: /limits\.disk/ })
    await assert.rejects(run.put('/area', new Readable({ read() { this.destroy(new Error('source broke')) } })), /source broke/)
  }))

  await check('a get is cut beyond its size, and errors on what is absent', () => inRun(async (run) => {
    await said(run, ['sh', '-c', 'head -c 4000000 /dev/zero > /area/four'])
    await assert.rejects(run.get('/area', ['four'], 2 * MB).then(buffer), { code: 'transfer-failed' })
    assert.equal((await got(run, '/area', ['four']))[0]?.bytes.length, 4_000_000)
    await assert.rejects(run.get('/area', ['absent'], MB).then(buffer), { code: 'transfer-failed' })
  }))

  await check('links and pipes that a build left are not taken out', () => inRun(async (run) => {
    await said(run, ['sh', '-c', 'ln -s /etc/passwd /area/link; mkfifo /area/pipe; mkdir /area/d; echo a > /area/d/a; ln /area/d/a /area/d/b'])
    for (const name of ['link', 'pipe', 'd']) await assert.rejects(got(run, '/area', [name]), { code: 'transfer-failed' })
  }))

  await check('a command has its environment, folder and exit code, no standard input, and its output in order', () => inRun(async (run) => {
    const env = { PLAIN: 'a b=c\'"$X', EMPTY: '' }
    assert.deepEqual(await said(run, ['sh', '-c', 'echo "$PLAIN|$EMPTY|$(pwd)"; cat; exit 7'], env, '/area'), { text: `${env.PLAIN}||/area\n`, exitCode: 7 })
    const lines = await said(run, ['sh', '-c', 'i=0; while [ $i -lt 200 ]; do echo "out $i"; echo "err $i" >&2; i=$((i+1)); done'])
    assert.equal(lines.text, Array.from({ length: 200 }, (_, i) => `out ${i}\nerr ${i}\n`).join(''))
    for (const code of [1, 2, 125, 126, 127, 130, 137, 255]) assert.equal((await said(run, ['sh', '-c', `exit ${code}`])).exitCode, code)
    assert.equal((await said(run, ['no-such-command'])).exitCode, 127)
    assert.notEqual((await said(run, ['true'], {}, '/no/such/folder')).exitCode, 0)
  }))

  await check('nothing of this server\'s environment is in a run', () => inRun(async (run) => {
    const { text } = await said(run, ['env'])
    assert.doesNotMatch(text, /^(PIP_|UV_|[A-Z]*_PROXY|[a-z]*_proxy|DOCKER_|MUSLIN_)(?!DISABLE_PIP_VERSION_CHECK)/m)
  }))

  await check('a run is a plain user without capabilities or ways to gain any', () => inRun(async (run) => {
    const { text } = await said(run, ['sh', '-c', 'id -u; id -g; cat /proc/self/status'])
    assert.match(text, /^1000\n1000\n/)
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) assert.match(text, new RegExp(`^${set}:\\s+0+$`, 'm'))
    assert.match(text, /^NoNewPrivs:\s+1$/m)
    if (traits.seccomp) assert.match(text, /^Seccomp:\s+2$/m)
  }))

  await check('only the writable places can be written, and programs run there', () => inRun(async (run) => {
    for (const place of ['/', '/etc', '/usr/bin', '/var', '/root', '/home']) {
      assert.notEqual((await said(run, ['sh', '-c', `echo x > ${place}/muslin-probe`])).exitCode, 0, place)
    }
    const wrote = await said(run, ['sh', '-c', 'for d in /tmp /area; do printf "#!/bin/sh\\necho $d" > $d/p && chmod 700 $d/p && $d/p || exit 1; done'])
    assert.deepEqual(wrote, { text: '/tmp\n/area\n', exitCode: 0 })
    const full = await said(run, ['sh', '-c', 'dd if=/dev/zero of=/area/full bs=1048576 count=60'])
    assert.notEqual(full.exitCode, 0)
    // An engine that looks at the disk may be there before the command is told.
    if (traits.places === 'memory' || full.exitCode !== 137) assert.match(full.text, traits.full)
  }))

  await check('a run has no network', () => inRun(async (run) => {
    const { text } = await said(run, ['cat', '/proc/net/route', '/proc/net/dev'])
    assert.doesNotMatch(text, /eth|wlan|^\S+\s+00000000/m)
  }))

  await check('processes are limited, and the run outlives a fork bomb', () => inRun(async (run) => {
    const bomb = await said(run, ['sh', '-c', 'i=0; while [ $i -lt 60 ]; do sleep 20 & i=$((i+1)); done; echo all; wait'])
    assert.notEqual(bomb.exitCode, 0)
    if (traits.processes !== 'ended') {
      assert.doesNotMatch(bomb.text, /^all$/m)
      assert.match(bomb.text, /fork|resource/i)
    }
    assert.equal((await run.usage()).exceeded, traits.processes === 'refused' ? undefined : 'processes')
    if (traits.apart) assert.deepEqual(await said(run, ['echo', 'alive']), { text: 'alive\n', exitCode: 0 })
  }))

  if (traits.apart) await check('what a command leaves behind ends with it, whatever it did to get away', () => inRun(async (run) => {
    const started = await said(run, ['sh', '-c', '(trap "" TERM HUP; (setsid sh -c "while :; do date >> /area/beat; sleep 0.05; done" &) &); sleep 0.5; wc -l < /area/beat'])
    assert.ok(Number(started.text) > 1, started.text)
    const [before, after] = (await said(run, ['sh', '-c', 'wc -l < /area/beat; sleep 0.5; wc -l < /area/beat'])).text.split('\n')
    assert.equal(after, before)
  }))

  await check('a build that kills whatever it can reach does not end its run', () => inRun(async (run) => {
    await said(run, ['sh', '-c', 'kill -9 1; kill -9 -1'])
    assert.deepEqual(await said(run, ['echo', 'alive']), { text: 'alive\n', exitCode: 0 })
  }))

  await check('memory is limited, and the kill is counted', () => inRun(async (run) => {
    assert.deepEqual((await run.usage()).oomKills, 0)
    const { exitCode } = await said(run, ['sh', '-c', 'x=$(head -c 400000000 /dev/zero | tr "\\0" x); echo survived'])
    assert.notEqual(exitCode, 0)
    const { peakBytes, oomKills } = await run.usage()
    assert.ok(oomKills > 0, `${oomKills} kills`)
    assert.ok(peakBytes === undefined || (peakBytes > 48 * MB && peakBytes <= LIMITS.memoryBytes * traits.overshoot), `peak ${peakBytes}`)
  }, { writable: ['/tmp'] }))

  await check('many processes that each take a little are counted together', () => inRun(async (run) => {
    const each = 'x=$(head -c 20000000 /dev/zero | tr "\\0" x); sleep 20'
    const { exitCode } = await said(run, ['sh', '-c', `for i in 1 2 3 4 5 6 7 8 9 10; do (${each}) & done; wait; exit 0`])
    assert.ok((await run.usage()).oomKills > 0)
    assert.ok(traits.overshoot === 1 || exitCode === 137)
  }, { writable: ['/tmp'], limits: { ...LIMITS, processes: 64 } }))

  await check('what fills the writable places counts', () => inRun(async (run) => {
    await said(run, ['sh', '-c', 'for d in /tmp /area; do head -c 90000000 /dev/zero > $d/full; done'])
    const { oomKills, exceeded } = await run.usage()
    assert.deepEqual({ killed: oomKills > 0, exceeded }, traits.places === 'memory' ? { killed: true, exceeded: undefined } : { killed: false, exceeded: 'disk' })
  }, { limits: { ...LIMITS, diskBytes: traits.places === 'memory' ? 200 * MB : 120 * MB } }))

  await check('an abort removes the run at once, and rejects with its reason', () => inRun(async (run) => {
    const controller = new AbortController()
    const reason = new Error('too late')
    const started = Promise.withResolvers<void>()
    const ended = run.exec(['sh', '-c', 'trap "" TERM INT; echo up; while :; do sleep 1; done'], { env: {}, signal: controller.signal, output: () => started.resolve() })
    await started.promise
    const before = performance.now()
    controller.abort(reason)
    await assert.rejects(ended, (error) => error === reason)
    assert.ok(performance.now() - before < 10_000)
    await assert.rejects(said(run, ['true']), { code: 'engine-unavailable' })
    await assert.rejects(run.exec(['true'], { env: {}, signal: controller.signal, output: () => {} }), (error) => error === reason)
  }))

  await check('a run that was removed is told apart from a command that failed; removing twice is nothing', () => inRun(async (run) => {
    const started = Promise.withResolvers<void>()
    const ended = assert.rejects(run.exec(['sh', '-c', 'echo up; sleep 60'], { env: {}, output: () => started.resolve() }), { code: 'engine-unavailable' })
    await started.promise
    await Promise.all([run.remove(), run.remove()])
    await ended
    await run.remove()
    await assert.rejects(run.put('/area', packTar([{ name: 'a', body: 'a' }])), { code: 'engine-unavailable' })
    await assert.rejects(run.get('/area', ['a'], MB).then(buffer), { code: 'engine-unavailable' })
    assert.deepEqual(await run.usage(), { peakBytes: undefined, oomKills: 0 })
  }))

  await check('runs side by side do not see each other', async () => {
    await Promise.all(['a', 'b', 'c'].map((name) => inRun(async (run) => {
      await run.put('/area', packTar([{ name, body: name }]))
      assert.equal((await said(run, ['ls', '/area'])).text, `${name}\n`)
    })))
  })

  await check('a run that cannot be made leaves nothing behind', async () => {
    await assert.rejects(inRun(async () => {}, { image: `sha256:${'0'.repeat(64)}` }), { code: 'image-unavailable' })
    await assert.rejects(inRun(async () => {}, { writable: ['relative'] }), { code: 'engine-unavailable' })
    assert.equal(await make().sweep(), 0)
  })

  await check('a sweep takes what another process left, and nothing of its own', () => inRun(async (own) => {
    const dead = make()
    await inRun(async (left) => {
      assert.equal(await engine.sweep(), 1)
      await assert.rejects(said(left, ['true']), { code: 'engine-unavailable' })
    }, {}, dead)
    assert.equal((await said(own, ['echo', 'here'])).text, 'here\n')
  }))

  if (!traits.derives) await check('an engine that installs nothing says so, and has no system runs', async () => {
    assert.equal(engine.derive, undefined)
    await assert.rejects(inRun(async () => {}, { system: true }), { code: 'engine-unavailable' })
  })

  if (traits.derives) await derivedContract({ engine, make, ref, check, inRun })

  await check('the fetch network is made once for all who ask in a process, found by the next process, and says whether it is closed', async () => {
    const [one, two] = await Promise.all([engine.network(), engine.network()])
    assert.deepEqual([two, await make().network()], [one, one])
    assert.equal(one.closed, traits.network === 'closed')
  })

  if (traits.network === 'host') await check('a fetch run, and no other, reaches this machine at the host that it was told', async () => {
    const server = createServer((_request, response) => response.end('reached')).listen(0, '127.0.0.1')
    try {
      await new Promise((resolve) => server.once('listening', resolve))
      const { port } = server.address() as AddressInfo
      const { host } = await engine.network()
      const ask = ['python3', '-c', `import urllib.request; print(urllib.request.urlopen("http://${host}:${port}/", timeout=5).read().decode())`]
      await inRun(async (run) => assert.deepEqual(await said(run, ask), { text: 'reached\n', exitCode: 0 }), { network: 'fetch' })
      await inRun(async (run) => assert.notEqual((await said(run, ask)).exitCode, 0))
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })

  if (traits.network !== 'host') await check('a fetch run reaches this machine at the host it was told, and no name, no other machine and no other run', async () => {
    const server = createServer((_request, response) => response.end('reached')).listen(0, '0.0.0.0')
    try {
      await new Promise((resolve) => server.once('listening', resolve))
      const { port } = server.address() as AddressInfo
      const { host } = await engine.network()
      await inRun((neighbour) => inRun(async (run) => {
        assert.deepEqual(await said(run, ['wget', '-q', '-T', '5', '-O', '-', `http://${host}:${port}/`]), { text: 'reached', exitCode: 0 })
        const theirs = /inet (?:addr:)?(\d+\.\d+\.\d+\.\d+)/.exec((await said(neighbour, ['sh', '-c', 'ip addr show dev eth0 2>/dev/null || ifconfig eth0'])).text)?.[1]
        assert.ok(theirs !== undefined)
        await said(neighbour, ['sh', '-c', `(busybox nc -l -p ${port} || nc -l -p ${port}) > /dev/null 2>&1 & sleep 1`])
        for (const address of [theirs, router(), 'muslin-absent.example']) {
          assert.notEqual((await said(run, ['wget', '-q', '-T', '3', '-O', '-', `http://${address}:${port}/`])).exitCode, 0, address)
        }
      }, { network: 'fetch' }), { network: 'fetch' })
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })

  await engine.sweep()
}

/** System runs, and the images made in them. */
async function derivedContract({ engine, make, ref, check, inRun }: {
  engine: Engine
  make: () => Engine
  ref: string
  check: Check
  inRun: (use: (run: Run) => Promise<void>, changes?: Partial<RunSpec>) => Promise<void>
}) {
  const derive = (key: string, by: (run: Run) => Promise<void>, on = engine) => on.derive?.(ref, key, by) ?? assert.fail('it derives nothing')
  const writes = (text: string) => async (run: Run) => {
    assert.deepEqual(await said(run, ['sh', '-c', `mkdir /opt/muslin && echo ${text} > /opt/muslin/file && chmod 640 /opt/muslin/file`]), { text: '', exitCode: 0 })
  }

  await check('a system run is root with three capabilities, writes everywhere, and has no network', () => inRun(async (run) => {
    const { text } = await said(run, ['sh', '-c', 'id -u; id -g; cat /proc/self/status /proc/net/dev'])
    assert.match(text, /^0\n0\n/)
    // CHOWN is 0, FOWNER 3, FSETID 4 (capabilities(7)).
    for (const set of ['CapPrm', 'CapEff', 'CapBnd']) assert.match(text, new RegExp(`^${set}:\\s+0{14}19$`, 'm'))
    assert.match(text, /^NoNewPrivs:\s+1$/m)
    assert.match(text, /^Seccomp:\s+2$/m)
    assert.doesNotMatch(text, /eth|wlan/)
    const wrote = await said(run, ['sh', '-c', 'for d in / /etc /usr/bin /var /tmp; do echo x > $d/muslin-probe || exit 1; done; chown 1000:1000 /etc/muslin-probe && chmod 4755 /etc/muslin-probe'])
    assert.deepEqual(wrote, { text: '', exitCode: 0 })
    await run.put('/etc', packTar([{ name: 'put', body: 'by root' }]))
    assert.deepEqual((await said(run, ['sh', '-c', 'cat /etc/put; ls -n /etc/put'])).text.match(/^by root-\S+\s+\d+ 0 +0 /)?.length, 1)
    assert.notEqual((await said(run, ['sh', '-c', 'mknod /dev/muslin b 1 1'])).exitCode, 0)
  }, { system: true, network: 'fetch' }))

  await check('what root adds in a system run is in every run of the derived image, and no run can change it', async () => {
    const derived = await derive('adds', writes('added'))
    assert.match(derived.digest, /^[0-9a-f]{64}$/)
    for (const label of ['first', 'second']) await inRun(async (run) => {
      const seen = await said(run, ['sh', '-c', 'ls -ln /opt/muslin; id -u; cat /opt/muslin/file; echo x > /opt/muslin/more'])
      assert.match(seen.text, /-rw-r----- +1 0 +0 .* file\n1000\n/)
      assert.match(seen.text, /denied|read-only/i)
      assert.notEqual(seen.exitCode, 0)
    }, { image: derived.ref, label })
    // Without it nothing is there: what was derived from stays as it was.
    await inRun(async (run) => assert.notEqual((await said(run, ['ls', '/opt/muslin'])).exitCode, 0))
  })

  await check('a derived image is made once, and found by its key in every process', async () => {
    let calls = 0
    const once = async (run: Run) => {
      calls += 1
      await writes('once')(run)
    }
    const [one, two] = await Promise.all([derive('once', once), derive('once', once)])
    assert.equal(calls, 1)
    assert.deepEqual([two, await derive('once', once), await derive('once', once, make())], [one, one, one])
    assert.equal(calls, 1)
    const other = await derive('another "$HOME" \'key\'', writes('other'))
    assert.notEqual(other.digest, one.digest)
    const further = await engine.derive?.(one.ref, 'once', async (run) => { assert.equal((await said(run, ['cat', '/opt/muslin/file'])).text, 'once\n') })
    assert.ok(further && further.digest !== one.digest && further.digest !== other.digest)
  })

  await check('two processes that derive one image at the same moment both get it', async () => {
    const both = await Promise.all([derive('race', writes('race')), derive('race', writes('race'), make())])
    assert.deepEqual(both[0], both[1])
    await inRun(async (run) => assert.deepEqual(await said(run, ['test', '-f', '/opt/muslin/file']), { text: '', exitCode: 0 }), { image: both[0].ref })
    await engine.sweep()
    await inRun(async (run) => assert.deepEqual(await said(run, ['test', '-f', '/opt/muslin/file']), { text: '', exitCode: 0 }), { image: both[1].ref })
  })

  await check('a derivation that fails leaves nothing, and is tried again', async () => {
    await assert.rejects(derive('fails', async (run) => {
      await writes('half')(run)
      throw new Error('apk said no')
    }), /apk said no/)
    assert.equal(await make().sweep(), 0)
    const derived = await derive('fails', async (run) => assert.notEqual((await said(run, ['ls', '/opt/muslin'])).exitCode, 0))
    await inRun(async (run) => assert.notEqual((await said(run, ['ls', '/opt/muslin'])).exitCode, 0), { image: derived.ref })
    await assert.rejects(engine.derive?.('muslin-absent:none', 'key', async () => {}) ?? assert.fail(), { code: 'image-unavailable', message: /muslin-absent/ })
  })

  await check('a derivation ends with its abort', async () => {
    const controller = new AbortController()
    await assert.rejects(derive('aborted', async (run) => {
      const ended = run.exec(['sh', '-c', 'echo up; sleep 60'], { env: {}, signal: controller.signal, output: () => controller.abort(new Error('cancelled')) })
      await ended
    }), /cancelled/)
    assert.equal(await make().sweep(), 0)
  })
}

/** The address next to this machine's own: some other machine's, if anybody's. */
function router(): string {
  const own = Object.values(networkInterfaces()).flat().find((face) => face?.family === 'IPv4' && !face.internal)?.address ?? '192.0.2.2'
  const [a, b, c, d] = own.split('.').map(Number)
  return [a, b, c, (d ?? 2) === 1 ? 2 : 1].join('.')
}

async function said(run: Run, command: string[], env: Record<string, string> = {}, cwd?: string) {
  const chunks: Uint8Array[] = []
  const { exitCode } = await run.exec(command, { env, ...(cwd === undefined ? {} : { cwd }), output: (chunk) => chunks.push(chunk) })
  return { text: Buffer.concat(chunks).toString(), exitCode }
}

async function got(run: Run, folder: string, names: string[]) {
  const files: { name: string; mode: number; bytes: Buffer }[] = []
  for await (const { name, mode, body } of extractTar(await run.get(folder, names, 16 * MB), { maxBytes: 16 * MB, maxEntries: 20 })) {
    files.push({ name, mode, bytes: await buffer(body) })
  }
  return files
}
