/** What `muslin lock-hashes` may do to a lock, and what an installer says where a lock holds the sdist alone. */
import assert from 'node:assert/strict'
import { basename } from 'node:path'
import { diffLines } from './diff-lines.ts'

export interface Wheel { filename: string; sha256: string }

/** setuptools' words where its compiler of C or C++ is absent, of old versions and new. */
export const NO_COMPILER = /No such file or directory: '\S*(?:cc|\+\+)'|command '\S*(?:cc|\+\+)' failed: No such file or directory/

/** uv writes a list that it did not have in three lines; pip writes an entry in several. */
const AROUND: Record<string, RegExp> = {
  'uv.lock': /^(wheels = \[|\])$/,
  'pylock.toml': /^(\[\[packages\.wheels\]\]|\[packages\.wheels\.hashes\]|size = \d+|)$/,
}

/**
 * Asserts that lines were added to the lock at `path` and nothing else, that each wheel's hash came once and nobody else's, and that each URL among them is
 * that of one of the wheels under `root`. Returns the lines.
 */
export function assertAdded(path: string, before: string, after: string, wheels: Wheel[], root: string): string[] {
  const { added, removed } = diffLines(before, after)
  const all = added.join('\n')
  assert.deepEqual(removed, [])
  const urls = new Set(wheels.map(({ filename, sha256 }) => `${root}/files/${sha256}/${filename}`))
  for (const [told] of all.matchAll(/https?:\/\/[^"\s]+/g)) assert.ok(urls.has(told), told)
  // A URL holds its file's sha256 too.
  const hashes = [...all.replaceAll(/https?:\/\/[^"\s]+/g, '').matchAll(/\b[0-9a-f]{64}\b/g)].map(([sha256]) => sha256)
  assert.deepEqual(hashes.toSorted(), wheels.map(({ sha256 }) => sha256).toSorted(), all)
  for (const line of added.map((each) => each.trim())) {
    const isOurs = wheels.some(({ filename, sha256 }) => line.includes(sha256) || line === `name = "${filename}"`)
    assert.ok(isOurs || AROUND[basename(path)]?.test(line), `${line} in\n${all}`)
  }
  return added
}
