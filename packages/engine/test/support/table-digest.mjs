// Another process's view of a table: prints "<version> <rows> <digest>" of its rows with a key, as
// of a version. Arguments: location, table, version.
import { createHash } from 'node:crypto'
import { open } from '../../dist/index.js'

const [location, name, version] = process.argv.slice(2)
const db = await open(location, { mode: 'read' })
const digest = createHash('sha256')
let rows = 0
for await (const [key, value] of db.table(name).scan({ at: { version: Number(version) } })) {
  if (key.length === 0) continue
  digest.update(key).update(value)
  rows++
}
console.log(version, rows, digest.digest('hex'))
await db.close()
