// Appends entries until it is killed, and prints which are durable. Argument: the directory.
import { systemEnv, ulid } from '@firn/env'
import { FileCommitLog } from '../dist/file.js'

const log = await FileCommitLog.open(process.argv[2], { segmentBytes: 16_384 })
let version = 0
for await (const entry of log.readAfter(0)) version = entry.version
process.stdout.write(`open ${version}\n`)
let truncated = 0
for (;;) {
  const group = []
  for (let i = 0; i < 1 + (version % 5); i++) {
    version++
    const payload = new Uint8Array((version * 37) % 900).fill(version)
    const entry = { version, timestamp: version * 10, token: ulid(systemEnv), payload }
    group.push(log.append(entry))
  }
  await Promise.all(group)
  process.stdout.write(`${version}\n`)
  if (version - truncated > 120) {
    truncated = version - 60
    await log.truncate(truncated)
  }
}
