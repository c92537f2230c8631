/**
 * Every call of apk that Muslin makes: what it is for, its words, what each exit code means (apk-tools 2.14), and what comes of it. Names
 * come last, after `--`; signatures are apk's own affair: nothing here lets an unsigned index or apk pass.
 */
import { cleanLine } from '../../domain/clean.ts'
import type { Failure, FailureClass } from '../../domain/failure.ts'

export interface ApkCall {
  for: string
  /** In which run: a plain user on the fetch network, one without a network, or root in a system run. */
  run: 'fetch' | 'plain' | 'system'
  /** `repositories` is a file of theirs, `folder` where files go, `names` are apks, or files of the image. `upgrade`: older ones that are there are replaced. */
  command(given: { repositories: string; folder: string; names: string[]; untrustedTls?: boolean; upgrade?: boolean }): string[]
  /** The first that fits. apk tells how many errors there were, 99 at most. */
  exits: ApkExit[]
}

export interface ApkExit {
  code: 0 | 'other'
  /** Its output tells apart what its code does not. */
  says?: RegExp
  means: string
  /** `goes on`, or the build fails with this class. */
  then: 'goes on' | FailureClass
}

const KEYS = ['--keys-dir', '/etc/apk/keys']
/** apk gives up on a file after a minute without a byte, and Muslin sends one only when it has all of it, and has checked it. */
const PATIENCE = ['--timeout', '600']

/** What apk says of a file or an index, never the names that it lists below an error: `ldns-dev` is one. */
const UNREACHABLE = /^(?:ERROR|WARNING): .*(?:could not connect|temporary error|connection (?:aborted|refused|reset)|timed? ?out|network (?:error|unreachable)|\bDNS (?:lookup|error)|remote server returned error|I\/O error)/im
const DONE: ApkExit = { code: 0, means: 'done', then: 'goes on' }
const UNSIGNED: ApkExit = { code: 'other', says: /(?:UNTRUSTED|BAD) signature/, means: 'no key of the image signed this index, or this apk', then: 'infrastructure' }
const NO_ANSWER: ApkExit = { code: 'other', says: UNREACHABLE, means: 'Muslin, or the repository behind it, gave no good answer', then: 'infrastructure' }

export const APK_CALLS = {
  arch: {
    for: 'the name of the CPU, which is a folder in every repository',
    run: 'plain',
    command: () => ['apk', '--print-arch'],
    exits: [DONE, { code: 'other', means: 'this image has no apk that works: nothing is added to it', then: 'goes on' }],
  },
  installed: {
    for: 'what the image holds: what is all there needs no repository',
    run: 'plain',
    command: () => ['apk', 'list', '--installed', '--repositories-file', '/dev/null'],
    exits: [DONE, { code: 'other', means: 'it cannot be told: what is wanted is planned', then: 'goes on' }],
  },
  plan: {
    for: 'what would be installed, and in which versions; nothing is changed',
    run: 'fetch',
    command: ({ repositories, names, untrustedTls, upgrade }) => [
      'apk', 'add', '--simulate', ...upgrade ? ['--upgrade'] : [], '--no-cache', ...PATIENCE, ...tls(untrustedTls), ...KEYS, '--repositories-file', repositories, '--', ...names,
    ],
    exits: [
      DONE, UNSIGNED, NO_ANSWER,
      { code: 'other', says: /unable to select packages/, means: 'these do not go together, or not with what the image holds', then: 'build-failed' },
      { code: 'other', means: 'apk cannot read the image\'s own database, or does not know an option', then: 'build-failed' },
    ],
  },
  fetch: {
    for: 'the files of what would be installed, each checked by apk against its index',
    run: 'fetch',
    command: ({ repositories, folder, names, untrustedTls }) => [
      'apk', 'fetch', '--no-cache', ...PATIENCE, ...tls(untrustedTls), ...KEYS, '--repositories-file', repositories, '--output', folder, '--', ...names,
    ],
    exits: [
      DONE, UNSIGNED, NO_ANSWER,
      { code: 'other', says: /No space left/i, means: 'they are larger than the disk of a build', then: 'out-of-disk' },
      { code: 'other', means: 'a file is absent, or not what its index says', then: 'infrastructure' },
    ],
  },
  add: {
    for: 'installing what was fetched, without a network; scripts of apks are not run',
    run: 'system',
    command: ({ repositories, names, upgrade }) => ['apk', 'add', '--no-network', '--no-scripts', ...upgrade ? ['--upgrade'] : [], ...KEYS, '--repositories-file', repositories, '--', ...names],
    exits: [
      DONE, UNSIGNED,
      { code: 'other', says: /No space left/i, means: 'the engine\'s disk, or the run\'s memory, is full', then: 'infrastructure' },
      { code: 'other', means: 'an apk could not be unpacked over what the image holds', then: 'build-failed' },
    ],
  },
  owners: {
    for: 'which apk each library comes from that repair put into the wheel',
    run: 'plain',
    command: ({ names }) => ['apk', 'info', '--who-owns', '--', ...names],
    exits: [DONE, { code: 'other', means: 'so many of the files belong to no apk', then: 'goes on' }],
  },
} as const satisfies Record<string, ApkCall>

/** What comes of a call that ended so; undefined where the build goes on. `text` is its output. */
export function apkFailure(call: ApkCall, exitCode: number, text: string): Failure | undefined {
  const exit = call.exits.find(({ code, says }) => (code === 'other' ? exitCode !== 0 : exitCode === code) && (!says || says.test(text)))
  if (exit?.then === 'goes on') return undefined
  const command = call.command({ repositories: '', folder: '', names: [] }).slice(0, 2).join(' ')
  const told = /^(?:ERROR|WARNING): (.+(?:\n {2}.+)*)/m.exec(text)?.[1]?.replace(/\s+/g, ' ')
  return { class: exit?.then ?? 'infrastructure', key: cleanLine(`${command} (${told ?? `exit code ${exitCode}`})`) }
}

/** As for the index: who answers is not told by a certificate here, and what it says is signed. */
function tls(untrusted: boolean | undefined): string[] {
  return untrusted ? ['--no-check-certificate'] : []
}
