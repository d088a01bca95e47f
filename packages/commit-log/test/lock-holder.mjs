// Takes the lock of a directory: node lock-holder.mjs <directory> <how>
//   hold   says 'held' and keeps it until it is killed
//   race   waits for a line on stdin, tries once, says 'held' or 'locked'; keeps it until stdin ends
//   try    tries once, says 'held' or the message of the error
//   worker says 'held' by a worker thread, terminates that at a line on stdin, says 'terminated'
//   cluster  the same with a worker of node:cluster, which is killed
//   churn  takes and releases it over and over, marking the time in which it is the owner

import cluster from 'node:cluster'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { DirectoryLock } from '../dist/file.js'

const [directory, how] = process.argv.slice(2)

async function attempt() {
  try {
    return await DirectoryLock.acquire(directory)
  } catch (error) {
    if (error.code === 'FIRN_LOCKED') return undefined
    throw error
  }
}

if (!isMainThread) {
  await DirectoryLock.acquire(directory)
  parentPort.postMessage('held')
  setInterval(() => {}, 1000)
} else if (cluster.isWorker) {
  await DirectoryLock.acquire(directory)
  process.send('held')
  setInterval(() => {}, 1000)
} else if (how === 'worker' || how === 'cluster') {
  const worker =
    how === 'worker'
      ? new Worker(new URL(import.meta.url), { argv: process.argv.slice(2) })
      : cluster.fork()
  await once(worker, 'message')
  process.stdout.write('held\n')
  await once(process.stdin, 'data')
  const exit = once(worker, 'exit')
  if (how === 'worker') worker.terminate()
  else worker.process.kill('SIGKILL')
  await exit
  process.stdout.write('terminated\n')
  setInterval(() => {}, 1000)
} else if (how === 'try') {
  const message = await DirectoryLock.acquire(directory).then(
    () => 'held',
    (error) => `${error.code} ${error.message}`,
  )
  process.stdout.write(`${message}\n`)
} else if (how === 'hold') {
  await DirectoryLock.acquire(directory)
  process.stdout.write('held\n')
  setInterval(() => {}, 1000)
} else if (how === 'race') {
  process.stdout.write('ready\n')
  await once(process.stdin, 'data')
  const lock = await attempt()
  process.stdout.write(lock === undefined ? 'locked\n' : 'held\n')
  process.stdin.resume()
  await once(process.stdin, 'end')
} else {
  const mark = path.join(directory, 'owner')
  let owned = 0
  let looks = 0
  while (owned < 15 && looks++ < 100_000) {
    const lock = await attempt()
    if (lock === undefined) continue
    // Exclusive creation fails if another one is the owner at this moment.
    fs.writeFileSync(mark, String(process.pid), { flag: 'wx' })
    fs.rmSync(mark)
    owned++
    lock.release({ owned })
  }
  process.stdout.write(`owned ${owned}\n`)
}
