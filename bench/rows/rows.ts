import { bareNode } from './bare.ts'
import { muslin, muslinNginx } from './muslin.ts'
import { nginxCache, nginxStatic } from './nginx.ts'
import { direct, nora } from './others.ts'
import { devpi, proxpi, pypiserver, simpleRepository } from './python.ts'
import type { Row } from './row.ts'

/** In the order of the tables. The limit stands beside Muslin, so that they are measured within seconds of each other. */
export const ROWS: readonly Row[] = [muslin, nginxStatic, bareNode, muslinNginx, nginxCache, devpi, proxpi, simpleRepository, pypiserver, nora, direct]

export function rowsByName(names: string[]): Row[] {
  const unknown = names.filter((name) => !ROWS.some((row) => row.name === name))
  if (unknown.length > 0) throw new Error(`there is no row ${unknown.join(', ')}; there are ${ROWS.map((row) => row.name).join(', ')}`)
  return ROWS.filter((row) => names.includes(row.name))
}
