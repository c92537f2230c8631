/** Why a step failed, read from its log. */
import { cleanLine } from './clean.ts'
import type { Failure, FailureClass } from './failure.ts'
import type { Step } from './job.ts'
import { absentOnAlpine, suggestApks, suggestRequirement } from './missing.ts'
import { RULES, type Rule } from './rules.ts'

/**
 * The failure that a log of a failed step tells: class and key (ASCII, at most 120 characters). Where no rule fits, the step's own
 * class with the last line that reads like an error, or the exit code. Time is linear in the log's length, whatever it holds.
 */
export function classifyLog(log: string, { step }: { step: Step }, rules: readonly Rule[] = RULES): Failure {
  const reader = readerFor(step, rules)
  for (const [line] of log.matchAll(LINES)) reader.read(line)
  return failureOf(reader, step)
}

/**
 * As `classifyLog`, for logs of strangers on a server that others wait for: `pause` is awaited every few milliseconds of work. Megabytes
 * of short lines that all read like errors take seconds.
 */
export async function classifyInPieces(log: string, { step }: { step: Step }, pause: () => Promise<unknown>): Promise<Failure> {
  const reader = readerFor(step, RULES)
  let lines = 0
  for (const [line] of log.matchAll(LINES)) {
    reader.read(line)
    if (++lines % PIECE === 0) await pause()
  }
  return failureOf(reader, step)
}


function readerFor(step: Step, rules: readonly Rule[]): Reader {
  return createReader(rules.filter((rule) => (rule.steps ?? BUILDING).includes(step)))
}

function failureOf(reader: Reader, step: Step): Failure {
  const found = reader.end()
  return { class: found.class ?? FALLBACK[step], key: cleanLine(found.key, LONGEST_KEY) }
}

type Reader = ReturnType<typeof createReader>

const LINES = /[^\r\n]+/g
const PIECE = 1000

const LONGEST_KEY = 120
const BUILDING: readonly Step[] = ['metadata', 'build']
const FALLBACK: Record<Step, FailureClass> = {
  plan: 'bad-sdist', fetch: 'infrastructure', metadata: 'build-failed', build: 'build-failed',
  repair: 'repair-failed', verify: 'wrong-wheel', try: 'try-failed', publish: 'infrastructure',
}

interface Finding { rule: Rule; source: string | undefined; key: string; line: number }

function createReader(rules: readonly Rule[]) {
  const likely = new RegExp([...new Set([...rules.map((rule) => rule.hint), ...WORDS])].map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|'))
  const neighbours = new Map<string, number>()
  for (const { near } of rules) if (near !== undefined) neighbours.set(near, -Infinity)
  const best = new Map<Rule['weight'], Finding>()
  let lines = 0
  let lastError: string | undefined
  let exit: string | undefined

  return {
    read(raw: string) {
      lines += 1
      const line = tidy(raw)
      for (const near of neighbours.keys()) if (line.includes(near)) neighbours.set(near, lines)
      if (!likely.test(line)) return
      if (ERROR.test(line) && !NOISE.test(line)) lastError = line
      exit = EXIT.exec(line)?.[0] ?? exit
      for (const rule of rules) {
        if (!line.includes(rule.hint)) continue
        const match = rule.pattern.exec(line)
        if (!match || (rule.near !== undefined && lines - neighbours.get(rule.near)! > NEAR)) continue
        const key = keyOf(rule, match)
        if (rule.known === true && !isKnown({ class: rule.class, key })) continue
        note(rule, key, match.groups?.['source'])
        break
      }
    },
    end(): { class?: FailureClass; key: string } {
      const told = best.get('decisive') ?? best.get('cause') ?? recent('clue') ?? recent('sentence')
      if (told) return { class: told.rule.class, key: told.key }
      if (lastError !== undefined) return { key: lastError }
      const trace = best.get('trace')
      return trace ? { class: trace.rule.class, key: trace.key } : { key: exit ?? 'no word of why' }
    },
  }

  function recent(weight: Rule['weight']): Finding | undefined {
    const found = best.get(weight)
    return found && lines - found.line <= CLUE_LINES ? found : undefined
  }

  // A build goes on after a failed probe and stops where it fails: the last finding tells.
  function note(rule: Rule, key: string, source: string | undefined): void {
    const before = best.get(rule.weight)
    const goesOn = rule.run === true && before?.rule === rule && before.source === source
    best.set(rule.weight, { rule, source, key: goesOn ? before.key : key, line: lines })
  }
}

function keyOf(rule: Rule, match: RegExpExecArray): string {
  return rule.key.replace(/\$(\d)/g, (_, group) => match[Number(group)] ?? '')
}

function isKnown(failure: Failure): boolean {
  return suggestApks(failure).length > 0 || absentOnAlpine(failure) !== undefined || suggestRequirement(failure) !== undefined
}

/** Long lines are command lines: what was called stands at their start, what became of it at their end. */
const LINE_START = 1500
const LINE_END = 500
/** How far above a rule's line its neighbour may stand. */
const NEAR = 15
/** A traceback and pip's own words are shorter; a probe at the start of a build lies farther from the end. */
const CLUE_LINES = 150

function tidy(raw: string): string {
  const line = raw.length > LINE_START + LINE_END ? `${raw.slice(0, LINE_START)} ${raw.slice(-LINE_END)}` : raw
  return line.replace(/\x1b\[[0-9;]{0,20}[A-Za-z]/g, '').replace(/[\u2018\u2019]/g, '\'').replace(/[\u201c\u201d]/g, '"').trim()
}

const WORDS = ['rror', 'xception', 'exit ']
/** The last line of a Python traceback, or what calls itself an error. */
const ERROR = /^[\w.]{0,100}(?:Error|Exception|Exit)\b|^(?:fatal )?error\b|\b(?:ERROR|[Ee]rror): /
/** What pip and make add after every failure, and what `trace` rules tell better. */
const NOISE = /subprocess-exited-with-error|metadata-generation-failed|ERROR: Failed (?:building|to build)|^error: [Cc]ommand '|^(?:subprocess\.)?CalledProcessError|collect2: error|ERROR: Exception:|with status 'error'/
const EXIT = /exit (?:code|status):? -?\d{1,4}/
