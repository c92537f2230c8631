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
  created_at INTEGER NOT NULL,
  PRIMARY KEY (sdist, recipe, filename)
) STRICT, WITHOUT ROWID;

-- What the wheel has from the system it was built on, and wants from the one it is used on.
ALTER TABLE wheels ADD COLUMN system TEXT;

-- The most memory that any step of the run took.
ALTER TABLE builds ADD COLUMN peak_bytes INTEGER;

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
