/** Colours of a terminal as HTML: ECMA-48 "SGR" as xterm reads it. Classes alone: a page with a strict policy shows no inline styles. */
import { cleanTerminal } from './clean.ts'
import { escapeHtml } from './render.ts'

/** How text looks from some place on. Colours are of the sixteen, 0 to 15. */
export interface Style {
  attributes: readonly Attribute[]
  fg: number | undefined
  bg: number | undefined
}

export type Attribute = (typeof ATTRIBUTES)[number]

export const PLAIN: Style = { attributes: [], fg: undefined, bg: undefined }

/** By their SGR number less one. Blinking is kept as nothing, and what asks to be concealed is only dimmed: a log hides nothing. */
const ATTRIBUTES = ['bold', 'dim', 'italic', 'underline', 'blink', 'rapid', 'inverse', 'conceal'] as const
const CLASSES: Partial<Record<Attribute, string>> = { bold: 'a-bold', dim: 'a-dim', conceal: 'a-dim', italic: 'a-italic', underline: 'a-underline' }
const ENDS: Record<number, Attribute[]> = { 22: ['bold', 'dim'], 23: ['italic'], 24: ['underline'], 25: ['blink', 'rapid'], 27: ['inverse'], 28: ['conceal'] }

/** xterm's sixteen. */
const PALETTE: readonly (readonly number[])[] = [
  [0, 0, 0], [205, 0, 0], [0, 205, 0], [205, 205, 0], [0, 0, 238], [205, 0, 205], [0, 205, 205], [229, 229, 229],
  [127, 127, 127], [255, 0, 0], [0, 255, 0], [255, 255, 0], [92, 92, 255], [255, 0, 255], [0, 255, 255], [255, 255, 255],
]

/** One line as HTML, its text escaped, and the style that the next line begins with. What is no colour or weight is dropped. */
export function ansiLine(line: string, style: Style): { html: string; style: Style } {
  // Most lines have none, and logs are long.
  if (!line.includes('\x1b')) return { html: span(escapeHtml(cleanTerminal(line)), style), style }
  const pieces = cleanTerminal(line).split(/\x1b\[([0-9;:]*)m/)
  let html = ''
  for (const [index, piece] of pieces.entries()) {
    if (index % 2 === 1) style = sgr(style, piece)
    else html += span(escapeHtml(piece), style)
  }
  return { html, style }
}

/** The style behind a line, without the work of showing it. */
export function styleAfter(line: string, style: Style): Style {
  // A log may have a hundred thousand lines of which a few are shown: what stands before the last reset does not matter.
  const reset = Math.max(line.lastIndexOf('\x1b[0m'), line.lastIndexOf('\x1b[m'))
  if (!line.includes('\x1b', reset + 1)) return reset < 0 ? style : PLAIN
  return [...line.slice(Math.max(0, reset)).matchAll(/\x1b\[([0-9;:]*)m/g)].reduce((after, [, codes = '']) => sgr(after, codes), style)
}

/** The style as the parameters that lead to it, for `parseStyle`: `1;31`; the empty string for plain text. */
export function styleCode({ attributes, fg, bg }: Style): string {
  const colour = (value: number | undefined, base: number): number[] => value === undefined ? [] : [value < 8 ? base + value : base + 52 + value]
  return [...attributes.map((name) => ATTRIBUTES.indexOf(name) + 1), ...colour(fg, 30), ...colour(bg, 40)].join(';')
}

/** The style that these parameters lead to; `code` may be anybody's text. */
export function parseStyle(code: string): Style {
  return code === '' ? PLAIN : sgr(PLAIN, code)
}

function span(html: string, { attributes, fg, bg }: Style): string {
  if (html === '') return ''
  const inverse = attributes.includes('inverse')
  const [front, back] = inverse ? [bg, fg] : [fg, bg]
  const names = [
    ...attributes.flatMap((name) => CLASSES[name] ?? []),
    ...inverse && (front === undefined || back === undefined) ? ['a-inverse'] : [],
    ...front === undefined ? [] : [`f${front}`],
    ...back === undefined ? [] : [`b${back}`],
  ]
  return names.length === 0 ? html : `<span class="${[...new Set(names)].join(' ')}">${html}</span>`
}

function sgr(style: Style, text: string): Style {
  // ISO 8613-6: `38:2::1:2:3` is one parameter with parts of its own; xterm takes `38;2;1;2;3` too.
  const parameters = text.slice(0, 200).split(';').map((parameter) => parameter.split(':').map((part) => part === '' ? undefined : Number(part)))
  let after = style
  for (let at = 0; at < parameters.length; at += 1) {
    const parameter = parameters[at] ?? []
    const code = parameter[0] ?? 0
    if (code === 38 || code === 48) {
      const parts = parameter.length > 1 ? parameter.slice(1) : parameters.slice(at + 1, at + 5).map(([first]) => first)
      const { colour, used } = extended(parts, parameter.length > 1)
      if (parameter.length === 1) at += used
      after = code === 38 ? { ...after, fg: colour ?? after.fg } : { ...after, bg: colour ?? after.bg }
    } else {
      after = simple(after, code, parameter[1])
    }
  }
  return after
}

function simple(style: Style, code: number, part: number | undefined): Style {
  const { attributes } = style
  const attribute = ATTRIBUTES[code - 1]
  if (code === 0) return PLAIN
  // `4:0` ends underlining; 21 underlines twice.
  if (code === 4 && part === 0) return without(style, ENDS[24] ?? [])
  if (code === 21) return simple(style, 4, undefined)
  if (attribute !== undefined) return attributes.includes(attribute) ? style : { ...style, attributes: [...attributes, attribute] }
  if (ENDS[code]) return without(style, ENDS[code])
  if (code >= 30 && code <= 37) return { ...style, fg: code - 30 }
  if (code === 39) return { ...style, fg: undefined }
  if (code >= 40 && code <= 47) return { ...style, bg: code - 40 }
  if (code === 49) return { ...style, bg: undefined }
  if (code >= 90 && code <= 97) return { ...style, fg: code - 82 }
  if (code >= 100 && code <= 107) return { ...style, bg: code - 92 }
  return style
}

function without(style: Style, ended: Attribute[]): Style {
  return { ...style, attributes: style.attributes.filter((name) => !ended.includes(name)) }
}

/** What follows 38 or 48: `5;n` or `2;r;g;b`; with colons a colour space may stand before r. `used`: parameters taken. */
function extended(parts: (number | undefined)[], colons: boolean): { colour: number | undefined; used: number } {
  if (parts[0] === 5) return { colour: of256(parts[1] ?? 0), used: 2 }
  if (parts[0] !== 2) return { colour: undefined, used: 1 }
  const [r = 0, g = 0, b = 0] = colons && parts.length > 4 ? parts.slice(2) : parts.slice(1)
  return { colour: nearest([r, g, b]), used: 4 }
}

function of256(index: number): number | undefined {
  if (index > 255) return undefined
  if (index < 16) return index
  if (index >= 232) return nearest(Array.from({ length: 3 }, () => 8 + (index - 232) * 10))
  const level = (step: number): number => step === 0 ? 0 : 55 + step * 40
  const cube = index - 16
  return nearest([level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6)])
}

function nearest(rgb: number[]): number {
  const distances = PALETTE.map((colour) => colour.reduce((sum, part, index) => sum + (part - Math.min(255, rgb[index] ?? 0)) ** 2, 0))
  return distances.indexOf(Math.min(...distances))
}
