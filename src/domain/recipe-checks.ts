/** What may stand in a recipe. Each says what is wrong, to follow the value in a sentence; undefined where nothing is. */

/**
 * Variables of the run itself: which programs run, what they load, where they write, what they may ask. A recipe with one of these would
 * not change the build but the box that it runs in.
 */
const OURS = /^(?:PATH|HOME|TMPDIR|TMP|TEMP|IFS|ENV|SHELL|SHELLOPTS|BASHOPTS|BASH_ENV|CDPATH|VIRTUAL_ENV|SOURCE_DATE_EPOCH|CARGO_HOME|CARGO_NET_OFFLINE|RUSTC_WRAPPER|MATURIN_NO_INSTALL_RUST|(?:LD|PIP|GIT|SSL|MUSLIN)_.*|PYTHON.*|BASH.*)$/

export const REFUSED_VARIABLES = 'PATH, HOME, TMPDIR, TMP, TEMP, SHELL, ENV, IFS, VIRTUAL_ENV, SOURCE_DATE_EPOCH, CARGO_HOME, CARGO_NET_OFFLINE, RUSTC_WRAPPER, MATURIN_NO_INSTALL_RUST, and all that begin with LD_, PIP_, PYTHON, BASH, GIT_, SSL_ or MUSLIN_'

export function variableRefusal(name: string): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,99}$/.test(name)) return 'is no name of a variable; accepted: letters, digits and _, not beginning with a digit'
  return OURS.test(name) ? `belongs to the sandbox; refused are ${REFUSED_VARIABLES}` : undefined
}

/**
 * A unified diff is applied with -p1 inside the unpacked sdist: every file that it names must lie in there. What GNU patch and git know
 * besides (renames, copies, modes of links, binary) is not taken.
 */
export function patchRefusal(text: string): string | undefined {
  const lines = text.split('\n')
  if (!lines.some((line) => /^@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@/.test(line))) return 'is no unified diff: it has no hunk that begins with @@ -1,3 +1,4 @@'
  const odd = lines.find((line) => /^(?:rename|copy) (?:from|to) |^GIT binary patch|^new file mode 12|^old mode 12|^Index: |^Prereq: /.test(line))
  if (odd !== undefined) return `holds "${odd.slice(0, 60)}"; accepted: plain unified diffs`
  const named = headers(lines)
  if (named.length === 0) return 'names no file; accepted: --- a/FILE and +++ b/FILE before the hunks'
  const strange = named.find((path) => path !== '/dev/null' && !isInside(path))
  return strange === undefined ? undefined : `names ${strange.slice(0, 60)}; accepted: a/ and b/ before paths inside the sdist`
}

/** The files of the headers. Inside a hunk such lines are its content, of which the hunk says how many there are. */
function headers(lines: string[]): string[] {
  const found: string[] = []
  let [old, anew] = [0, 0]
  for (const line of lines) {
    const hunk = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/.exec(line)
    if (hunk) [old, anew] = [Number(hunk[1] ?? 1), Number(hunk[2] ?? 1)]
    else if (old > 0 || anew > 0) {
      if (!line.startsWith('+') && !line.startsWith('\\')) old--
      if (!line.startsWith('-') && !line.startsWith('\\')) anew--
    } else {
      const [, path] = /^(?:---|\+\+\+|\*\*\*) ([^\t\r]*)/.exec(line) ?? []
      if (path !== undefined) found.push(path.trim())
    }
  }
  return found
}

function isInside(path: string): boolean {
  const [prefix, ...parts] = path.split('/')
  return (prefix === 'a' || prefix === 'b') && parts.length > 0 && /^[\x21-\x7e ]+$/.test(path) && !/["\\]/.test(path)
    && parts.every((part) => part !== '' && part !== '.' && part !== '..')
}
