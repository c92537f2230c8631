export default `
-- Bytes, as the file's page says; NULL where it does not, or was kept before this.
ALTER TABLE files ADD COLUMN size INTEGER;

-- Wheels of the upstream out of which no METADATA can be read: none is announced to anybody.
CREATE TABLE unreadable_wheels (
  project TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  filename TEXT NOT NULL,
  PRIMARY KEY (project, sha256, filename)
) STRICT, WITHOUT ROWID;
`
