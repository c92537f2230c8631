/** `targets`, `recipe`, `evidence` and `system` are JSON. */
export default `
-- Recipes of this site: set by a person ('site'), or learnt from builds.
CREATE TABLE recipes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  project TEXT NOT NULL,
  origin TEXT NOT NULL CHECK (origin IN ('learnt', 'site')),
  versions TEXT,
  targets TEXT,
  recipe TEXT NOT NULL,
  note TEXT,
  evidence TEXT,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX recipes_by_project ON recipes (project);

-- SQLite changes a CHECK by no other way than a new table. waited: how often it gave way to what it needs, since it was queued.
-- passed_at: since when smaller ones go before it, for want of memory.
CREATE TABLE new_jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('metadata', 'build', 'trial', 'rebuild')),
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
  waited INTEGER NOT NULL DEFAULT 0,
  passed_at INTEGER,
  UNIQUE (kind, sdist, target, recipe, image)
) STRICT;
INSERT INTO sqlite_sequence (name, seq) SELECT 'new_jobs', seq FROM sqlite_sequence WHERE name = 'jobs';
INSERT INTO new_jobs (id, kind, project, version, sdist, sdist_filename, target, recipe, image, asked_by, priority, state, attempts, worker, lease_until,
  step, build, failure, remembered, retry_at, metadata_changed, created_at, started_at, finished_at)
SELECT id, kind, project, version, sdist, sdist_filename, target, recipe, image, asked_by, priority, state, attempts, worker, lease_until,
  step, build, failure, remembered, retry_at, metadata_changed, created_at, started_at, finished_at FROM jobs;
DROP TABLE jobs;
ALTER TABLE new_jobs RENAME TO jobs;
CREATE INDEX jobs_by_state ON jobs (state, kind, priority, created_at);
CREATE INDEX jobs_by_project ON jobs (project);
CREATE INDEX jobs_by_client ON jobs (asked_by, created_at);

-- A job that needs what others build first; it is not claimed before they have ended. requirement: why.
CREATE TABLE job_waits (
  job INTEGER NOT NULL REFERENCES jobs (id),
  waits_for INTEGER NOT NULL REFERENCES jobs (id),
  requirement TEXT NOT NULL,
  PRIMARY KEY (job, waits_for)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_waits_by_other ON job_waits (waits_for);

-- Wheels as they came out of a build, where other targets can have them without compiling: abi3 and pure ones.
CREATE TABLE results (
  sdist TEXT NOT NULL,
  recipe TEXT NOT NULL,
  filename TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size INTEGER NOT NULL,
  build INTEGER NOT NULL REFERENCES builds (id),
  system TEXT,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (sdist, recipe, filename)
) STRICT, WITHOUT ROWID;

-- What the wheel has from the system it was built on, and wants from the one it is used on.
ALTER TABLE wheels ADD COLUMN system TEXT;

-- The most memory that any step of the run took.
ALTER TABLE builds ADD COLUMN peak_bytes INTEGER;

-- How often installers on a target were sent a file of a release, whoever made it.
CREATE TABLE demand (
  target TEXT NOT NULL,
  project TEXT NOT NULL,
  version TEXT NOT NULL,
  downloads INTEGER NOT NULL,
  PRIMARY KEY (target, project, version)
) STRICT, WITHOUT ROWID;

-- Files proxied by their path (apks, crates and their indexes), and where each folder of them comes from.
CREATE TABLE kept_files (
  path TEXT PRIMARY KEY,
  sha256 TEXT NOT NULL,
  size INTEGER NOT NULL,
  etag TEXT,
  fetched_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE kept_sources (
  path TEXT PRIMARY KEY,
  url TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`
