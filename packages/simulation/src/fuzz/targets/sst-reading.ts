import { isFirnError } from '@firn/env'
import { MAX_TIMESTAMP, PENDING, POSITIONED } from '@firn/mvcc'
import { memorySource, type SstCursor, SstLookup, SstReader } from '@firn/sst'
import { assertSound } from '../fuzz-target.js'

/** The timestamp of all records in files that store no timestamps. */
export const SST_TIMESTAMP = 1_700_000_000_000_000

/**
 * Calls everything that a reader does with a file, one after another; if one is refused, the others
 * still run.
 */
export async function readWhole(file: Uint8Array): Promise<void> {
  const reader = await SstReader.open(memorySource(file), { timestamp: SST_TIMESTAMP })
  const refusals: unknown[] = []
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      if (!isFirnError(error, 'FIRN_CORRUPTION') && !isFirnError(error, 'FIRN_FORMAT_VERSION')) {
        throw error
      }
      refusals.push(error)
    }
  }
  const { smallest, largest } = reader
  try {
    await attempt(() => walk(reader.cursor(), (cursor) => cursor.first()))
    await attempt(() => walk(reader.cursor({ reverse: true, private: false }), (c) => c.first()))
    for (const key of [smallest, largest, Uint8Array.of(...smallest, 0), new Uint8Array(0)]) {
      await attempt(() => find(reader, key))
      await attempt(() => walk(reader.cursor(), (c) => c.seek(key, 0, key.length, true), 20))
    }
    await attempt(async () => {
      for await (const { records } of reader.warm(smallest, largest)) assertSound(records >= 0, '')
    })
    await attempt(async () => {
      const { problems } = await reader.verify({ onProblem: () => {} })
      assertSound(problems >= 0, 'problems')
    })
  } finally {
    await reader.close()
  }
  if (refusals.length > 0) throw refusals[0]
}

/** Reads on from a position to the end, or for a number of rows, and looks at every field. */
async function walk(
  cursor: SstCursor,
  move: (cursor: SstCursor) => number,
  most = Infinity,
): Promise<void> {
  let left = most
  for (let status = move(cursor); ; status = cursor.next()) {
    if (status === PENDING) status = await cursor.load()
    if (status !== POSITIONED || left-- === 0) break
    const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd } = cursor
    const within = (bytes: Uint8Array, start: number, end: number): boolean =>
      start >= 0 && start <= end && end <= bytes.length
    assertSound(within(keyBytes, keyStart, keyEnd), 'a key out of its bytes')
    assertSound(within(valueBytes, valueStart, valueEnd), 'a value out of its bytes')
    assertSound(Number.isSafeInteger(cursor.timestamp), `a timestamp of ${cursor.timestamp}`)
    assertSound(cursor.kind >= 0 && cursor.kind <= 2, `a record of kind ${cursor.kind}`)
  }
  cursor.close()
}

async function find(reader: SstReader, key: Uint8Array): Promise<void> {
  const lookup = new SstLookup()
  lookup.set(key, 0, key.length, MAX_TIMESTAMP)
  if (reader.find(lookup) >= 0) return
  await reader.load(lookup)
  // The lookup has what it waited for: it never waits again.
  assertSound(reader.find(lookup) >= 0, 'a lookup that lacks what was loaded')
}
