import { crc32, hashRange, utf8Encode } from '@firn/bytes'
import {
  assertNewEntry,
  type CommitLog,
  type LeaseRecord,
  type LogEntry,
  leaseKey,
  logEntryKey,
  MemoryCommitLog,
  MemoryLogStorage,
  ObjectCommitLog,
  ObjectLeases,
  SpillingCommitLog,
  spillPrefix,
} from '@firn/commit-log'
import { isFirnError } from '@firn/env'
import { MemoryObjectStore } from '@firn/object-store'
import type { Random } from '../../random.js'
import { assertSound, type FuzzTarget } from '../fuzz-target.js'
import { someBytes, someNumber, someUlid } from '../values.js'
import { membersOf } from './json-members.js'

const INCARNATION = '01JD3ZJ8GQW0000000000000FN'
const TOKEN = '01JD3ZJ8GQW0000000000000T0'
const VERSION = 12

/** Asserts that an entry from a log could have been appended to it. */
function assertEntry({ payload = new Uint8Array(0), ...entry }: LogEntry): void {
  try {
    assertNewEntry({ ...entry, payload })
  } catch (error) {
    if (!isFirnError(error, 'FIRN_INVALID_ARGUMENT')) throw error
    assertSound(false, error.message)
  }
}

/** Reads a log from the entry after `version` to its end. */
export async function readLog(log: CommitLog, version = 0): Promise<LogEntry[]> {
  const entries: LogEntry[] = []
  for await (const entry of log.readAfter(version)) {
    assertEntry(entry)
    assertSound(entry.version === version + entries.length + 1, 'an entry out of its turn')
    entries.push(entry)
  }
  return entries
}

function numberAt(bytes: Uint8Array, at: number, value: number): void {
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, value, true)
}

const entryObject: FuzzTarget = {
  name: 'entry-object',
  async corpus(random) {
    const store = new MemoryObjectStore()
    const key = logEntryKey(INCARNATION, VERSION)
    const objects: Uint8Array[] = []
    for (let left = 20; left > 0; left--) {
      const log = new ObjectCommitLog(store, INCARNATION)
      const timestamp = 1 + someNumber(random)
      await log.append({
        version: VERSION,
        timestamp,
        token: someUlid(random),
        payload: someBytes(random),
      })
      objects.push((await store.get(key)).bytes)
      await log.truncate(VERSION)
      await store.delete(key)
    }
    return objects
  },
  seal(bytes) {
    if (bytes.length < 56) return
    const seed = crc32(utf8Encode(logEntryKey(INCARNATION, VERSION)))
    numberAt(bytes, 48, crc32(bytes.subarray(56), seed))
    numberAt(bytes, 52, crc32(bytes.subarray(0, 52), seed))
  },
  async decode(bytes) {
    const store = new MemoryObjectStore()
    await store.put(logEntryKey(INCARNATION, VERSION), bytes)
    const entries = await readLog(new ObjectCommitLog(store, INCARNATION), VERSION - 1)
    assertSound(entries.length === 1, `${entries.length} entries`)
  },
}

/** Inputs are the 17 bytes of a reference, and the object that it refers to. */
const spilled: FuzzTarget = {
  name: 'spilled-payload',
  corpus: (random) =>
    Array.from({ length: 20 }, () => {
      const input = Uint8Array.of(...new Uint8Array(17), ...someBytes(random, 200))
      input[0] = 0x80
      spilled.seal?.(input)
      return input
    }),
  seal(bytes) {
    if (bytes.length < 17) return
    const payload = bytes.subarray(17)
    numberAt(bytes, 1, payload.length)
    numberAt(bytes, 5, 0)
    numberAt(bytes, 9, crc32(payload))
    numberAt(bytes, 13, hashRange(payload, 0, payload.length, 0x6e726966))
  },
  async decode(bytes) {
    const storage = new MemoryLogStorage()
    const entry = { version: 1, timestamp: 1, token: TOKEN, payload: bytes.slice(0, 17) }
    storage.entries.push(entry)
    const store = new MemoryObjectStore()
    await store.put(`${spillPrefix(INCARNATION)}${'1'.padStart(20, '0')}-${TOKEN}`, bytes.slice(17))
    const log = new MemoryCommitLog({ storage })
    await readLog(new SpillingCommitLog(log, store, INCARNATION, { itemLimitBytes: 100 }))
  },
}

class OpenObjectLeases extends ObjectLeases {
  read(name: string): Promise<LeaseRecord | undefined> {
    return this._read(name, {})
  }
}

export function someLease(random: Random): LeaseRecord {
  return {
    epoch: 1 + someNumber(random),
    holder: random.below(3) === 0 ? undefined : someUlid(random),
    renewals: someNumber(random),
    durationMs: 1 + someNumber(random),
  }
}

export function assertLease(record: LeaseRecord | undefined): void {
  if (record === undefined) return
  const { epoch, renewals, durationMs, holder } = record
  assertSound([epoch, renewals, durationMs].every(Number.isSafeInteger), 'a lease of no numbers')
  assertSound(epoch > 0 && renewals >= 0 && durationMs > 0, 'a lease out of bounds')
  assertSound(holder === undefined || holder.length === 26, 'a holder that is none')
}

const NAME = 'maintenance'

const lease: FuzzTarget = {
  name: 'lease-object',
  corpus: (random) =>
    Array.from({ length: 20 }, () => {
      const { holder = null, ...record } = someLease(random)
      const { epoch, renewals, durationMs } = record
      return sealedLease({ format: 1, epoch, holder, renewals, durationMs })
    }),
  words: ['null', '2', '-1', '1.5', '1e300', '9007199254740993', '"holder":', '"__proto__":{}'],
  seal(bytes) {
    const { checksum: _, ...members } = membersOf(bytes)
    const sealed = sealedLease(members)
    if (sealed.length === bytes.length) bytes.set(sealed)
  },
  async decode(bytes) {
    const store = new MemoryObjectStore()
    await store.put(leaseKey(INCARNATION, NAME), bytes)
    assertLease(await new OpenObjectLeases(store, INCARNATION).read(NAME))
  },
}

function sealedLease(members: Record<string, unknown>): Uint8Array {
  const key = crc32(utf8Encode(leaseKey(INCARNATION, NAME)))
  const encoder = new TextEncoder()
  const checksum = crc32(encoder.encode(JSON.stringify(members)), key)
  return encoder.encode(`${JSON.stringify({ ...members, checksum })}\n`)
}

export const logTargets: readonly FuzzTarget[] = [entryObject, spilled, lease]
