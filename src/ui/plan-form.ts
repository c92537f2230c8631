import { z } from 'zod'
import { MuslinError } from '../errors.ts'
import { LockText, PlanRequest, PrebuildRequest } from '../services/views.ts'
import type { Form } from './read-form.ts'

/** What the form on /ui/prebuild holds, to be shown again as it was sent. */
export interface PlanForm {
  text: string
  /** The name that the pasted text is given, or `auto`. */
  kind: Kind
  /** Files that were sent with it. */
  files: PlanRequest['files']
  /** Undefined: none was chosen. */
  targets: string[] | undefined
  extras: string
  groups: string
}

/** File names tell a lock's format; a pasted text has none. */
export const KINDS = ['auto', 'requirements.txt', 'pylock.toml', 'uv.lock', 'poetry.lock'] as const
export type Kind = (typeof KINDS)[number]

export const EMPTY: PlanForm = { text: '', kind: 'auto', files: [], targets: undefined, extras: '', groups: '' }

/** The form as it came. Files that an earlier try brought come back in `kept`: no page can fill a browser's file input. */
export function planForm(form: Form): PlanForm {
  const targets = form.values('target')
  return {
    text: form.value('text') ?? '',
    kind: KINDS.find((kind) => kind === form.value('kind')) ?? 'auto',
    files: [...form.values('kept').map((kept) => parsed(LockText, kept)), ...form.files.map(({ name, text }) => ({ name, text }))],
    targets: targets.length > 0 ? targets : undefined,
    extras: form.value('extras') ?? '',
    groups: form.value('groups') ?? '',
  }
}

/** What is to be planned; throws `bad-request` where the form is empty. */
export function planRequest({ text, kind, files, targets, extras, groups }: PlanForm): PlanRequest {
  const pasted = text.trim() === '' ? [] : [{ name: kind === 'auto' ? guessName(text) : kind, text }]
  if (pasted.length + files.length === 0) throw new MuslinError('bad-request', 'there is nothing to plan yet: paste a requirements file or a lock file, or choose one')
  const names = (list: string): string[] => list.split(/[\s,]+/).filter((name) => name !== '')
  const request = {
    files: [...pasted, ...files],
    ...targets && { targets },
    ...names(extras).length > 0 && { extras: names(extras) },
    ...names(groups).length > 0 && { groups: names(groups) },
  }
  return checked(PlanRequest, request)
}

/** The file name by whose format a pasted text reads like one; requirements where nothing else fits. */
export function guessName(text: string): Exclude<Kind, 'auto'> {
  if (/^lock-version\s*=/m.test(text) && /^\[\[packages\]\]/m.test(text)) return 'pylock.toml'
  if (!/^\[\[package\]\]/m.test(text)) return 'requirements.txt'
  return /^content-hash\s*=/m.test(text) ? 'poetry.lock' : 'uv.lock'
}

/** A plan's request travels in its page: nothing is kept here until something is built. */
export function hiddenRequest(request: PlanRequest): string { return JSON.stringify(request) }

/** What is to be built: the request that the plan's page carried, and the lines that were left checked. */
export function prebuildRequest(form: Form): PrebuildRequest {
  const request = parsed(PlanRequest, form.value('request') ?? '')
  const only = form.values('only').map((line) => {
    const [project = '', version = '', target = ''] = line.split('|')
    return { project, version, target }
  })
  return checked(PrebuildRequest, { ...request, only })
}

function parsed<T>(schema: z.ZodType<T>, text: string): T {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new MuslinError('bad-request', 'the form came incomplete; make the plan again', { cause: error })
  }
  return checked(schema, value)
}

function checked<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new MuslinError('bad-request', `${issue?.path.join('.') ?? 'the form'}: ${issue?.message ?? 'is malformed'}`)
}
