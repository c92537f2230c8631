/** Command lines that people copy. */

/** The words as a POSIX shell reads them again; those that need it are quoted. */
export function commandLine(words: string[]): string {
  return words.map((word) => /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll('\'', '\'\\\'\'')}'`).join(' ')
}

/** `muslin lock-hashes` for these files, with the flags that make it plan as it was asked. */
export function lockHashesLine(files: string[], { targets = [], extras = [], groups = [] }: { targets?: string[] | undefined; extras?: string[] | undefined; groups?: string[] | undefined }): string {
  const flags = [['--target', targets], ['--extra', extras], ['--group', groups]] as const
  return commandLine([
    'muslin', 'lock-hashes', ...flags.flatMap(([flag, values]) => values.flatMap((value) => value.startsWith('-') ? `${flag}=${value}` : [flag, value])),
    // A name that begins with a dash would be a flag.
    ...files.map((file) => file.startsWith('-') ? `./${file}` : file),
  ])
}
