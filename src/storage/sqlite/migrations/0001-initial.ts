/** Times are milliseconds since 1970, digests lower-case hex, `failure` and `record` JSON. */
export default `
-- Raised by whatever may change the answer for a project's page.
CREATE TABLE generations (
  project TEXT PRIMARY KEY,
  number INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The upstream's pages; json is compressed with zstd, and NULL where the upstream said 404.
CREATE TABLE pages (
  project TEXT PRIMARY KEY,
  json BLOB,
  url TEXT NOT NULL,
  etag TEXT,
  fetched_at INTEGER NOT NULL
) STRICT;

-- The list of all projects: one row.
CREATE TABLE project_list (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  sha256 TEXT NOT NULL,
  etag TEXT,
  fetched_at INTEGER NOT NULL
) STRICT;

-- Every file that a page ever named. metadata: '' where the page announces one without a digest, NULL where it has none.
CREATE TABLE files (
  sha256 TEXT NOT NULL,
  filename TEXT NOT NULL,
  project TEXT NOT NULL,
  url TEXT NOT NULL,
  metadata TEXT,
  PRIMARY KEY (sha256, filename)
) STRICT, WITHOUT ROWID;
CREATE INDEX files_by_project ON files (project);

-- METADATA by sdist and target: what promises answer with.
CREATE TABLE metadata (
  sdist TEXT NOT NULL,
  target TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  PRIMARY KEY (sdist, target)
) STRICT, WITHOUT ROWID;

CREATE TABLE jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('metadata', 'build')),
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
CREATE INDEX jobs_by_state ON jobs (state, kind, priority);
CREATE INDEX jobs_by_project ON jobs (project);
CREATE INDEX jobs_by_client ON jobs (asked_by, created_at);

-- One run of a job each; the numbers are public (/b/{id}), so none is ever given twice.
CREATE TABLE builds (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  job INTEGER NOT NULL REFERENCES jobs (id),
  worker TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  finished_at INTEGER,
  failure TEXT,
  record TEXT
) STRICT;
CREATE INDEX builds_by_job ON builds (job);

-- The wheels we built. A file name never means two different files.
CREATE TABLE wheels (
  sha256 TEXT NOT NULL,
  filename TEXT NOT NULL UNIQUE,
  size INTEGER NOT NULL,
  project TEXT NOT NULL,
  version TEXT NOT NULL,
  target TEXT NOT NULL,
  sdist TEXT NOT NULL,
  number INTEGER NOT NULL,
  metadata TEXT NOT NULL,
  requires_python TEXT,
  published_at INTEGER NOT NULL,
  build INTEGER NOT NULL REFERENCES builds (id),
  PRIMARY KEY (sha256, filename),
  UNIQUE (sdist, target, number)
) STRICT;
CREATE INDEX wheels_by_project ON wheels (project);
CREATE INDEX wheels_by_build ON wheels (build);

-- targets: JSON, target to the digest of its builder image.
CREATE TABLE workers (
  worker TEXT PRIMARY KEY,
  targets TEXT NOT NULL,
  seen_at INTEGER NOT NULL
) STRICT;

CREATE TABLE secrets (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;
`
