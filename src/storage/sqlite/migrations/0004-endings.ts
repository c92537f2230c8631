export default `
-- At most one row: while it is there nothing is claimed.
CREATE TABLE pause (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  reason TEXT,
  since INTEGER NOT NULL
) STRICT;

-- When a worker last said that it can build for a target.
CREATE TABLE heard (
  target TEXT PRIMARY KEY,
  heard_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Whoever waits across this change has heard of a builder before.
INSERT INTO heard SELECT DISTINCT target, unixepoch() * 1000 FROM jobs WHERE state IN ('queued', 'running');
`
