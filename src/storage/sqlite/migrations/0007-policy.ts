export default `
-- When the upstream says that a file was uploaded, and when the first page that named it was fetched: cooldowns count from these.
ALTER TABLE files ADD COLUMN uploaded_at INTEGER;
ALTER TABLE files ADD COLUMN seen_at INTEGER NOT NULL DEFAULT 0;

-- Of what was recorded before, nobody knows better than that its page as it is kept had it, or an older one.
UPDATE files SET seen_at = coalesce((SELECT fetched_at FROM pages WHERE pages.project = files.project), unixepoch() * 1000);
`
