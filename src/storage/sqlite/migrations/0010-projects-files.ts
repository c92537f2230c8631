export default `
-- Every file that a page ever named, once for each project that does: no page changes what another project's page said.
CREATE TABLE listed_files (
  sha256 TEXT NOT NULL,
  filename TEXT NOT NULL,
  project TEXT NOT NULL,
  url TEXT NOT NULL,
  metadata TEXT,
  uploaded_at INTEGER,
  seen_at INTEGER NOT NULL,
  size INTEGER,
  PRIMARY KEY (sha256, filename, project)
) STRICT, WITHOUT ROWID;
INSERT INTO listed_files SELECT sha256, filename, project, url, metadata, uploaded_at, seen_at, size FROM files;
DROP TABLE files;
ALTER TABLE listed_files RENAME TO files;
CREATE INDEX files_by_project ON files (project);
`
