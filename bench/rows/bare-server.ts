/** `PORT ROOT`: answers with the gzipped pages under ROOT out of memory, by Node's own server and nothing else. */
import { createHash } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { dirname, join } from 'node:path'

const [port, root] = process.argv.slice(2)

const answers = new Map(globSync('simple/*/index.json.gz', { cwd: root }).map((path) => {
  const body = readFileSync(join(root!, path))
  const etag = `"${createHash('sha256').update(body).digest('hex')}"`
  const head = ['X-Content-Type-Options', 'nosniff', 'Vary', 'Accept, Accept-Encoding', 'ETag', etag, 'Cache-Control', 'max-age=600']
  return [`/${dirname(path)}/`, { etag, head, whole: [...head, 'Content-Type', 'application/vnd.pypi.simple.v1+json', 'Content-Encoding', 'gzip', 'Content-Length', String(body.length)], body }]
}))

createServer((req, res) => {
  const answer = answers.get(req.url ?? '')
  if (!answer) res.writeHead(404).end()
  else if (req.headers['if-none-match'] === answer.etag) res.writeHead(304, answer.head).end()
  else res.writeHead(200, answer.whole).end(answer.body)
}).listen(Number(port), '127.0.0.1')
