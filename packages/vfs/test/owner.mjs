// Announces itself as the owner of a directory: node owner.mjs <directory> <how> <as> <name>
//   how: hold    until it is killed; a line on stdin ends it by process.exit
//        worker  in a worker thread, which a line on stdin terminates; then says 'terminated'
//   as:   JSON that takes the place of parts of its identity
//   name: of its sign
// Says what the owner is, as JSON.

import { once } from 'node:events'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { announce } from '../dist/index.js'
import { ownIdentity } from '../dist/process-identity.js'

const [directory, how, as, name] = process.argv.slice(2)

async function announceHere() {
  const identity = { ...ownIdentity(), ...JSON.parse(as) }
  const { owner } = await announce(directory, name, { identity })
  return owner
}

function say(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

if (!isMainThread) {
  parentPort.postMessage(await announceHere())
  parentPort.on('message', () => {})
} else if (how === 'worker') {
  const worker = new Worker(new URL(import.meta.url), { argv: process.argv.slice(2) })
  say((await once(worker, 'message'))[0])
  await once(process.stdin, 'data')
  await worker.terminate()
  say('terminated')
} else {
  say(await announceHere())
  await once(process.stdin, 'data')
  process.exit(0)
}
