/** Locks with our hashes, as people and programs are shown them. */
import { z } from 'zod'
import { LOCK_KINDS } from '../domain/lock/pin.ts'
import { PlanLine } from './views.ts'

/** What a lock says of one pinned release on one target, and what was added to it. */
export const LockLine = PlanLine.pick({ project: true, version: true, target: true, file: true, line: true, filename: true, estimateSeconds: true, why: true, remedy: true, job: true }).extend({
  state: z.enum(['added', 'listed', 'to-build', 'cannot', 'not-needed']).describe('added: its hash was missing; to-build: it is not built yet; not-needed: the upstream has a wheel that the lock takes, or the lock takes any file. Where added and listed have a why, it names what kept the hash from another place of the lock'),
  sha256: z.string().nullable().describe('Of the wheel of ours that was added or is listed'),
}).meta({ id: 'LockLine' })
export type LockLine = z.infer<typeof LockLine>

export const LockHashes = z.object({
  targets: z.array(z.string()),
  files: z.array(z.object({
    name: z.string(), kind: z.enum(LOCK_KINDS),
    added: z.number().int().describe('Wheels whose hashes were added'),
    roots: z.array(z.string()).describe('The servers under which the URLs that were added are; empty where the format has no URLs'),
    note: z.string().nullable().describe('Why nothing can be added to this file, where it has no hashes at all'),
    text: z.string().describe('The file with the hashes of our wheels; every byte that was there is as it was'),
  })),
  lines: z.array(LockLine),
}).meta({ id: 'LockHashes' })
export type LockHashes = z.infer<typeof LockHashes>
