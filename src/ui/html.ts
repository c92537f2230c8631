import { escapeHtml } from '../domain/render.ts'

const TEXT = Symbol('html')

/** Text that is HTML already: made by `html` and `raw` alone, since nothing that comes from outside bears this symbol. */
export interface Html { readonly [TEXT]: string }

/** What may stand in a page: strings and numbers are escaped, lists are joined, and nothing is written for what is not there. */
export type Content = Html | string | number | false | null | undefined | readonly Content[]

/** A template whose values are escaped, between tags and in quoted attributes, unless `html` made them. */
export function html(parts: TemplateStringsArray, ...values: Content[]): Html {
  return raw(parts.reduce((text, part, index) => text + written(values[index - 1]) + part))
}

/** Takes a text as it is. For our own constants and for what was escaped by its maker: never for a value from outside. */
export function raw(text: string): Html {
  return { [TEXT]: text }
}

/** The finished text. */
export function textOf(content: Html): string {
  return content[TEXT]
}

function written(value: Content): string {
  if (value === undefined || value === null || value === false) return ''
  if (typeof value === 'string') return escapeHtml(value)
  if (typeof value === 'number') return String(value)
  return TEXT in value ? value[TEXT] : value.map(written).join('')
}
