/** What is run inside a run, whatever keeps it there: the shell around each command says how it ended. Pure. */

/**
 * Said last, on standard error. The exit code of whatever starts the command is no proof: docker's client of version 28 exits with 0 when
 * it is told to stop while its command goes on, and 137 may mean the command or the whole container.
 */
const REPORT = 'code=$?; echo "muslin-exit $code" >&2; exit $code'

/** The exit code that the shell around a command reported; undefined where it could not. */
export function reportedExit(stderr: string): number | undefined {
  const code = /(?:^|\n)muslin-exit (\d{1,3})\n$/.exec(stderr)?.[1]
  return code === undefined ? undefined : Number(code)
}

/** Runs a command. Its standard error joins its standard output inside, so that the order of arrival is kept. */
export function reporting(command: string[]): string[] {
  return ['sh', '-c', `(exec "$@") 2>&1; ${REPORT}`, 'sh', ...command]
}

/** Unpacks standard input in a folder. It is read to its end whatever becomes of that: podman loses the output of what leaves some of it. */
export function unpacking(folder: string): string[] {
  return ['sh', '-c', `tar -x -p -o -f - -C "$1"; (code=$?; cat > /dev/null; exit $code); ${REPORT}`, 'sh', folder]
}

/** Packs entries of a folder onto standard output. */
export function packing(folder: string, names: string[]): string[] {
  return ['sh', '-c', `tar -c -f - -C "$@"; ${REPORT}`, 'sh', folder, '--', ...names]
}
