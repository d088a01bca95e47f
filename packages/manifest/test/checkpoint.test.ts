import { CorruptionError, FormatVersionError } from '@firn/env'
import { TestEnv } from '@firn/env/testing'
import { MemoryObjectStore, ObjectNotFoundError, type ObjectStore } from '@firn/object-store'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  applyEntry,
  type DatabaseState,
  decodeCheckpoint,
  type Edit,
  emptyState,
  encodeCheckpoint,
  encodeEdits,
  pruneCheckpoints,
  readNewestCheckpoint,
  writeCheckpoint,
} from '../src/index.js'
import { fileMeta, INCARNATION, newEntry, tableOptions } from './fixtures.js'

function apply(state: DatabaseState, edits: Edit[]): DatabaseState {
  return applyEntry(state, newEntry(state.version + 1, encodeEdits(edits)))
}

/** A state with something of everything. */
function fullState(): DatabaseState {
  let state = apply(emptyState(), [{ type: 'create-database', incarnation: INCARNATION }])
  for (const edits of [
    [
      { type: 'create-table', id: 1, name: 'users', options: tableOptions({ ttlMs: 9 }) },
      { type: 'create-table', id: 5, name: '__proto__', options: tableOptions({ history: 'all' }) },
    ],
    [{ type: 'add-files', files: [fileMeta({ id: 1 }), fileMeta({ id: 2, statistics: true })] }],
    [{ type: 'flush', from: 0, through: 2, files: [fileMeta({ id: 3 })] }],
    [
      {
        type: 'compact',
        removed: [],
        added: [
          { table: 1, file: fileMeta({ id: 10, level: 1, from: 'a', to: 'b' }) },
          { table: 1, file: fileMeta({ id: 11, level: 1, from: 'c', to: 'd' }) },
          { table: 1, file: fileMeta({ id: 12, level: 3 }) },
          { table: 5, file: fileMeta({ id: 13, level: 6 }) },
        ],
        floors: [{ table: 1, timestamp: 12345 }],
      },
    ],
    [
      { type: 'pin', pin: { name: 'b', version: 6, timestamp: newEntry(5).timestamp } },
      {
        type: 'pin',
        pin: { name: 'a', version: 5, timestamp: newEntry(5).timestamp, expiresAt: 7 },
      },
      { type: 'gc-floor', version: 0 },
      { type: 'checkpoint', version: 4, key: 'checkpoints/four' },
    ],
  ] as Edit[][]) {
    // Pins of the entry's own version aren't committed yet.
    const fitting = edits.map((edit) =>
      edit.type === 'pin' ? { ...edit, pin: { ...edit.pin, version: 5 } } : edit,
    )
    state = apply(state, fitting)
  }
  return state
}

function outcome(bytes: Uint8Array): DatabaseState | undefined {
  try {
    return decodeCheckpoint(bytes, 'a checkpoint')
  } catch (error) {
    if (error instanceof CorruptionError || error instanceof FormatVersionError) return undefined
    throw error
  }
}

describe('a checkpoint', () => {
  test('holds the whole state, in bytes that depend on nothing else', () => {
    const state = fullState()
    expect(decodeCheckpoint(encodeCheckpoint(state))).toEqual(state)
    const turned: DatabaseState = {
      ...state,
      tables: new Map([...state.tables].reverse()),
      pins: new Map([...state.pins].reverse()),
    }
    expect(encodeCheckpoint(turned)).toEqual(encodeCheckpoint(state))
  })

  test('with any bit flipped, or cut to any length, is a typed error', () => {
    const bytes = encodeCheckpoint(fullState())
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = bytes.slice()
      damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7))
      expect(outcome(damaged)).toBeUndefined()
    }
    for (let length = 0; length < bytes.length; length++) {
      expect(outcome(bytes.subarray(0, length))).toBeUndefined()
    }
  })

  test('40: of hostile content under a right checksum is a state that holds, or a typed error', async () => {
    const { crc32 } = await import('@firn/bytes')
    const bytes = encodeCheckpoint(fullState())
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 12, max: bytes.length - 5 }), fc.nat(255)), {
          minLength: 1,
          maxLength: 6,
        }),
        (changes) => {
          const hostile = bytes.slice()
          for (const [at, value] of changes) hostile[at] = value
          const body = hostile.subarray(0, hostile.length - 4)
          new DataView(hostile.buffer).setUint32(body.length, crc32(body), true)
          const state = outcome(hostile)
          if (state !== undefined) expect(decodeCheckpoint(encodeCheckpoint(state))).toEqual(state)
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('37: of a newer format is refused', async () => {
    const { crc32 } = await import('@firn/bytes')
    const bytes = encodeCheckpoint(fullState())
    bytes[8] = 2
    const body = bytes.subarray(0, bytes.length - 4)
    new DataView(bytes.buffer).setUint32(body.length, crc32(body), true)
    expect(() => decodeCheckpoint(bytes)).toThrow(FormatVersionError)
  })
})

describe('checkpoints in a store', () => {
  const env = new TestEnv()

  /** Writes checkpoints of versions 1 to `count`; returns the states. */
  async function write(store: ObjectStore, count: number): Promise<DatabaseState[]> {
    const states: DatabaseState[] = []
    let state = apply(emptyState(), [{ type: 'create-database', incarnation: INCARNATION }])
    for (let i = 0; i < count; i++) {
      await writeCheckpoint(store, state, env)
      states.push(state)
      state = apply(state, [])
    }
    return states
  }

  async function keys(store: ObjectStore): Promise<string[]> {
    const all: string[] = []
    for await (const { key } of store.list({ prefix: 'checkpoints/' })) all.push(key)
    return all
  }

  test('are read newest first, and there may be none', async () => {
    const store = new MemoryObjectStore()
    expect(await readNewestCheckpoint(store, INCARNATION)).toBeUndefined()
    const states = await write(store, 12)
    expect(await readNewestCheckpoint(store, INCARNATION)).toEqual(states[11])
    expect(await readNewestCheckpoint(store, INCARNATION.replace('FN', 'FM'))).toBeUndefined()
  })

  test('25: that are damaged or gone give way to older ones', async () => {
    const store = new MemoryObjectStore()
    const states = await write(store, 6)
    const all = await keys(store)
    const [newest, second] = all as [string, string]
    await store.put(newest, new Uint8Array(40))
    expect(await readNewestCheckpoint(store, INCARNATION)).toEqual(states[4])
    // A checkpoint of another version than its name says.
    await store.put(second, (await store.get(all.at(-1) as string)).bytes)
    expect(await readNewestCheckpoint(store, INCARNATION)).toEqual(states[3])
    const losing = new Proxy(store, {
      get(target, property) {
        if (property !== 'get') return Reflect.get(target, property).bind(target)
        return async (key: string) => {
          if (key === newest) throw new ObjectNotFoundError(key)
          return target.get(key)
        }
      },
    })
    expect(await readNewestCheckpoint(losing, INCARNATION)).toEqual(states[3])
  })

  test('25: of one version may be two: either will do', async () => {
    const store = new MemoryObjectStore()
    const [state] = (await write(store, 1)) as [DatabaseState]
    const again = await writeCheckpoint(store, state, env)
    expect(await keys(store)).toHaveLength(2)
    expect(await keys(store)).toContain(again.key)
    expect(await readNewestCheckpoint(store, INCARNATION)).toEqual(state)
  })

  test('25: older than the log has been truncated open to an error, never to a hole', async () => {
    const store = new MemoryObjectStore()
    await write(store, 3)
    const [newest] = (await keys(store)) as [string]
    await store.delete(newest)
    const state = (await readNewestCheckpoint(store, INCARNATION)) as DatabaseState
    const tombstone = { ...newEntry(3), payload: undefined }
    expect(() => applyEntry(state, tombstone)).toThrow(/truncated.*no checkpoint/)
  })

  test('25: are not announced before they were read back and compared', async () => {
    const store = new MemoryObjectStore()
    const garbling = new Proxy(store, {
      get(target, property) {
        if (property !== 'put') return Reflect.get(target, property).bind(target)
        return (key: string, bytes: Uint8Array) =>
          target.put(key, bytes.with(40, 255 - (bytes[40] as number)))
      },
    })
    await expect(write(garbling, 1)).rejects.toThrow(CorruptionError)
    // Bytes that are a checkpoint, but not this one.
    const [other] = (await keys(store)) as [string]
    await store.put(other, encodeCheckpoint(fullState()))
    const swapping = new Proxy(store, {
      get(target, property) {
        if (property !== 'get') return Reflect.get(target, property).bind(target)
        return () => target.get(other)
      },
    })
    await expect(write(swapping, 1)).rejects.toThrow(CorruptionError)
  })

  test('are kept to a number, the newest', async () => {
    const store = new MemoryObjectStore()
    const states = await write(store, 7)
    expect(await pruneCheckpoints(store, INCARNATION, 2)).toBe(5)
    expect(await keys(store)).toHaveLength(2)
    expect(await readNewestCheckpoint(store, INCARNATION)).toEqual(states[6])
    await expect(pruneCheckpoints(store, INCARNATION, 0)).rejects.toThrow(/at least one/)
  })
})
