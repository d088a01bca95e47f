// One of several processes that race on one directory: creates each of the keys 'create/<round>',
// and counts up an object by if-match. Prints what it won, as JSON.
import { FsObjectStore } from '../dist/fs.js'

const [directory, name, rounds, increments] = process.argv.slice(2)
const store = new FsObjectStore(directory, { fsync: false })
const encode = (text) => new TextEncoder().encode(text)
const lost = (error) => {
  if (error.code !== 'FIRN_PRECONDITION_FAILED') throw error
  return undefined
}

process.stdout.write('ready\n')
await new Promise((resolve) => process.stdin.once('data', resolve))

const created = []
for (let round = 0; round < Number(rounds); round++) {
  const options = { ifAbsent: true }
  const won = await store.put(`create/${round}`, encode(name), options).catch(lost)
  if (won !== undefined) created.push(round)
}
let attempts = 0
for (let done = 0; done < Number(increments); ) {
  attempts++
  const { bytes, etag } = await store.get('counter')
  const next = Number(new TextDecoder().decode(bytes)) + 1
  const won = await store.put('counter', encode(`${next}`), { ifMatch: etag }).catch(lost)
  if (won !== undefined) done++
}
await store.close()
process.stdout.write(`${JSON.stringify({ name, created, attempts })}\n`)
process.stdin.destroy()
