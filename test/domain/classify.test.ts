import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { classifyInPieces, classifyLog } from '../../src/domain/classify.ts'
import type { Step } from '../../src/domain/job.ts'
import { RULES, type Rule } from '../../src/domain/rules.ts'
import { apksOf } from '../../src/domain/remedy.ts'
import { FACTS, SEEN, UNSEEN } from './real-logs.ts'
import { LINES } from './rule-lines.ts'

const LOGS = new URL('../fixtures/logs/', import.meta.url)
const REAL: [folder: string, told: Record<string, string>][] = [['.', FACTS], ['seen', SEEN], ['unseen', UNSEEN]]

/** Text of each log of a folder, by its name. */
function logsIn(folder: string): Record<string, string> {
  const at = new URL(`${folder}/`, LOGS)
  const names = readdirSync(at).filter((name) => name.endsWith('.log'))
  return Object.fromEntries(names.map((name) => [name.slice(0, -'.log'.length), readFileSync(new URL(name, at), 'utf8')]))
}

/** As if what stops a build or explains its end told nothing of it. Clues and sentences stand in logs of builds that succeeded too. */
const MUTED = RULES.map((rule): Rule => rule.weight === 'decisive' || rule.weight === 'cause' ? { ...rule, weight: 'trace', key: 'muted' } : rule)

const tell = (log: string, step: Step = 'build') => {
  const failure = classifyLog(log, { step })
  return `${failure.class}: ${failure.key}`
}

describe('classifyLog', () => {
  it.each(REAL)('reads every log of %s', (folder, told) => {
    const read = Object.entries(logsIn(folder)).map(([name, log]) => {
      const [apk] = apksOf(classifyLog(log, { step: 'build' }))
      return [name, `${tell(log)}${apk === undefined ? '' : ` \u2192 ${apk}`}`]
    })
    expect(Object.fromEntries(read)).toEqual(told)
  })

  it('finds nothing in logs of builds that succeeded', () => {
    const built = Object.entries(logsIn('built'))
    expect(built.length).toBeGreaterThanOrEqual(30)
    for (const step of ['metadata', 'build'] as const) {
      expect(built.map(([name, log]) => [name, classifyLog(log, { step })])).toEqual(built.map(([name, log]) => [name, classifyLog(log, { step }, MUTED)]))
    }
  })

  it('tells why an optional part was left out of a build that went on', () => {
    expect(classifyLog(logsIn('partly')['pyrsistent']!, { step: 'build' })).toMatchObject({ class: 'compiler-error', key: expect.stringMatching(/^pvectorcmodule\.c: /) })
  })

  it.each(LINES)('says "%s" of one line', (told, line, step) => {
    expect(tell(`running build_ext\n${line}\nexit status 1\n`, step)).toBe(told)
  })

  it('has a log or a line for every rule', () => {
    const lines = [...REAL.flatMap(([folder]) => Object.values(logsIn(folder))), ...LINES.map(([, line]) => line)]
      .flatMap((log) => log.split('\n')).map((line) => line.trim().replace(/[\u2018\u2019]/g, '\''))
    const unseen = RULES.filter((rule) => !lines.some((line) => line.includes(rule.hint) && rule.pattern.test(line)))
    expect(unseen.map((rule) => rule.pattern.source)).toEqual([])
  })

  it('believes the last of several causes, as a failed probe ends no build', () => {
    const probe = '/tmp/probe.c:1:10: fatal error: openssl/rand.h: No such file or directory\n'
    expect(tell(`${probe}collect2: error\n/usr/bin/ld: cannot find -lodbc: No such file or directory\n/usr/bin/ld: cannot find -lodbcinst\n`)).toBe('missing-library: odbc')
    expect(tell(`${probe}src/x.c:5:1: fatal error: ffi.h: No such file or directory\n`)).toBe('missing-header: ffi.h')
  })

  it('names the first error of a file, and of the file that failed last', () => {
    expect(tell('a.c:1:1: error: one\na.c:2:1: error: two\nb.c:1:1: error: three\nb.c:2:2: warning: w\nb.c:9:1: error: four\n')).toBe('compiler-error: b.c: three')
  })

  it('takes a clue only near the end, and only where no cause is known', () => {
    const clue = '/bin/sh: git: not found\n'
    expect(tell(`${clue}ValueError: bad version\n`)).toBe('missing-command: git')
    expect(tell(`${clue}${'copying\n'.repeat(200)}ValueError: bad version\n`)).toBe('build-failed: ValueError: bad version')
    expect(tell(`src/x.c:5:1: fatal error: ffi.h: No such file or directory\n${clue}`)).toBe('missing-header: ffi.h')
  })

  it('tells a missing command from a missing file by the call that failed', () => {
    const line = 'FileNotFoundError: [Errno 2] No such file or directory: \'docs\'\n'
    expect(tell(`  self._execute_child(args, executable)\n${line}`)).toBe('missing-command: docs')
    expect(tell(`  self._execute_child(args, executable)\n${'x\n'.repeat(30)}${line}`)).toBe('bad-sdist: docs is missing in it')
  })

  it('reads coloured lines, carriage returns and curly quotes', () => {
    expect(tell('[1/2]\r[2/2]\r\x1b[1mx.c:1:2: \x1b[31mfatal error: \x1b[0mffi.h: No such file or directory\r\n')).toBe('missing-header: ffi.h')
    expect(tell('x.c:1:2: error: unknown type name \u2018foo_t\u2019')).toBe('compiler-error: x.c: unknown type name \'foo_t\'')
  })

  it.each<[Step, string]>([
    ['fetch', 'infrastructure'], ['metadata', 'build-failed'], ['build', 'build-failed'], ['repair', 'repair-failed'], ['try', 'try-failed'],
  ])('falls back to the class of the step %s', (step, failureClass) => {
    expect(tell('hello\nSomeError: it is broken\nmake: *** [all] Error 1\n', step)).toBe(`${failureClass}: SomeError: it is broken`)
    expect(tell('hello\n\u2502 exit code: 3\n', step)).toBe(`${failureClass}: exit code: 3`)
    expect(tell('', step)).toBe(`${failureClass}: no word of why`)
  })

  it('gives keys of one short line of ASCII, whatever the log holds', () => {
    const failure = classifyLog(`x.c:1:1: error: \u001b]0;title\u0007\u202e${'\u00e9'.repeat(400)}\nX-Evil: 1\n`, { step: 'build' })
    expect(failure.class).toBe('compiler-error')
    expect(failure.key).toMatch(/^[\x20-\x7e]{1,120}$/)
  })

  it('hands a rule no more of a line of 5 MB than of any other', () => {
    let seen = 0
    const counting: Rule = { ...RULES[0]!, hint: 'e', pattern: Object.assign(/never/, { exec: (line: string) => { seen += line.length; return null } }) }
    const line = 'e '.repeat(2_500_000)
    classifyLog(line, { step: 'build' }, [counting])
    expect(seen).toBeGreaterThan(0)
    expect(seen).toBeLessThan(4000)
    const lines = `${'e'.repeat(99)}\n`.repeat(1000)
    seen = 0
    classifyLog(lines, { step: 'build' }, [counting])
    expect(seen).toBe(99_000)
  })

  it('sees both ends of a long line', () => {
    expect(tell(`error: Command '['g++', ${'\'-Dx\', '.repeat(100_000)}]' returned non-zero exit status 4.`)).toBe('build-failed: exit status 4 of g++')
  })

  it('answers in one clean line whatever is between the words that rules look for', () => {
    const piece = fc.oneof(fc.constantFrom(...RULES.map(({ hint }) => hint), ...LINES.map(([, line]) => line)), fc.string({ unit: 'binary', maxLength: 40 }), fc.constantFrom('\u001b[31m', '\u001b]0;x\u0007', '\r', '\n', '\u202e', ' '.repeat(400)))
    fc.assert(fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      for (const step of ['metadata', 'build', 'repair', 'try'] as const) {
        const failure = classifyLog(pieces.join(''), { step })
        expect(failure.key).toMatch(/^[\x20-\x7e]{0,120}$/)
        for (const apk of apksOf(failure)) expect(apk).toMatch(/^[a-z0-9][a-z0-9+._:-]*$/)
      }
    }), { numRuns: 300 })
  })

  // Every repetition is bounded or anchored: a rule that backtracks in squares or worse would run for minutes here.
  it.each(['a', '1:', 'a/', '\'', ' ', '.h ', 'sh: ', 'Command \'', 'error: ', '_config '])('is quick on lines full of "%s" and of what rules look for', (filler) => {
    const log = RULES.map(({ hint }) => `${`${filler.repeat(700)} ${hint} ${filler.repeat(300)}\n`.repeat(20)}`).join('')
    for (const step of ['build', 'repair', 'try'] as const) expect(classifyLog(log, { step }).key.length).toBeLessThanOrEqual(120)
  })
})

describe('classifyInPieces', () => {
  it('finds what classifyLog finds, and lets others go on meanwhile', async () => {
    const logs = ['', 'x.c:1:10: fatal error: ffi.h: No such file or directory\n'.repeat(3), `${'error: no\r\n'.repeat(2500)}ld: cannot find -lffi\n${'fatal error:\n'.repeat(100)}`]
    for (const log of logs) {
      for (const step of ['build', 'try', 'fetch'] as const) {
        let pauses = 0
        expect(await classifyInPieces(log, { step }, async () => { pauses += 1 })).toEqual(classifyLog(log, { step }))
        expect(pauses).toBe(Math.floor(log.split(/[\r\n]+/).filter(Boolean).length / 1000))
      }
    }
  })
})
