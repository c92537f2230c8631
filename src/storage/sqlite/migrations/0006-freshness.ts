/** What the upstream told of the freshness of its answers, in seconds from `fetched_at`; NULL where it said nothing. */
export default `
ALTER TABLE pages RENAME COLUMN etag TO validator;
ALTER TABLE pages ADD COLUMN fresh_seconds INTEGER;
ALTER TABLE pages ADD COLUMN stale_seconds INTEGER NOT NULL DEFAULT 0;
ALTER TABLE project_list RENAME COLUMN etag TO validator;
ALTER TABLE project_list ADD COLUMN fresh_seconds INTEGER;
ALTER TABLE project_list ADD COLUMN stale_seconds INTEGER NOT NULL DEFAULT 0;
`
