import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { patientEnv } from '@firn/env/testing'
import { LONG } from '@firn/test-support'
import { afterEach, describe, expect, test } from 'vitest'
import { open } from '../../src/index.js'
import { cloud, LOGS, newLocation } from './places.js'

const DIGEST = fileURLToPath(new URL('../support/table-digest.mjs', import.meta.url))
const MIB = 2 ** 20
/** One value is a KiB. */
const MEBIBYTES = LONG ? 64 : 16
const ROWS = MEBIBYTES * 1024
const VALUE_BYTES = 1024

/** Digests that chain: they don't compress, and are the same at each call. */
function* values(): Generator<Uint8Array> {
  const value = new Uint8Array(VALUE_BYTES)
  for (let i = 0; ; i++) {
    for (let at = 0; at < VALUE_BYTES; at += 64) {
      value.set(createHash('sha512').update(`${i} ${at}`).digest(), at)
    }
    yield value
  }
}

/** What another process sees: `<version> <rows> <digest>`. */
async function digestElsewhere(location: string, version: number): Promise<string> {
  const child = spawn(process.execPath, [DIGEST, location, 't', String(version)], {
    env: { ...process.env, ...cloud },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  for await (const data of child.stdout) out += data
  return out.trim()
}

describe.skipIf(cloud === undefined)(`an import of ${MEBIBYTES} MiB`, () => {
  afterEach(() => {
    Object.assign(process.env, cloud)
  })

  test.each(LOGS)(
    'is one commit, which another process reads whole at the next version (%s)',
    async (log) => {
      const location = await newLocation(log)
      const options = {
        memtableBytes: (MEBIBYTES / 6.4) * MIB,
        compaction: 'off',
        env: patientEnv,
      } as const
      await using db = await open(location, options)
      const table = db.table('t', { compression: 'none' })
      const first = await table.put(new Uint8Array(0), new Uint8Array(1))
      const digest = createHash('sha256')
      const { value: commit, requests } = await db.explain(async () => {
        const batch = db.batch()
        const key = new Uint8Array(4)
        let i = 0
        for (const value of values()) {
          new DataView(key.buffer).setUint32(0, i)
          batch.put(table, key, value)
          digest.update(key).update(value)
          if (++i === ROWS) break
          if (i % 100 === 0) await batch.drain()
        }
        return batch.write()
      })
      expect(commit.version).toBe(first.version + 1)
      expect(await digestElsewhere(location, commit.version)).toBe(
        `${commit.version} ${ROWS} ${digest.digest('hex')}`,
      )
      const nothing = createHash('sha256').digest('hex')
      expect(await digestElsewhere(location, first.version)).toBe(`${first.version} 0 ${nothing}`)

      // A file of each run, and the entry.
      const files = (await db.stats()).levels[0]?.files ?? 0
      expect(files).toBe(LONG ? 7 : 6)
      expect(requests.requests).toBe(files + 1)
      expect(requests.kinds.put.requests).toBe(log === 'objects' ? files + 1 : files)
    },
    120_000,
  )
})
