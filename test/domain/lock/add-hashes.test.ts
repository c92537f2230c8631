import { readdirSync, readFileSync } from 'node:fs'
import '../../property-seed.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addHashes, type Addition } from '../../../src/domain/lock/add-hashes.ts'
import { readLock } from '../../../src/domain/lock/lock.ts'
import { MuslinError } from '../../../src/errors.ts'
import { environment, pins } from './rig.ts'

const FOLDER = new URL('../../fixtures/locks/', import.meta.url)
/** As the real tools made them, with other hosts. */
const LOCKS = readdirSync(FOLDER).map((file) => ({ file, name: nameOf(file), text: readFileSync(new URL(file, FOLDER), 'utf8') }))
const ROOT = 'https://muslin.example/'
const TARGET = 'cp313-cp313-musllinux_1_2_x86_64'
const ZEROS = '0'.repeat(64)
const wheel = (project: string, version: string, digit: string, sdist = ZEROS): Addition => {
  return { project, version, sdist, wheel: { filename: `${project.replaceAll('-', '_')}-${version}-1-${TARGET}.whl`, sha256: digit.repeat(64), size: 1234 } }
}
const CRCMOD = wheel('crcmod', '1.7', 'a')
/** Of the sdists that the locks of the real tools list. */
const SDISTS: Record<string, string> = { crcmod: 'dc7051a0db5f2bd48665a990d3ec1cc305a466a77358ca4492826f41f283601e', docopt: '49b3a825280bd66b3aa83585ef59c4a8c82f2c8a522dbe754a8bc8d08c85c491', idna: '028ff3aadf0609c1fd278d8ea3089299412a7a8b9bd005dd08b9f8285bcb5cfc' }
const REAL = { ...CRCMOD, sdist: SDISTS['crcmod']! }

function nameOf(file: string): string {
  return file.startsWith('pdm') ? 'pdm.lock' : file.startsWith('pylock') ? 'pylock.toml' : file
}

function add(name: string, text: string, additions: Addition[], root = ROOT) {
  return addHashes(name, text, additions, { rootOf: () => root })
}

/** The lines of `after` that `before` has not; fails where one of the others was changed, moved or lost. */
function addedLines(before: string, after: string): string[] {
  const [left, added] = [before.split('\n'), [] as string[]]
  for (const line of after.split('\n')) {
    if (line === left[0]) left.shift()
    else added.push(line)
  }
  expect(left).toEqual([])
  return added
}

/** Whether nothing of it was taken out. */
function isWithin(before: string, after: string): boolean {
  let at = 0
  for (const char of after) if (char === before[at]) at += 1
  return at === before.length
}

function refusal(name: string, text: string): string {
  try {
    add(name, text, [CRCMOD])
  } catch (error) {
    if (error instanceof MuslinError && error.code === 'bad-lock') return error.detail
    throw error
  }
  return 'it was taken'
}

const FILENAME = `crcmod-1.7-1-${TARGET}.whl`
const HASH = 'a'.repeat(64)
const URL_OF_OURS = `${ROOT}files/${HASH}/${FILENAME}`

describe('what is put into the locks of the real tools', () => {
  test.each([
    ['pip-compile.txt', [`    --hash=sha256:${HASH} \\`]],
    ['uv-export.txt', [`    --hash=sha256:${HASH} \\`]],
    ['Pipfile.lock', [`                "sha256:${HASH}",`]],
    ['poetry.lock', [`    {file = "${FILENAME}", hash = "sha256:${HASH}"},`]],
    ['pdm.lock', [`    {file = "${FILENAME}", hash = "sha256:${HASH}"},`]],
    ['pdm-static-urls.lock', [`    {url = "${URL_OF_OURS}", hash = "sha256:${HASH}"},`]],
    ['uv.lock', ['wheels = [', `    { url = "${URL_OF_OURS}", hash = "sha256:${HASH}", size = 1234 },`, ']']],
    ['pylock.uv.toml', ['wheels = [', `    { name = "${FILENAME}", url = "${URL_OF_OURS}", size = 1234, hashes = { sha256 = "${HASH}" } },`, ']']],
    ['pylock.pdm.toml', ['wheels = [', `    {name = "${FILENAME}", url = "${URL_OF_OURS}", size = 1234, hashes = {sha256 = "${HASH}"}},`, ']']],
    ['pylock.pip.toml', ['[[packages.wheels]]', `name = "${FILENAME}"`, `url = "${URL_OF_OURS}"`, 'size = 1234', '', '[packages.wheels.hashes]', `sha256 = "${HASH}"`, '']],
  ])('%s', (file, lines) => {
    const { name, text } = LOCKS.find((lock) => lock.file === file)!
    const added = add(name, text, [REAL])
    expect(added.outcomes).toEqual(['added'])
    expect(addedLines(text, added.text)).toEqual(lines)
  })

  test('every fixture is among them', () => {
    expect(LOCKS).toHaveLength(10)
  })
})

const hex = fc.array(fc.integer({ min: 0, max: 15 }), { minLength: 64, maxLength: 64 }).map((digits) => digits.map((digit) => digit.toString(16)).join(''))
const additions = fc.uniqueArray(fc.record({
  release: fc.constantFrom(['crcmod', '1.7'], ['crcmod', '1.7.0'], ['docopt', '0.6.2'], ['IDNA', '3.7'], ['idna', '3.20'], ['nowhere', '1.0']), sha256: hex,
  python: fc.integer({ min: 8, max: 30 }), size: fc.nat(),
}), { selector: ({ release, python }) => `${release[0]}${python}`, maxLength: 6 }).map((all) => all.map(({ release: [project = '', version = ''], sha256, python, size }): Addition => {
  return { project, version, sdist: SDISTS[project.toLowerCase()] ?? ZEROS, wheel: { sha256, size, filename: `${project.toLowerCase()}-${version}-1-cp3${python}-cp3${python}-musllinux_1_2_x86_64.whl` } }
}))

describe('whatever is added', () => {
  test.each(LOCKS)('$file: each line stays, the pins too, with our hashes; a second time changes nothing', ({ file, name, text }) => {
    fc.assert(fc.property(additions, fc.boolean(), fc.boolean(), fc.constantFrom('', '\ufeff'), (all, windows, cut, mark) => {
      const lf = cut ? text.trimEnd() : text
      const before = mark + (windows ? lf.replaceAll('\n', '\r\n') : lf)
      const { text: after, outcomes } = add(name, before, all)
      // uv writes one wheel into the line of its key: there is no other place.
      if (file === 'pylock.uv.toml') expect(isWithin(before, after)).toBe(true)
      else if (!cut) addedLines(before, after)
      expect(after.startsWith(mark)).toBe(true)
      expect(/(?<!\r)\n/.test(after)).toBe(!windows)
      const ours = (project: string) => all.filter((each) => each.project.toLowerCase() === project).map((each) => `sha256:${each.wheel.sha256}`)
      const [was, is] = [pins(name, before), pins(name, after)]
      expect(is.map(({ project, version }) => [project, version])).toEqual(was.map(({ project, version }) => [project, version]))
      for (const [index, pin] of was.entries()) {
        const fits = all.some((each, at) => each.project.toLowerCase() === pin.project && outcomes[at] === 'added')
        expect(is[index]!.hashes.toSorted()).toEqual([...pin.hashes, ...fits ? ours(pin.project).filter((hash) => is[index]!.hashes.includes(hash)) : []].toSorted())
      }
      for (const [index, { project, wheel: { sha256 } }] of all.entries()) {
        const pin = is.find((each) => each.project === project.toLowerCase())
        expect(pin?.hashes.includes(`sha256:${sha256}`) ?? false, `${project} is ${JSON.stringify(outcomes[index])}`).toBe(outcomes[index] === 'added')
        if (typeof outcomes[index] === 'object') expect(pin!.hashes, outcomes[index].why).not.toContain(`sha256:${all[index]!.sdist}`)
        else expect(['added', 'free']).toContain(outcomes[index])
      }
      const again = add(name, after, all)
      expect(again.text).toBe(after)
      expect(again.outcomes).toEqual(outcomes.map((outcome) => outcome === 'added' ? 'listed' : outcome))
    }), { numRuns: 60 })
  })

  test('the URLs under which it is listed are read back', () => {
    for (const { name, text } of LOCKS.filter(({ file }) => /^(?:uv\.lock|pylock|pdm-static)/.test(file))) {
      const { text: after } = addHashes(name, text, [REAL], { rootOf: () => 'https://corp.example/a%20b/' })
      expect(after).toContain(`"https://corp.example/a%20b/files/${HASH}/${FILENAME}"`)
      expect(readLock(name, after).pins(environment(), { extras: [], groups: undefined }).find(({ project }) => project === 'crcmod')?.filenames).toContain(FILENAME)
    }
  })
})

describe('requirements', () => {
  const one = (text: string, additions = [CRCMOD]) => add('requirements.txt', text, additions.map((each) => ({ ...each, sdist: (text.includes(high!) ? 'f' : '1').repeat(64) }))).text
  const [low, high] = ['1', 'f'].map((digit) => `sha256:${digit.repeat(64)}`)
  const ours = `sha256:${HASH}`

  test.each([
    ['on one line', `crcmod==1.7 --hash=${low} --hash=${high}  # via x\n`, `crcmod==1.7 --hash=${low} --hash=${ours} --hash=${high}  # via x\n`],
    ['on one line, the last', `crcmod==1.7 --hash=${low}`, `crcmod==1.7 --hash=${ours} --hash=${low}`],
    ['the first beside the name', `crcmod==1.7 --hash=${high} \\\n  --hash=${low}\n`, `crcmod==1.7 --hash=${high} \\\n  --hash=${ours} \\\n  --hash=${low}\n`],
    ['with old line ends', `crcmod==1.7 \\\r  --hash ${high}\r`, `crcmod==1.7 \\\r  --hash=${ours} \\\r  --hash ${high}\r`],
    ['with a comment that looks like one', `crcmod==1.7 \\\n    --hash=${high}  # --hash=${low}\n`, `crcmod==1.7 \\\n    --hash=${ours} \\\n    --hash=${high}  # --hash=${low}\n`],
    ['for each marker', `crcmod==1.7 ; os_name == "nt" --hash=${high}\nCRCmod == 1.7.0 --hash=${high}\n`, `crcmod==1.7 ; os_name == "nt" --hash=${ours} --hash=${high}\nCRCmod == 1.7.0 --hash=${ours} --hash=${high}\n`],
    ['where it is already', `crcmod==1.7 --hash=sha256:${HASH.toUpperCase()}\n`, `crcmod==1.7 --hash=sha256:${HASH.toUpperCase()}\n`],
  ])('%s', (_how, before, after) => expect(one(before)).toBe(after))

  test.each(['--config-settings=x=y', '--config-settings x=y', '-Cx=y', '-C x=y', '--global-option --no-cython', '--config-settings="a = b"', `--install-option='a --hash=sha256:0 b'`])('behind %s', (option) => {
    const [before, after] = ['', `--hash=${ours} `].map((more) => `crcmod==1.7 ${option} ${more}--hash=${high}\n`)
    if (option.includes('--hash')) expect(add('requirements.txt', before!, [{ ...CRCMOD, sdist: 'f'.repeat(64) }]).outcomes).toEqual([{ why: expect.stringContaining('its hashes are not written') }])
    else expect(one(before!)).toBe(after)
    expect(pins('requirements.txt', before!)).toMatchObject([{ hashes: [high] }])
  })

  test('several come in their order', () => {
    const all = ['9', '2', 'b'].map((digit) => wheel('crcmod', '1.7', digit))
    expect([...one(`crcmod==1.7 \\\n    --hash=${low} \\\n    --hash=${high}\n`, all).matchAll(/sha256:(.)/g)].map(([, digit]) => digit).join('')).toBe('129bf')
  })

  test('a requirement without hashes stays without', () => {
    expect(add('requirements.txt', `crcmod==1.7\ndocopt==0.6.2 --hash=${low}\n`, [CRCMOD])).toEqual({ plain: false, text: `crcmod==1.7\ndocopt==0.6.2 --hash=${low}\n`, outcomes: ['free'] })
  })
})

describe('lists', () => {
  const poetry = (files: string) => `[[package]]\nname = "crcmod"\nversion = "1.7"\nfiles = ${files}\n\n[metadata]\nlock-version = "2.1"\ncontent-hash = "x"\n`
  const item = (name: string) => `{file = "${name}", hash = "sha256:${'0'.repeat(64)}"}`
  const ours = `{file = "${FILENAME}", hash = "sha256:${HASH}"}`
  const [a, z] = [item('a.whl'), item('z.tar.gz')]

  test.each([
    [`[${a}]`, `[${a}, ${ours}]`],
    [`[${a} # the first\n, ]`, `[${a}, ${ours} # the first\n, ]`],
    [`[${a},]`, `[${a}, ${ours},]`],
    [`[ ${a}, ${z}, ]`, `[ ${a}, ${ours}, ${z}, ]`],
    [`[\n\t${a}, # the first\n\t${z} # no comma\n]`, `[\n\t${a}, # the first\n\t${ours},\n\t${z} # no comma\n]`],
    [`[\n\t${a} # no comma\n]`, `[\n\t${ours},\n\t${a} # no comma\n]`],
    [`[\n  ${a}, # not ours\n  # the end\n]`, `[\n  ${a}, # not ours\n  # the end\n  ${ours},\n]`],
    [`[\n  ${z},\n  ${a},\n]`, `[\n  ${z},\n  ${a},\n  ${ours},\n]`],
  ])('%s', (before, after) => expect(add('poetry.lock', poetry(before), [CRCMOD]).text).toBe(poetry(after)))

  test('the files of all packages in one table, as poetry had them', () => {
    const old = (more: string) => `[[package]]\nname = "crcmod"\nversion = "1.7"\n\n[metadata]\nlock-version = "1.1"\ncontent-hash = "x"\n\n[metadata.files]\ncrcmod = [\n    ${z},\n]\n"zope.interface" = []\n`.replace(`    ${z}`, more + `    ${z}`)
    expect(add('poetry.lock', old(''), [CRCMOD]).text).toBe(old(`    ${ours},\n`))
  })
})

test('wheels for several targets come into any list of files, however it is written', () => {
  const style = fc.record({ items: fc.integer({ min: 0, max: 3 }), lines: fc.boolean(), spaced: fc.boolean(), trailing: fc.boolean(), comments: fc.boolean(), wheels: fc.integer({ min: 1, max: 3 }) })
  fc.assert(fc.property(style, ({ items, lines, spaced, trailing, comments, wheels }) => {
    const files = Array.from({ length: items }, (_, i) => `{name = "crcmod-1.7-cp3${i}0-none-any.whl", hashes = {sha256 = "${String(i + 1).repeat(64)}"}}`)
    const ends = files.map((file, i) => `${file}${trailing || i < items - 1 ? ',' : ''}${lines && comments ? ' # one' : ''}`)
    const list = lines ? `[\n${ends.map((end) => `  ${end}\n`).join('')}]` : spaced ? `[ ${ends.join(' ')} ]` : `[${ends.join('')}]`
    const text = `lock-version = "1.0"\ncreated-by = "a test"\n\n[[packages]]\nname = "crcmod"\nversion = "1.7"\nwheels = ${list}\nsdist = {name = "crcmod-1.7.tar.gz", hashes = {sha256 = "${ZEROS}"}}\n`
    const all = ['a', 'b', 'c'].slice(0, wheels).map((digit, i): Addition => ({ ...CRCMOD, wheel: { filename: CRCMOD.wheel.filename.replaceAll('313', `3${i}5`), sha256: digit.repeat(64), size: i } }))
    const { text: after, outcomes } = add('pylock.toml', text, all)
    expect(outcomes).toEqual(all.map(() => 'added'))
    expect(isWithin(text, after)).toBe(true)
    expect(pins('pylock.toml', after)[0]!.hashes.toSorted()).toEqual([...pins('pylock.toml', text)[0]!.hashes, ...all.map(({ wheel }) => `sha256:${wheel.sha256}`)].toSorted())
    expect(add('pylock.toml', after, all)).toMatchObject({ text: after, outcomes: all.map(() => 'listed') })
  }), { numRuns: 200 })
})

test.each(['[]', '[ ]', '[\n]', '[ # none\n]'])('wheels for several targets come into the empty list %j', (list) => {
  const more = ['b', 'c'].map((digit, index) => ({ ...CRCMOD, wheel: { ...CRCMOD.wheel, sha256: digit.repeat(64), filename: CRCMOD.wheel.filename.replaceAll('313', `31${index}`) } }))
  const all = [CRCMOD, ...more]
  const text = `lock-version = "1.0"\ncreated-by = "a test"\n\n[[packages]]\nname = "crcmod"\nversion = "1.7"\nwheels = ${list}\nsdist = {name = "crcmod-1.7.tar.gz", hashes = {sha256 = "${'0'.repeat(64)}"}}\n`
  const { text: after, outcomes } = add('pylock.toml', text, all)
  expect(outcomes).toEqual(['added', 'added', 'added'])
  expect(pins('pylock.toml', after)[0]!.hashes.toSorted()).toEqual(['0', 'a', 'b', 'c'].map((digit) => `sha256:${digit.repeat(64)}`))
  expect(add('pylock.toml', after, all)).toMatchObject({ text: after, outcomes: ['listed', 'listed', 'listed'] })
})

describe('time grows as the text does', () => {
  const hashes = (n: number) => Array.from({ length: n }, (_, i) => `sha256:${i.toString(16).padStart(64, '0')}`)
  const pipfile = (n: number, list: string, first = 0) => {
    const categories = Array.from({ length: n }, (_, i) => `"c${i}":{"crcmod":{"version":"==1.7","hashes":${list}}}`)
    return `{"_meta":{"pipfile-spec":6,"long":"${'x'.repeat(first)}"},${categories.join(',')}}`
  }
  const timed = (name: string, text: string): number => {
    const start = performance.now()
    pins(name, text)
    add(name, text, [CRCMOD])
    return performance.now() - start
  }
  const least = (name: string, text: string): number => Math.min(...[1, 2, 3].map(() => timed(name, text)))

  // What took the square of it took seconds for the larger ones, and hours for what anybody may send.
  test.each<[string, string, (n: number) => string, number]>([
    ['many hashes on one line', 'requirements.txt', (n) => `crcmod==1.7 ${hashes(n).map((hash) => `--hash=${hash}`).join(' ')}\n`, 4_992],
    ['hashes far apart on one line', 'requirements.txt', (n) => `crcmod==1.7 ${hashes(n).map((hash) => `--hash=${hash}`).join(' '.repeat(340))}\n`, 4_992],
    ['a lock on one line', 'Pipfile.lock', (n) => pipfile(n, `["${hashes(1)[0]!}"]`), 17_000],
    ['packages that share a long list', 'poetry.lock', (n) => `${`[[package]]\nname = "crcmod"\nversion = "1.7"\n\n`.repeat(n)}[metadata]\nlock-version = "1.1"\n\n[metadata.files]\ncrcmod = [${hashes(n).map((hash) => `{hash = "${hash}"},`).join('')}]\n`, 8_000],
    ['many lines behind a long one', 'Pipfile.lock', (n) => pipfile(n, `[\n"${hashes(1)[0]!}"\n]`, 250 * n), 6_000],
  ])('%s', (_, name, text, n) => {
    // Eight times as much: the square of that is 64, and a busy machine makes no more than twice of anything.
    expect(least(name, text(n / 2))).toBeLessThan(200 + 20 * least(name, text(n / 16)))
    expect(timed(name, text(n)), `${text(n).length} characters`).toBeLessThan(4_000)
  })

  test('a requirement with more hashes than a release has files is refused', () => {
    expect(refusal('requirements.txt', `crcmod==1.7 ${'--hash=sha256:0 '.repeat(125_000)}\n`)).toBe('requirements.txt: line 1: a requirement with more than 5000 hashes')
  })
})

test('releases of one name that share their list get each wheel once', () => {
  const old = (list: string) => `${['1.7', '1.7', '1.6'].map((version) => `[[package]]\nname = "crcmod"\nversion = "${version}"\n\n`).join('')}[metadata]\nlock-version = "1.1"\n\n[metadata.files]\ncrcmod = ${list}\n`
  const item = (file: string, hash: string) => `{file = "${file}", hash = "sha256:${hash}"}`
  const sdist = item('crcmod-1.5.tar.gz', ZEROS)
  const older = wheel('crcmod', '1.6', 'b')
  expect(add('poetry.lock', old(`[${sdist}]`), [CRCMOD, older])).toMatchObject({
    outcomes: ['added', 'added'],
    text: old(`[${sdist}, ${item(FILENAME, HASH)}, ${item(older.wheel.filename, 'b'.repeat(64))}]`),
  })
})

describe('what cannot be added says why', () => {
  const uv = (source: string) => `version = 1\n\n[[package]]\nname = "crcmod"\nversion = "1.7"\nsource = { registry = "${source}" }\nsdist = { url = "crcmod-1.7.tar.gz", hash = "sha256:${ZEROS}" }\nwheels = [\n    { url = "https://other.example/${FILENAME}", hash = "sha256:${'b'.repeat(64)}" },\n]\n`
  test.each([
    ['https://upstream.example/simple', /another file of the name crcmod-1\.7-1/],
    ['../wheels', /its index is a folder/],
  ])('%s', (source, why) => {
    const { text, outcomes } = add('uv.lock', uv(source), [CRCMOD])
    expect([text, outcomes]).toEqual([uv(source), [{ why: expect.stringMatching(why) }]])
  })
})

describe('is added only where the sdist that it was built from is listed', () => {
  const [mine, other] = [ZEROS, 'b'.repeat(64)].map((hash) => `sha256:${hash}`)
  const two = (entry: (hash: string, source: string) => string) => entry(mine!, 'one') + entry(other!, 'two')
  const uv = (hash: string, source: string) => `[[package]]\nname = "crcmod"\nversion = "1.7"\nsource = { registry = "https://${source}.example/simple" }\nsdist = { url = "https://${source}.example/crcmod-1.7.tar.gz", hash = "${hash}" }\n\n`
  const files = (hash: string, source: string) => `[[package]]\nname = "crcmod"\nversion = "1.7"\nfiles = [{file = "crcmod-1.7.tar.gz", hash = "${hash}"}]\n[package.source]\ntype = "legacy"\nurl = "https://${source}.example/simple"\n\n`
  const category = (hash: string) => `{"crcmod": {"version": "==1.7", "hashes": ["${hash}"]}}`

  test.each([
    ['requirements.txt', two((hash) => `crcmod==1.7 --hash=${hash}\n`)],
    ['uv.lock', `version = 1\n\n${two(uv)}`],
    ['poetry.lock', `${two(files)}[metadata]\nlock-version = "2.1"\n`],
    ['pdm.lock', `[metadata]\nlock_version = "4.5.0"\n\n${two(files)}`],
    ['pylock.toml', `lock-version = "1.0"\n\n${two((hash) => `[[packages]]\nname = "crcmod"\nversion = "1.7"\nsdist = { name = "crcmod-1.7.tar.gz", hashes = { sha256 = "${hash.slice(7)}" } }\n\n`)}`],
    ['Pipfile.lock', `{"_meta": {"pipfile-spec": 6}, "default": ${category(mine!)}, "develop": ${category(other!)}}`],
  ])('%s', (name, text) => {
    const why = expect.stringMatching(/^the lock names no sdist that crcmod-1\.7-1-.* was built from$/)
    const { text: after, outcomes } = add(name, text, [CRCMOD])
    expect(outcomes).toEqual([{ why, besides: 'added' }])
    const [wheel, others] = [HASH, other!.slice(7)].map((hash) => [...after.matchAll(new RegExp(hash, 'g'))].map(({ index }) => index))
    expect([wheel!.length, others!.length]).toEqual([after.includes(`/files/${HASH}/`) ? 2 : 1, 1])
    expect(wheel!.every((at) => at < others![0]!)).toBe(true)
    expect(add(name, after, [CRCMOD])).toMatchObject({ text: after, outcomes: [{ why, besides: 'listed' }] })
    expect(add(name, text, [{ ...CRCMOD, sdist: 'c'.repeat(64) }])).toMatchObject({ text, outcomes: [{ why }] })
  })

  test.each([
    ['uv.lock', `version = 1\n\n${uv(mine!, 'one').replace(/, hash = "[^"]*"/, '')}`],
    ['requirements.txt', `crcmod==1.7 --hash=sha512:${ZEROS}${ZEROS}\n`],
    ['requirements.txt', `crcmod==1.7 --hash=sha384:${ZEROS}\n`],
  ])('%s without its sha256', (name, text) => {
    expect(add(name, text, [CRCMOD])).toMatchObject({ text, outcomes: [{ why: expect.stringContaining('names no sdist') }] })
  })

  test('a folder as an index beside a server keeps nothing from it', () => {
    const text = `version = 1\n\n${uv(mine!, 'one')}${uv(mine!, 'two').replace('https://two.example/simple', '../wheels')}`
    expect(add('uv.lock', text, [CRCMOD]).outcomes).toEqual([{ why: 'its index is a folder, which has no URLs', besides: 'added' }])
  })
})

test.each([
  ['requirements.txt', 'crcmod==1.7\n'],
  ['requirements.txt', 'crcmod==1.7 --config-settings=x=y\n'],
  ['Pipfile.lock', '{"default": {"crcmod": {"version": "==1.7"}}, "_meta": {"pipfile-spec": 6}}'],
  ['poetry.lock', '[[package]]\nname = "crcmod"\nversion = "1.7"\nfiles = []\n[metadata]\nlock-version = "2.1"\n'],
])('%s without any hash is plain', (name, text) => {
  expect(add(name, text, [CRCMOD])).toEqual({ text, outcomes: ['free'], plain: true })
})

describe('is refused', () => {
  test.each([
    ['requirements.txt', 'crcmod>=1\n', /line 1: crcmod>=1 is not pinned/],
    ['uv.lock', 'version = 2\n', /version 2 of its format/],
    ['poetry.lock', '[metadata]\nlock-version = "3.0"\n', /version 3\.0 of its format/],
    ['pdm.lock', '[metadata]\nlock_version = "5.0"\n', /version 5\.0 of its format/],
    ['pylock.toml', 'lock-version = "2.0"\n', /lock-version is 2\.0/],
    ['Pipfile.lock', '{"_meta": {"pipfile-spec": 7}}', /version 7 of its format/],
    ['Pipfile.lock', '[1', /not valid JSON/],
    ['poetry.lock', 'package = [{name = "a", version = "1", files = []}]\n[metadata]\nlock-version = "2.1"\n', /not written as \[\[package\]\]/],
  ])('%s %s', (name, text, said) => expect(refusal(name, text)).toMatch(said))

  test('nothing where nothing is pinned', () => {
    expect(add('requirements.txt', '# none\n', [CRCMOD])).toEqual({ plain: false, text: '# none\n', outcomes: ['free'] })
    const project = 'version = 1\n\n[[package]]\nname = "demo"\nversion = "1"\nsource = { virtual = "." }\n'
    expect(add('uv.lock', project, [CRCMOD]).text).toBe(project)
  })
})
