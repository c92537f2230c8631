/** Recipes as people write them, in TOML and JSON alike. Every message says what is accepted. */
import { z } from 'zod'
import { APK_NAME } from '../domain/missing.ts'
import { isValidName, normalizeName } from '../domain/names.ts'
import { formatDuration, formatSize, parseDuration, parseSize } from '../domain/quantity.ts'
import type { Recipe, RecipeLayer, RecipeOrigin } from '../domain/recipe.ts'
import { patchRefusal, variableRefusal } from '../domain/recipe-checks.ts'
import { requirementLine } from '../domain/requirement-line.ts'
import { parseSpecifiers } from '../domain/specifier.ts'

const MOST = 200

/** A list whose entries bear `!` where they take one of earlier layers out. */
const united = (is: (entry: string) => boolean, accepted: string) => list(z.string().max(500).refine((entry) => is(entry.replace(/^!/, '')), { error: says(accepted) }))

const apks = united((name) => name.length <= 100 && APK_NAME.test(name), 'the name of an apk: small letters, digits and + . _ : -')
const requirement = 'a requirement of an index, such as "cython<3"; no URL and no option'
const amount = (parse: (text: string) => number | undefined, accepted: string) =>
  z.union([z.number(), z.string().max(40)], { error: says(accepted) }).refine((value) => within(parse(String(value))), { error: says(accepted) })

/** What a recipe says. */
const body = {
  apks: apks.optional().describe('Alpine\'s names of what is installed into the builder image first'),
  runtimeApks: apks.optional().describe('Apks that the image of the wheel\'s users must hold: libraries that it loads by itself'),
  env: z.record(z.string().superRefine(variable), z.string({ error: says('text') }).max(4000)).optional().describe('Variables for the commands that run the sdist\'s code'),
  configSettings: z.record(z.string().regex(/^[\w.-]{1,100}$/, { error: says('letters, digits and . _ -') }), z.union([z.string().max(4000), z.array(z.string().max(4000)).max(MOST)], { error: says('text, or a list of texts') }))
    .optional().describe('For the build backend (PEP 517 config_settings)'),
  constraints: united((text) => requirementLine(text) !== undefined, requirement).optional().describe('Requirement specifiers that build requirements are held to'),
  requires: list(z.string().refine((text) => requirementLine(text) !== undefined, { error: says(requirement) })).optional().describe('Build requirements instead of those that the sdist names'),
  patches: z.array(z.strictObject({
    name: z.string().regex(/^[\w.+-]{1,100}$/, { error: says('a file name of letters, digits and . _ + -') }),
    text: z.string().max(1 << 18).superRefine((text, context) => refuse(context, patchRefusal(text))),
  })).max(50).optional().describe('Unified diffs, applied to the unpacked sdist with -p1 in their order'),
  exclude: united((text) => /^[\w.+*-]{1,200}$/.test(text), 'the file name of a library, such as "libfoo.so.*"').optional().describe('Libraries that repair leaves out of the wheel'),
  check: z.string({ error: says('Python code') }).max(20_000).optional().describe('Python code that must run on the clean image, beyond the imports'),
  limits: z.strictObject({
    cpu: amount((text) => /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined, 'a number above 0, such as 1.5').optional(),
    memory: amount(parseSize, 'a size such as "512m" or "2g"').optional(),
    disk: amount(parseSize, 'a size such as "512m" or "2g"').optional(),
    time: amount(parseDuration, 'a duration such as "90s", "30m" or "2h"').optional(),
  }).optional().describe('Instead of the settings\' limits'),
  network: z.boolean({ error: says('true or false') }).optional().describe('The sdist\'s code may use the network while it builds: an admin\'s choice, shown on page and record'),
  expected: z.enum(['native', 'pure'], { error: says('"native" or "pure"') }).optional().describe('What comes out, whatever the reading of the sdist expects'),
  skip: z.string({ error: says('the reason, as text') }).max(500).optional().describe('Why it is not built at all; empty: it is, whatever an earlier layer says'),
}

/** Which releases it is for. */
const head = {
  versions: z.string().max(500).refine((text) => (parseSpecifiers(text)?.length ?? 0) > 0, { error: says('a version specifier, such as ">=2,<3"') }).optional().describe('The releases that it is for, as a version specifier (PEP 440), prereleases included; default: all'),
  targets: z.array(z.string().regex(/^[a-z0-9_*-]{1,100}$/, { error: says('a target\'s name, in which * stands for any characters: "*_aarch64"') })).min(1).max(MOST).optional().describe('The targets that it is for; * stands for any characters; default: all'),
  note: z.string({ error: says('text') }).max(2000).optional().describe('For people: where it comes from, why it is so'),
}

const project = z.string().max(200).refine(isValidName, { error: says('a project\'s name') }).describe('Whose it is')

/** One recipe, of a project that is known from elsewhere. */
export const RecipeTable = z.strictObject({ project: project.optional(), ...head, ...body })
export type RecipeTable = z.infer<typeof RecipeTable>

export const RecipeInput = z.strictObject({ project, ...head, ...body }).meta({ id: 'Recipe' })
export type RecipeInput = z.infer<typeof RecipeInput>

/** The recipe behind what somebody wrote. */
export function layerOf({ project: name, versions, targets, note, limits, ...said }: RecipeInput, origin: RecipeOrigin): RecipeLayer {
  const read = limits && {
    cpu: limits.cpu === undefined ? undefined : Number(limits.cpu),
    memory: limits.memory === undefined ? undefined : parseSize(String(limits.memory)),
    disk: limits.disk === undefined ? undefined : parseSize(String(limits.disk)),
    time: limits.time === undefined ? undefined : parseDuration(String(limits.time)),
  }
  return { project: normalizeName(name), versions, targets, origin, recipe: given<Partial<Recipe>>({ ...said, limits: read && given(read) }), note }
}

/** What somebody would write to get this recipe. */
export function inputOf({ project: name, versions, targets, recipe, note }: Omit<RecipeLayer, 'origin'>): RecipeInput {
  const { limits, ...rest } = recipe
  const written = limits && given({
    cpu: limits.cpu,
    memory: limits.memory === undefined ? undefined : formatSize(limits.memory),
    disk: limits.disk === undefined ? undefined : formatSize(limits.disk),
    time: limits.time === undefined ? undefined : formatDuration(limits.time),
  })
  return given<RecipeInput>({ project: name, versions, targets, note, ...rest, limits: written })
}

function list<Entry extends z.ZodType>(entry: Entry) {
  return z.array(entry, { error: says('a list of texts') }).max(MOST)
}

function says(accepted: string): string {
  return `accepted: ${accepted}`
}

function within(value: number | undefined): boolean {
  return value !== undefined && value > 0 && value < 2 ** 50
}

function variable(name: string, context: z.RefinementCtx): void {
  refuse(context, variableRefusal(name))
}

function refuse(context: z.RefinementCtx, message: string | undefined): void {
  if (message !== undefined) context.addIssue({ code: 'custom', message })
}

/** Without what is undefined. */
function given<T extends object>(value: { [Key in keyof T]?: T[Key] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T
}
