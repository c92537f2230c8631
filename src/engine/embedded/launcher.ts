/** What starts every box: a program of ours, run by a CPython of the machine, since Node can neither close what it inherited nor filter system calls. */
import { EMBEDDED, type Interpreter } from './interpreters.ts'

/** The CPython that does it: the newest whole one, or the newest. Undefined where there is none. */
export function launcherOf(interpreters: Interpreter[]): string | undefined {
  const [newest] = interpreters.toSorted((a, b) => Number(b.complete) - Number(a.complete) || b.version.localeCompare(a.version, 'en', { numeric: true }))
  return newest?.executable
}

/** Put before a program: it starts with no file but the standard three, no key, and a filter on its system calls, and ends with this process. */
export function launched(python: string): string[] {
  // Neither the environment nor what is installed beside it decides what it runs.
  return [python, '-I', '-S', '-E', `${EMBEDDED}launch.py`, String(process.pid)]
}
