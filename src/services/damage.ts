/** The kinds of damage that a data folder can have: `docs/storage.md` lists them from here. */

interface DamageKind {
  /** What it is, to follow the name of what is damaged. */
  is: string
  /** What `fsck --repair` does about it; undefined where nothing can be done. */
  repair: string | undefined
}

export const DAMAGE = {
  'database': { is: 'the database is damaged', repair: undefined },
  'unreadable-page': { is: 'the stored page cannot be read', repair: 'it is forgotten, and fetched again when it is asked for' },
  'damaged-file': { is: 'a file of the upstream has other bytes than its digest says', repair: 'its bytes are set aside, and it is fetched again when it is asked for' },
  'missing-file': { is: 'a file of the upstream is counted as stored, and is not', repair: 'it is counted no more, and fetched again when it is asked for' },
  'damaged-metadata': { is: 'METADATA of the upstream have other bytes than their digest says', repair: 'their bytes are set aside, and they are fetched again when they are asked for' },
  'damaged-wheel': { is: 'a wheel that was built here has other bytes than its digest says', repair: 'its bytes are set aside, it is listed no more, and its build is queued' },
  'missing-wheel': { is: 'a wheel that was built here is not stored', repair: 'it is listed no more, and its build is queued' },
  'damaged-wheel-metadata': { is: 'the METADATA of a wheel that was built here have other bytes than their digest says', repair: 'they are read out of the wheel again; where they cannot be, the wheel is listed no more and its build is queued' },
  'missing-wheel-metadata': { is: 'the METADATA of a wheel that was built here are not stored', repair: 'they are read out of the wheel again; where they cannot be, the wheel is listed no more and its build is queued' },
  'wrong-wheel-metadata': { is: 'the METADATA that are told of a wheel are not those in it', repair: 'those in it are told from now on' },
  'damaged-promise-metadata': { is: 'METADATA of a promised wheel have other bytes than their digest says', repair: 'their bytes are set aside, and they are made again' },
  'missing-promise-metadata': { is: 'METADATA of a promised wheel are not stored', repair: 'they are made again' },
  'damaged-result': { is: 'a wheel kept for other targets has other bytes than its digest says', repair: 'it is set aside and forgotten: other targets compile' },
  'missing-result': { is: 'a wheel kept for other targets is not stored', repair: 'it is forgotten: other targets compile' },
  'damaged-kept': { is: 'a kept apk, crate, index or provenance has other bytes than its digest says', repair: 'it is set aside and forgotten, and fetched again when it is asked for' },
  'missing-kept': { is: 'a kept apk, crate, index or provenance is not stored', repair: 'it is forgotten, and fetched again when it is asked for' },
  'damaged-list': { is: 'the list of projects has other bytes than its digest says', repair: 'it is set aside and forgotten, and fetched again when it is asked for' },
  'missing-list': { is: 'the list of projects is not stored', repair: 'it is forgotten, and fetched again when it is asked for' },
  'damaged-unused': { is: 'a blob that nothing refers to has other bytes than its name says', repair: 'it is set aside' },
  'stray': { is: 'it lies among the blobs and is none', repair: 'it is set aside' },
  'mode': { is: 'others than its owner may read or write it', repair: 'they may no more' },
  'draft': { is: 'a process that is no more left it behind', repair: 'it is removed' },
} as const satisfies Record<string, DamageKind>

export type DamageName = keyof typeof DAMAGE

export interface Damage {
  kind: DamageName
  /** What is damaged: a file's name, a project, a path. */
  name: string
  repaired: boolean
  /** More of it, one line. */
  detail?: string
}
