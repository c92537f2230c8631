/** `targets`, `plan` and `steps` are JSON. */
export default `
-- SQLite changes a CHECK by no other way than a new table. The numbers of jobs are public too: the counter goes along.
CREATE TABLE new_jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('metadata', 'build', 'trial')),
  project TEXT NOT NULL,
  version TEXT NOT NULL,
  sdist TEXT NOT NULL,
  sdist_filename TEXT NOT NULL,
  target TEXT NOT NULL,
  recipe TEXT NOT NULL,
  image TEXT NOT NULL,
  asked_by TEXT NOT NULL,
  priority INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'built', 'failed', 'cancelled')),
  attempts INTEGER NOT NULL DEFAULT 0,
  worker TEXT,
  lease_until INTEGER,
  step TEXT,
  build INTEGER REFERENCES builds (id),
  failure TEXT,
  remembered INTEGER NOT NULL DEFAULT 0,
  retry_at INTEGER,
  metadata_changed INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER,
  UNIQUE (kind, sdist, target, recipe, image)
) STRICT;
INSERT INTO sqlite_sequence (name, seq) SELECT 'new_jobs', seq FROM sqlite_sequence WHERE name = 'jobs';
INSERT INTO new_jobs
SELECT id, kind, project, version, sdist, sdist_filename, target, recipe, image, asked_by, priority, state, attempts, worker, lease_until, step,
  build, failure, remembered, retry_at, metadata_changed, created_at, started_at, finished_at FROM jobs;
DROP TABLE jobs;
ALTER TABLE new_jobs RENAME TO jobs;
-- One time more than before: who is how far in the queue is counted by the index alone.
CREATE INDEX jobs_by_state ON jobs (state, kind, priority, created_at);
CREATE INDEX jobs_by_project ON jobs (project);
CREATE INDEX jobs_by_client ON jobs (asked_by, created_at);

-- The steps that began: [{"step": "fetch", "startedAt": 1700000000000}, ...].
ALTER TABLE builds ADD COLUMN steps TEXT NOT NULL DEFAULT '[]';

-- Plans that somebody had built.
CREATE TABLE prebuilds (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  created_at INTEGER NOT NULL,
  asked_by TEXT NOT NULL,
  name TEXT NOT NULL,
  targets TEXT NOT NULL
) STRICT;

CREATE TABLE prebuild_lines (
  prebuild INTEGER NOT NULL REFERENCES prebuilds (id),
  number INTEGER NOT NULL,
  plan TEXT NOT NULL,
  job INTEGER REFERENCES jobs (id),
  left_out INTEGER NOT NULL,
  PRIMARY KEY (prebuild, number)
) STRICT, WITHOUT ROWID;

-- Of a browser's cookie only the digest is kept, and of the token that it was opened by: a session ends with that.
CREATE TABLE sessions (
  id_sha256 TEXT PRIMARY KEY,
  token_sha256 TEXT NOT NULL,
  csrf TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_end ON sessions (expires_at);

-- What installers were served in all: one row.
CREATE TABLE download_totals (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  files INTEGER NOT NULL,
  wheels INTEGER NOT NULL,
  saved_ms INTEGER NOT NULL
) STRICT;
INSERT INTO download_totals VALUES (1, 0, 0, 0);

-- When a client's download of a wheel that we built was counted last.
CREATE TABLE counted_downloads (
  sha256 TEXT NOT NULL,
  filename TEXT NOT NULL,
  client TEXT NOT NULL,
  counted_at INTEGER NOT NULL,
  PRIMARY KEY (sha256, filename, client)
) STRICT, WITHOUT ROWID;
CREATE INDEX counted_downloads_by_time ON counted_downloads (counted_at);
`
