/** The order of apk versions, as apk-tools 2.14 has it, and 3 with its commit hashes: `1.2.3b_rc1~0ab1-r4`. */

/** In this order: where two versions differ in what comes next, the kind that stands earlier here is the newer version. */
const KINDS = ['zeros', 'number', 'letter', 'suffix', 'suffix-number', 'hash', 'revision', 'end'] as const

interface Token { kind: typeof KINDS[number]; value: bigint }

/** What comes before a release, and what after it. */
const BEFORE = ['alpha', 'beta', 'pre', 'rc']
const AFTER = ['cvs', 'svn', 'git', 'hg', 'p']

const END: Token = { kind: 'end', value: 0n }

/** Negative where `a` is older than `b`, positive where it is newer, 0 where neither is. What follows on an unreadable part does not count. */
export function compareApkVersions(a: string, b: string): number {
  const [left, right] = [tokens(a), tokens(b)]
  for (let at = 0; ; at++) {
    const [one, other] = [left[at] ?? END, right[at] ?? END]
    if (one.kind === other.kind) {
      if (one.value !== other.value) return one.value < other.value ? -1 : 1
      if (one === END && other === END) return 0
      continue
    }
    if (isBefore(one)) return -1
    if (isBefore(other)) return 1
    return KINDS.indexOf(other.kind) - KINDS.indexOf(one.kind)
  }
}

function isBefore({ kind, value }: Token): boolean {
  return kind === 'suffix' && value < 0n
}

function tokens(version: string): Token[] {
  const [, numbers = '', letter = '', suffixes = '', hash, revision] =
    /^(\d+(?:\.\d+)*)?([a-z]?)((?:_(?:alpha|beta|pre|rc|cvs|svn|git|hg|p)\d*)*)(?:~([0-9a-f]+))?(?:-r(\d+))?/.exec(version) ?? []
  return [
    ...numbers.split('.').flatMap(number),
    ...(letter === '' ? [] : [{ kind: 'letter', value: BigInt(letter.charCodeAt(0)) } as const]),
    ...suffixes.split('_').slice(1).flatMap(suffix),
    ...(hash === undefined ? [] : [{ kind: 'hash', value: BigInt(`0x${hash}`) } as const]),
    ...(revision === undefined ? [] : [{ kind: 'revision', value: BigInt(revision) } as const]),
  ]
}

/** A part with leading zeros is a fraction: `1.01` is older than `1.1`, and `1.001` older still. */
function number(digits: string, at: number): Token[] {
  const value = BigInt(digits || 0)
  if (at === 0) return [{ kind: 'number', value }]
  const zeros = /^0*/.exec(digits)?.[0].length ?? 0
  return zeros === 0 ? [{ kind: 'zeros', value }] : [{ kind: 'zeros', value: BigInt(1 - zeros) }, { kind: 'number', value }]
}

function suffix(text: string): Token[] {
  const [, name = '', digits = ''] = /^([a-z]+)(\d*)$/.exec(text) ?? []
  const before = BEFORE.indexOf(name)
  const value = BigInt(before >= 0 ? before - BEFORE.length : AFTER.indexOf(name))
  return [{ kind: 'suffix', value }, ...(digits === '' ? [] : [{ kind: 'suffix-number', value: BigInt(digits) } as const])]
}
