import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { WheelEntry } from '../../src/domain/merge.ts'
import type { IndexFile, ProjectPage } from '../../src/domain/page.ts'
import { parsePattern } from '../../src/domain/pattern.ts'
import { type Ages, areEmpty, fileVerdict, filterPage, filterWheels, NO_RULES, type PolicyRules, projectVerdict, uploadTimeOf, versionOf } from '../../src/domain/policy.ts'
import { heldLine } from '../../src/domain/policy-line.ts'

const DAY = 24 * 60 * 60 * 1000
const NOW = Date.parse('2026-06-10T12:00:00Z')
const iso = (ms: number) => new Date(ms).toISOString()
const patterns = (...texts: string[]) => texts.map((text) => parsePattern(text)!)
const rules = (change: Partial<PolicyRules> = {}): PolicyRules => ({ ...NO_RULES, ...change })
const file = (version: string, change: Partial<IndexFile> = {}): IndexFile => ({ filename: `demo-${version}.tar.gz`, url: 'x', hashes: { sha256: version.replaceAll(/\D/g, '').padEnd(64, 'a') }, ...change })
const pageOf = (files: IndexFile[], change: Partial<ProjectPage> = {}): ProjectPage => ({ meta: { 'api-version': '1.4' }, name: 'demo', files, ...change })
const filter = (page: ProjectPage, of: PolicyRules | PolicyRules[], ages: Ages = new Map(), now = NOW) => filterPage({ project: 'demo', page, rules: [of].flat(), ages, now })
const left = (...args: Parameters<typeof filter>) => filter(...args).page.files.map(({ filename }) => filename)

describe('a file', () => {
  const facts = { project: 'demo', version: '2.0', uploadedAt: NOW - DAY, seenAt: NOW - DAY }
  const cooldown = { cooldown: 3 * DAY }

  test.each<[string, Partial<PolicyRules>, Partial<typeof facts> | { version: undefined } | { uploadedAt: undefined; seenAt?: number | undefined }, string | undefined]>([
    ['nothing is said', {}, {}, undefined],
    ['its project is denied', { deny: patterns('demo') }, {}, 'deny'],
    ['its release is denied', { deny: patterns('demo>=2') }, {}, 'deny'],
    ['another release is denied', { deny: patterns('demo<2') }, {}, undefined],
    ['another project is denied', { deny: patterns('other') }, {}, undefined],
    ['its version is unknown where one is denied', { deny: patterns('demo<2') }, { version: undefined }, 'deny'],
    ['it is allowed and denied', { allow: patterns('demo'), deny: patterns('d*') }, {}, 'deny'],
    ['it is allowed', { allow: patterns('other', 'demo==2.*') }, {}, undefined],
    ['others are allowed', { allow: patterns('other') }, {}, 'allow'],
    ['nothing is allowed', { allow: [] }, {}, 'allow'],
    ['other releases are allowed', { allow: patterns('demo<2') }, {}, 'allow'],
    ['its version is unknown where one is allowed', { allow: patterns('demo<2') }, { version: undefined }, 'allow'],
    ['it is too young', cooldown, {}, 'cooldown'],
    ['it is old enough', cooldown, { uploadedAt: NOW - 3 * DAY }, undefined],
    ['it lacks a millisecond', cooldown, { uploadedAt: NOW - 3 * DAY + 1 }, 'cooldown'],
    ['it has been known for long enough', cooldown, { uploadedAt: undefined, seenAt: NOW - 3 * DAY }, undefined],
    ['it has not been known for long enough', cooldown, { uploadedAt: undefined }, 'cooldown'],
    ['nobody knows how old it is', cooldown, { uploadedAt: undefined, seenAt: undefined }, 'cooldown'],
    ['an old file is new here', cooldown, { uploadedAt: NOW - 9 * DAY, seenAt: NOW }, undefined],
    ['it is from the future', cooldown, { uploadedAt: NOW + DAY }, 'cooldown'],
    ['its project is exempt', { ...cooldown, exempt: patterns('dem*') }, {}, undefined],
    ['its release is exempt', { ...cooldown, exempt: patterns('demo==2.0') }, {}, undefined],
    ['another release is exempt', { ...cooldown, exempt: patterns('demo==1.0') }, {}, 'cooldown'],
    ['its version is unknown where one is exempt', { ...cooldown, exempt: patterns('demo==2.0') }, { version: undefined }, 'cooldown'],
    ['it is exempt from the cooldown and denied', { ...cooldown, deny: patterns('demo'), exempt: patterns('demo') }, {}, 'deny'],
    ['it came in time', { before: NOW - DAY }, {}, undefined],
    ['it came later', { before: NOW - DAY - 1 }, {}, 'before'],
    ['nobody knows when it came', { before: NOW }, { uploadedAt: undefined }, 'before'],
    ['it is exempt from the cooldown, not from the date', { before: NOW - 9 * DAY, exempt: patterns('demo') }, {}, 'before'],
  ])('where %s', (_case, given, change, by) => {
    expect(fileVerdict({ ...facts, ...change }, rules(given), NOW)?.by).toBe(by)
  })

  test('that only time holds back says until when', () => {
    expect(fileVerdict(facts, rules(cooldown), NOW)?.until).toBe(NOW + 2 * DAY)
    expect(fileVerdict({ ...facts, uploadedAt: undefined, seenAt: undefined }, rules(cooldown), NOW)?.until).toBeUndefined()
    expect(fileVerdict(facts, rules({ deny: patterns('demo') }), NOW)?.until).toBeUndefined()
  })

  test.each([
    [{ deny: patterns('demo>=2') }, 'demo 2.0 is held back by deny, which names "demo>=2"'],
    [{ of: 'views.lts.', allow: patterns('other') }, 'demo 2.0 is held back: nothing in views.lts.allow names it'],
    [cooldown, 'demo 2.0 is held back by cooldown (3d) until 2026-06-12 12:00 UTC'],
    [{ of: 'views.lts.', before: 0 }, 'demo 2.0 is held back by views.lts.before: it came later, or nobody knows when'],
  ])('tells people by which rule', (given, line) => {
    expect(heldLine('demo 2.0', fileVerdict(facts, rules(given), NOW)!)).toBe(line)
  })
})

test.each([
  [{}, undefined], [{ deny: patterns('demo') }, 'deny'], [{ deny: patterns('d*o') }, 'deny'], [{ deny: patterns('demo<2') }, undefined],
  [{ allow: patterns('other') }, 'allow'], [{ allow: [] }, 'allow'], [{ allow: patterns('demo<2') }, undefined], [{ cooldown: DAY }, undefined], [{ before: 0 }, undefined],
])('a project is blocked as a whole by its name alone: %#', (given, by) => {
  expect(projectVerdict('demo', rules(given))?.by).toBe(by)
})

test('rules that change nothing are known as such', () => {
  expect(areEmpty(rules({ exempt: patterns('demo'), of: 'views.x.' }))).toBe(true)
  for (const given of [{ allow: patterns('a') }, { allow: [] }, { deny: patterns('a') }, { cooldown: 1 }, { before: 0 }]) expect(areEmpty(rules(given))).toBe(false)
})

describe('a page', () => {
  const files = [file('1.0', { 'upload-time': iso(NOW - 9 * DAY) }), file('2.0', { 'upload-time': iso(NOW - 2 * DAY) }), file('3.0', { 'upload-time': iso(NOW - DAY) })]

  test('that nothing is held back of is itself, versions without a file and all', () => {
    const page = pageOf(files, { versions: ['0.1', '1.0', '2.0', '3.0'] })
    expect(filter(page, rules({ cooldown: DAY })).page).toBe(page)
    expect(filter(page, [])).toEqual({ page, until: Infinity, held: [] })
  })

  test('loses what is held back, and the versions that have no file any more', () => {
    const page = pageOf(files, { 'versions': ['0.1', '1', '2.0', '3.0'], 'x-unknown': 1 })
    const { page: filtered, until, held } = filter(page, rules({ cooldown: 3 * DAY }))
    expect(filtered).toEqual({ ...page, files: [files[0]], versions: ['1'] })
    expect(until).toBe(NOW + DAY)
    expect(held.map(({ filename, version }) => [filename, version])).toEqual([['demo-2.0.tar.gz', '2.0'], ['demo-3.0.tar.gz', '3.0']])
    expect(page.files).toHaveLength(3)
  })

  test('of a day has no versions that came later, though they have no file', () => {
    expect(filter(pageOf([files[0]!], { versions: ['1.0', '9.0'] }), rules({ before: NOW })).page.versions).toEqual(['1.0'])
    expect(filter(pageOf(files), rules({ before: NOW - 9 * DAY })).page).not.toHaveProperty('versions')
  })

  test('keeps the version of an egg or an installer that it keeps', () => {
    const eggs = [{ ...file('1.0'), filename: 'demo-1.0-py2.7.egg' }, { ...file('2.0'), filename: 'demo-2.0.win32.exe' }, file('3.0')]
    expect(filter(pageOf(eggs, { versions: ['1.0', '2.0', '3.0'] }), rules({ allow: patterns('demo'), cooldown: DAY }), new Map([[eggs[0]!.hashes['sha256']!, { uploadedAt: undefined, seenAt: 0 }]])).page.versions).toEqual(['1.0'])
  })

  test.each([
    ['demo-1.0.win32.exe', ['1.0']], ['demo-1.0-py2.7-win32.egg', ['1.0', '1.0-py2']], ['Demo-more-1.0rc1.post2.dev3+a.b.exe', ['1.0rc1.post2.dev3+a.b']], ['demo-1.0_py2.exe', ['1.0']],
    ['demo-2021.10.11.12.13.dev20130101-1.noarch.rpm', ['2021.10.11.12.13.dev20130101', '2021.10.11.12.13.dev20130101-1']], ['demo-dev-r12.exe', ['dev', 'dev-r12', 'r12']], ['demo1.0.exe', []],
  ])('keeps of %s the versions %j', (filename, kept) => {
    const versions = ['0', '1.0', '1.0-py2', '2021.10.11.12.13.dev20130101', '2021.10.11.12.13.dev20130101-1', '1.0rc1.post2.dev3+a.b', 'dev', 'dev-r12', 'r12', 'py']
    expect(filter(pageOf([{ ...file('3'), filename, 'upload-time': iso(0) }], { versions }), rules({ before: NOW })).page.versions).toEqual(versions.filter((version) => kept.includes(version)))
  })

  test('of many versions and many names that tell none takes no longer than it is long', () => {
    const many = Array.from({ length: 20_000 }, (_, index) => ({ ...file('1'), 'filename': `demo${'-1.0'.repeat(20)}-${index}.exe`, 'upload-time': iso(0) }))
    const began = performance.now()
    expect(filter(pageOf(many, { versions: many.map((_, index) => `7.${index}`) }), rules({ before: NOW })).page.versions).toEqual([])
    // By the product of the two it would be minutes.
    expect(performance.now() - began).toBeLessThan(3_000)
  })

  test('that lists another project\'s wheel is held to what holds for that one, too', () => {
    const theirs = { ...file('1.0', { 'upload-time': iso(0) }), filename: 'Other_one-1.0-py3-none-any.whl' }
    const page = pageOf([file('1.0', { 'upload-time': iso(0) }), theirs], { versions: ['1.0'] })
    for (const given of [{ deny: patterns('other-one<2') }, { allow: patterns('demo') }, { deny: patterns('demo') , allow: patterns('other-one') }]) expect(left(page, rules(given))).not.toContain(theirs.filename)
    for (const given of [{ deny: patterns('other-one>2') }, { allow: patterns('demo', 'other-one==1.*') }, { cooldown: DAY }]) expect(left(page, rules(given))).toHaveLength(2)
  })

  test('must satisfy all rules', () => {
    expect(left(pageOf(files), [rules({ deny: patterns('demo==1.0') }), rules({ deny: patterns('demo==2.0') })])).toEqual(['demo-3.0.tar.gz'])
  })

  test.each([undefined, null, '', 'yesterday', 5, '2024-01-01'])('an upload-time of %j is none: what is recorded counts', (time) => {
    const odd = file('1.0', { 'upload-time': time as string })
    const seen = (seenAt: number): Ages => new Map([[odd.hashes['sha256']!, { uploadedAt: undefined, seenAt }]])
    expect(left(pageOf([odd]), rules({ cooldown: DAY }))).toEqual([])
    expect(left(pageOf([odd]), rules({ cooldown: DAY }), seen(NOW - DAY + 1))).toEqual([])
    expect(left(pageOf([odd]), rules({ cooldown: DAY }), seen(NOW - DAY))).toEqual([odd.filename])
    expect(left(pageOf([odd]), rules({ before: NOW }), seen(0))).toEqual([])
  })

  test('of malformed files is judged all the same', () => {
    const odd = [{ filename: 'demo', url: 'x' }, { ...file('1'), hashes: null }, { filename: '../demo-1.0.tar.gz', url: '', hashes: {} }] as unknown as IndexFile[]
    expect(left(pageOf(odd), rules({ deny: patterns('demo<0.1'), cooldown: DAY }))).toEqual([])
    expect(left(pageOf(odd), rules({ allow: patterns('demo') }))).toHaveLength(3)
  })

  const anyRules = fc.record({
    of: fc.constant(''), allow: fc.constantFrom(undefined, [], patterns('demo'), patterns('demo<3'), patterns('other')), deny: fc.constantFrom([], patterns('demo==2.*'), patterns('de*>4')),
    cooldown: fc.constantFrom(0, DAY, 3 * DAY), exempt: fc.constantFrom([], patterns('demo==1.0')), before: fc.constantFrom(undefined, NOW - DAY, NOW),
  })
  const anyFile = fc.record({ version: fc.constantFrom('1.0', '2.0', '2.1', '3.0rc1', '5'), age: fc.option(fc.integer({ min: -DAY, max: 5 * DAY })) })
    .map(({ version, age }) => file(version, age === null ? {} : { 'upload-time': iso(NOW - age) }))
  const anyPage = fc.array(anyFile, { maxLength: 8 }).map((some) => pageOf(some, { versions: ['1.0', '2.0', '2.1', '3.0rc1', '5'] }))

  test('has what the verdict about each file says, the same again when filtered again, and changes no sooner than it says', () => {
    const ages: Ages = new Map([[file('1.0').hashes['sha256']!, { uploadedAt: undefined, seenAt: NOW - 2 * DAY }]])
    fc.assert(fc.property(anyPage, fc.array(anyRules, { maxLength: 2 }), (page, of) => {
      const once = filter(page, of, ages)
      expect(filter(once.page, of, ages).page.files).toEqual(once.page.files)
      expect(once.page.files.length + once.held.length).toBe(page.files.length)
      const served = page.files.filter((each) => of.every((one) => {
        const uploadedAt = uploadTimeOf(each)
        return fileVerdict({ project: 'demo', version: versionOf(each.filename, 'demo'), uploadedAt, seenAt: ages.get(each.hashes['sha256']!)?.seenAt }, one, NOW) === undefined
      }))
      expect(once.page.files).toEqual(served)
      if (once.until === Infinity) expect(left(page, of, ages, NOW + 1000 * DAY)).toEqual(left(page, of, ages))
      else {
        expect(once.until).toBeGreaterThan(NOW)
        expect(left(page, of, ages, once.until - 1)).toEqual(left(page, of, ages))
      }
    }))
  })

  test('is plain data in and out, for another thread', () => {
    const given = structuredClone({ project: 'demo', page: pageOf(files), rules: [rules({ deny: patterns('demo<2'), cooldown: DAY })], ages: new Map(), now: NOW })
    expect(structuredClone(filterPage(given))).toEqual(filter(pageOf(files), rules({ deny: patterns('demo<2'), cooldown: DAY })))
  })
})

describe('a wheel of ours', () => {
  const sdist = file('1.0', { 'upload-time': iso(NOW - DAY) })
  const wheel: WheelEntry = {
    sha256: 'e'.repeat(64), filename: 'demo-1.0-1-cp313-cp313-musllinux_1_2_x86_64.whl', size: 1, version: '1.0', target: 'cp313-musllinux_1_2_x86_64',
    sdist: sdist.hashes['sha256']!, number: 1, metadata: 'd'.repeat(64), requiresPython: undefined, publishedAt: NOW,
  }
  const had = (page: ProjectPage | undefined, of: PolicyRules, ages: Ages = new Map()) => filterWheels({ project: 'demo', page, wheels: [wheel], rules: [of], ages, now: NOW })

  test('is as old as its sdist, and its release is its sdist\'s', () => {
    expect(had(pageOf([sdist]), rules({ before: NOW - DAY })).wheels).toEqual([{ ...wheel, publishedAt: NOW - DAY }])
    expect(had(pageOf([sdist]), rules({ before: NOW - DAY - 1 })).wheels).toEqual([])
    expect(had(pageOf([sdist]), rules({ cooldown: DAY })).wheels).toEqual([wheel])
    expect(had(pageOf([sdist]), rules({ cooldown: 2 * DAY }))).toEqual({ wheels: [], until: NOW + DAY })
    expect(had(pageOf([sdist]), rules({ deny: patterns('demo==1.0') })).wheels).toEqual([])
  })

  test('is judged by what is recorded of an sdist that is listed no more, and by itself where nothing is', () => {
    const recorded: Ages = new Map([[wheel.sdist, { uploadedAt: NOW - DAY, seenAt: NOW }]])
    for (const page of [undefined, pageOf([])]) {
      expect(had(page, rules({ before: NOW - DAY }), recorded).wheels).toEqual([{ ...wheel, publishedAt: NOW - DAY }])
      expect(had(page, rules({ cooldown: DAY }), recorded).wheels).toEqual([wheel])
      expect(had(page, rules({ before: NOW - DAY - 1 }), recorded).wheels).toEqual([])
      expect(had(page, rules({ before: NOW - 1 })).wheels).toEqual([])
      expect(had(page, rules({ before: NOW })).wheels).toEqual([wheel])
    }
  })
})
