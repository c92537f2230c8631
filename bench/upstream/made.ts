/** Projects that nobody published, beside the recorded ones or in place of them. */
import { GIB, MIB } from '../lib/figures.ts'
import type { MadeUp } from '../../test/recording/replay.ts'

/** A cold file can be had once only, so there are some. */
export const BIG = { project: 'made-big', files: 40, size: 20 * MIB }
export const HUGE = { project: 'made-huge', files: 1, size: GIB }
/** As many projects as a company has cached. */
export const MANY = Array.from({ length: 1000 }, (_, index) => `made-many-${index + 1}`)

const SMALL = 11_050
const FILES_OF: [project: string, files: number][] = [['six', 40], ['numpy', 4400], ['boto3', 4300]]
export const MADE_MIX = Array.from({ length: 50 }, (_, index) => `made-mix-${index + 1}`)

/** Beside every recording. */
export function madeProjects(): MadeUp[] {
  return [...files(BIG.project, BIG.files, BIG.size), ...files(HUGE.project, HUGE.files, HUGE.size), ...MANY.flatMap((project) => files(project, 12, 1000))]
}

/** As many projects and files as a recording would have of those that are asked for. */
export function standIns(): MadeUp[] {
  return [...FILES_OF.flatMap(([project, count]) => files(project, count, SMALL)), ...MADE_MIX.flatMap((project, index) => files(project, Math.round(5 * 1.12 ** index), 1000))]
}

function files(project: string, count: number, size: number): MadeUp[] {
  return Array.from({ length: count }, (_, index) => ({ project, filename: `${project.replaceAll('-', '_')}-${index + 1}.0-py3-none-any.whl`, size }))
}
