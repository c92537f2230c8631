import { z } from 'zod'
import { encodeText, TEXT_FORMS } from '../domain/decode.ts'
import { MuslinError } from '../errors.ts'
import { LockText, PlanRequest, type PrebuildRequest } from '../services/views.ts'
import type { Form } from './read-form.ts'

/** File names tell a lock's format; a pasted text has none. */
export const KINDS = ['auto', 'requirements.txt', 'pylock.toml', 'uv.lock', 'poetry.lock', 'pdm.lock', 'Pipfile.lock'] as const

/** A file as it was sent; its bytes were of this form. */
const SentFile = LockText.extend({ form: z.enum(TEXT_FORMS).default('utf-8') })

/** What the form on /ui/prebuild holds, to be shown again as it was sent. */
export const PlanForm = z.strictObject({
  text: z.string(),
  /** The name that the pasted text is given, or `auto`. */
  kind: z.enum(KINDS),
  /** Files that were sent with it. */
  files: z.array(SentFile),
  /** Empty: those that the planner takes by default. */
  targets: z.array(z.string()),
  extras: z.string(),
  groups: z.string(),
})
export type PlanForm = z.infer<typeof PlanForm>

/** A name that tells no format: then the content does. */
export const PASTED = 'pasted text'

export const EMPTY: PlanForm = { text: '', kind: 'auto', files: [], targets: [], extras: '', groups: '' }

/** The form as it came. Files that an earlier try brought come back in `kept`: no page can fill a browser's file input. */
export function planForm(form: Form): PlanForm {
  return {
    text: form.value('text') ?? '',
    kind: KINDS.find((kind) => kind === form.value('kind')) ?? 'auto',
    files: [...form.values('kept').map((kept) => parsed(SentFile, kept)), ...form.files.map(({ name, text, form }) => ({ name, text, form }))],
    targets: form.values('target'),
    extras: form.value('extras') ?? '',
    groups: form.value('groups') ?? '',
  }
}

/** What is to be planned; throws `bad-request` where the form is empty. */
export function planRequest({ text, kind, files, targets, extras, groups }: PlanForm): PlanRequest {
  const pasted = text.trim() === '' ? [] : [{ name: kind === 'auto' ? PASTED : kind, text }]
  if (pasted.length + files.length === 0) throw new MuslinError('bad-request', 'there is nothing to plan yet: paste a requirements file or a lock file, or choose one')
  const names = (list: string): string[] => list.split(/[\s,]+/).filter((name) => name !== '')
  const request = {
    files: [...pasted, ...files.map(({ form: _, ...file }) => file)],
    ...targets.length > 0 && { targets },
    ...names(extras).length > 0 && { extras: names(extras) },
    ...names(groups).length > 0 && { groups: names(groups) },
  }
  return checked(PlanRequest, request)
}

/** A file of the request with another text, in the bytes of the one that was sent. */
export function bytesOf({ text: pasted, files }: PlanForm, index: number, text: string): Uint8Array {
  const sent = files[pasted.trim() === '' ? index : index - 1]
  return encodeText(text, sent?.form ?? 'utf-8')
}

/** A line of a plan, as its checkbox names it. */
export function lineKey({ project, version, target }: { project: string; version: string; target: string }): string {
  return `${project}|${version}|${target}`
}

/** The form that made the plan, as the plan's page carried it, and the lines that were checked there. */
export function carried(form: Form): { planForm: PlanForm; only: NonNullable<PrebuildRequest['only']> } {
  const only = form.values('only').map((line) => {
    const [project, version, target] = line.split('|')
    if (!project || !version || !target) throw incomplete()
    return { project, version, target }
  })
  return { planForm: parsed(PlanForm, form.value('form') ?? ''), only }
}

function parsed<T>(schema: z.ZodType<T>, text: string): T {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw incomplete(error)
  }
  return checked(schema, value)
}

function checked<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new MuslinError('bad-request', `${issue?.path.join('.') ?? 'the form'}: ${issue?.message ?? 'is malformed'}`)
}

function incomplete(cause?: unknown): MuslinError {
  return new MuslinError('bad-request', 'the form came incomplete; make the plan again', { cause })
}
