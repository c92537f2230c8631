import { DAMAGE } from '../src/services/damage.ts'

/** `docs/storage.md`. */
export function storagePage(made: string): string {
  return `# Storage

${made}

Everything that survives lies in the data folder: \`muslin.db\` (SQLite), \`blobs/\` (bytes under their sha256), \`logs/\` (a log for each build), \`admin-token\`. \`scratch/\` and \`blobs/drafts/\` hold what is
in work, and \`blobs/set-aside/\` what \`fsck --repair\` took away: look at it, then delete it. The commands here work on the folder that \`--data\` names, where a server is at work on it too, unless it says otherwise.

## How large it gets

By default nothing that was seen is lost. With \`cacheSize\` (\`--cache-size 50g\`) files of the upstream go once they take more than that, those first that were not used for longest, until a tenth of it is free; each is
fetched again when somebody asks for it. Who reads a file meanwhile reads it to its end. It may be exceeded for some seconds, since uses are noted every two.

Only what the upstream will give again may go. These stay, and count for nothing: wheels that were built here and what they were built from, what a build's record names, sdists that a queued job waits for, METADATA, pages, the list of projects, kept
apks, crates and provenances, files that no page of the upstream lists any more, and, after the setting \`upstream\` was changed, files of projects whose page was not asked for since. While the upstream is away,
or \`offline\` is set, what went is not to be had: with a limit, "everything that was seen" is everything that was seen lately (under \`offline\` nothing more goes).

\`muslin gc\` removes blobs that nothing refers to and that are an hour old, drafts of processes that are no more, logs of builds that are not recorded, and keeps \`cacheSize\`; \`--dry-run\` only tells. A running server does it
itself (\`POST /api/v1/gc\`, by the admin's token), else the command does.

## Is it right?

\`muslin fsck\` reads every blob and compares it with its digest, looks for every blob that the database refers to, has SQLite check its database, compares the METADATA of wheels built here with those in
them, and names what lies there besides. It changes nothing, and ends with 0 where all is right and with 2 where damage is left. \`muslin fsck --repair\` mends it: from then on no damaged byte is served. What a running server holds in
memory it has read before: restart it where a wheel or a file was damaged.

| Damage | Is | \`--repair\` |
|---|---|---|
${Object.entries(DAMAGE).map(([kind, { is, repair }]) => `| \`${kind}\` | ${is} | ${repair ?? 'nothing, and nothing else is changed: restore a backup'} |`).join('\n')}

A wheel that is built again has the same name, and mostly the same bytes: a build with the same inputs gives the same. Where it has others, locks that hold its old hash must be made again.

## Backup

\`muslin backup FILE\` writes one archive of the folder as it is at this moment, while servers serve and build: first the database, copied by one statement, then every blob that this copy refers to, the logs, and the admin's token. What is published
meanwhile is in the next one. \`FILE\` ends in \`.tar.zst\` or \`.tar\`; \`-\` is standard output. \`--no-cache\` leaves the upstream's files out, which are fetched again when they are asked for. A blob that is not there, because it was
evicted meanwhile or is lost, is named and left out. Settings are not in it; secrets are: keep it as you keep the folder. It takes as much free space in the data folder as the database has.

\`muslin restore FILE\` makes a data folder of it. Every blob is checked against its digest as it passes; nothing is put in its place before the whole was found right, and an archive that is cut off, changed or none at all is refused. The folder must be empty: \`--force\` moves what is there beside it (\`data.replaced-1\`), and a
folder that is a volume of its own keeps it inside (\`before-restore.replaced-1\`).

No server or worker may be at work on the folder that is restored into: it is refused. To restore while a server runs, restore into another folder (\`--data\`), then stop the server and start it on that one; it need not be stopped for longer than a restart takes.
`
}
