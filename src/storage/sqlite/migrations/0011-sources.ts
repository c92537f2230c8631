export default `
-- The upstream whose page named the file; NULL where it was kept before this.
ALTER TABLE files ADD COLUMN source TEXT;
`
