/** Which apks a dry run of apk would install. */
import { bringsPython } from '../../domain/apk-find.ts'
import { apkFilename, bareName, provides, type ApkEntry } from '../../domain/apk-index.ts'
import type { ApkIndexFile } from '../../services/ports.ts'

/** An apk that will be installed, and the repositories that list it. */
export interface PlannedApk { entry: ApkEntry; paths: string[] }

const CHANGE = /^\(\s*\d+\/\d+\) (?:Installing|Upgrading|Downgrading|Replacing|Reinstalling) ([A-Za-z0-9][\w+.:-]*)(?:@\S+)? \((?:\S+ -> )?(\d[\w+.~-]*)\)$/gm

/**
 * The changes that `apk add --simulate` tells, by name. Undefined where one of them is in none of these indexes: apk has read others,
 * newer ones.
 */
export function plannedApks(text: string, indexes: ApkIndexFile[]): PlannedApk[] | undefined {
  const planned: PlannedApk[] = []
  for (const [, name = '', version = ''] of text.matchAll(CHANGE)) {
    const listed = indexes.flatMap(({ path, entries }) => {
      const entry = entries.find((one) => one.name === name && one.version === version)
      return entry ? [{ path, entry }] : []
    })
    if (!listed[0]) return undefined
    planned.push({ entry: listed[0].entry, paths: listed.map(({ path }) => path) })
  }
  return planned.sort((a, b) => apkFilename(a.entry) < apkFilename(b.entry) ? -1 : 1)
}

/** What would put another Python beside the image's own, in words; undefined where nothing does. */
export function secondPython(planned: PlannedApk[]): string | undefined {
  const entries = planned.map(({ entry }) => entry)
  const second = entries.find(bringsPython)
  if (!second) return undefined
  const by = entries.find((entry) => !bringsPython(entry) && entry.depends.some((one) => provides(second, bareName(one))))
  return `the apk ${second.name}${by ? `, which ${by.name} requires` : ''}: the image's own Python must stay the only one`
}
