/** JSON that is written again as it was read. */

/**
 * As `JSON.parse`, but a number that JavaScript would write in other digits (an integer beyond 2^53, `1e400`, `1.0`, `-0`) becomes what
 * `JSON.stringify` writes as it stood (ECMA-262 `JSON.rawJSON`): an object, which is no number to whoever looks. Of equal keys the last
 * one counts, as for every client (RFC 8259 section 4). Throws SyntaxError.
 */
export function readJson(text: string): unknown {
  // Asking at each value takes several times as long as parsing, and hardly a page holds such a number.
  const plain = /^\s*[{[]/.test(text) && !UNUSUAL.test(text)
  return plain ? JSON.parse(text) : JSON.parse(text, kept as (key: string, value: unknown) => unknown)
}

/**
 * What may be such a number among the values of objects and arrays; text inside a string that looks like one only costs the time. Any text
 * takes a time that grows with its length alone: whether the digits are unusual is looked at ahead, so that no two parts can share them.
 */
const UNUSUAL = /[ \t\n\r:,[](?=-?(?:(?<=-)0|[0-9]{16}|[0-9]+(?:\.[0-9]|[eE])))[-+.0-9eE]+[ \t\n\r]*(?:[\]}]|,[ \t\n\r]*[-0-9"{[tfn])/

function kept(_key: string, value: unknown, { source }: { source?: string }): unknown {
  return typeof value === 'number' && source !== undefined && String(value) !== source ? rawJson(source) : value
}

/** In Node since version 22, and unknown to TypeScript's libraries. */
const { rawJSON: rawJson } = JSON as unknown as { rawJSON(text: string): unknown }
