/** Requirements as an sdist words them: hostile text that is to become a line of pip's requirements file. */

const NAME = '[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?'
const CLAUSE = '(?:===|==|~=|!=|<=|>=|<|>) *[A-Za-z0-9_.*+!-]+'
const CLAUSES = `${CLAUSE}(?: *, *${CLAUSE})* *,?`
const MARKER = '[A-Za-z0-9_. \'"<>=!~()+*,-]*'
const LINE = new RegExp(`^${NAME} *(?:\\[[A-Za-z0-9._, -]*\\])? *(?:\\( *(?:${CLAUSES})? *\\)|${CLAUSES})? *(?:;${MARKER})?$`)

/**
 * One requirement of PEP 508 as one line that pip can read as nothing else; undefined for everything that is none, for
 * direct references (`name @ URL`: nothing but the index is fetched from), and for what pip would take for an option.
 */
export function requirementLine(text: string): string | undefined {
  const line = text.slice(0, 2001).trim().replaceAll(/\s+/g, ' ')
  if (line.length > 2000 || !LINE.test(line)) return undefined
  // pip cuts a line at the first word that begins with a dash and reads the rest as options.
  return / -/.test(line) ? undefined : line
}

/** The project that a requirement names, as it names it; the beginning of the text where it names none. */
export function requirementName(text: string): string {
  const start = text.trim().slice(0, 100)
  return new RegExp(`^${NAME}`).exec(start)?.[0] ?? start
}
