import { Readable } from 'node:stream'
import type { ApkEntry } from '../src/domain/apk-index.ts'
import type { ApkBranches } from '../src/services/ports.ts'

/** Branches with these apks; `of` is asked at each look, and may throw. */
export function branchesOf(of: (path: string) => Pick<ApkEntry, 'name' | 'version'>[]): Pick<ApkBranches, 'indexes'> {
  return {
    indexes: async (paths, arch) => paths.map((path) => ({
      path, sha256: '0'.repeat(64), size: 0, open: async () => Readable.from([]),
      entries: of(path).map(({ name, version }) => ({ name, version, arch, size: 1, checksum: 'Q1', origin: name, provides: [], depends: [], description: '' })),
    })),
  }
}
