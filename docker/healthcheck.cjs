// Ends with 0 when the server in this container answers: at the address it wrote into its data folder when it started.
const { readFileSync } = require('node:fs')
const { scheme, port } = JSON.parse(readFileSync(`${process.env.MUSLIN_DATA}/server.json`, 'utf8'))

// The certificate is made out to the public name, not to the loopback address.
require(`node:${scheme}`).get(`${scheme}://127.0.0.1:${port}/healthz`, { rejectUnauthorized: false }, (answer) => process.exit(answer.statusCode === 200 ? 0 : 1))
  .on('error', (error) => { console.error(error.message); process.exit(1) })
