export default `
-- Upstream files that are stored, and when each was last used.
CREATE TABLE cached_files (
  sha256 TEXT PRIMARY KEY,
  size INTEGER NOT NULL,
  used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX cached_files_by_use ON cached_files (used_at, sha256);

-- One row. counted: every blob has been looked at once. since: as long as the upstream is the one that it is.
CREATE TABLE cache_state (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  files INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  counted INTEGER NOT NULL,
  upstream TEXT,
  since INTEGER NOT NULL
) STRICT;
INSERT INTO cache_state VALUES (1, 0, 0, 0, NULL, 0);
CREATE TRIGGER cached_files_added AFTER INSERT ON cached_files BEGIN
  UPDATE cache_state SET files = files + 1, bytes = bytes + NEW.size;
END;
CREATE TRIGGER cached_files_removed AFTER DELETE ON cached_files BEGIN
  UPDATE cache_state SET files = files - 1, bytes = bytes - OLD.size;
END;

-- What the records of builds name: files that they were made of.
CREATE TABLE recorded_files (
  sha256 TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
INSERT OR IGNORE INTO recorded_files
SELECT used.value ->> 'sha256' FROM builds, json_each(builds.record, '$.requirements') AS used
WHERE json_type(builds.record, '$.requirements') = 'array' AND used.type = 'object' AND used.value ->> 'sha256' IS NOT NULL;
CREATE TRIGGER builds_recorded AFTER UPDATE OF record ON builds WHEN json_type(NEW.record, '$.requirements') = 'array' BEGIN
  INSERT OR IGNORE INTO recorded_files
  SELECT used.value ->> 'sha256' FROM json_each(NEW.record, '$.requirements') AS used
  WHERE used.type = 'object' AND used.value ->> 'sha256' IS NOT NULL;
END;

-- Whether something needs a blob is asked for each that is to go.
CREATE INDEX wheels_by_metadata ON wheels (metadata);
CREATE INDEX metadata_by_sha256 ON metadata (sha256);
CREATE INDEX results_by_sha256 ON results (sha256);
CREATE INDEX kept_files_by_sha256 ON kept_files (sha256);
CREATE INDEX jobs_by_sdist ON jobs (sdist);
`
