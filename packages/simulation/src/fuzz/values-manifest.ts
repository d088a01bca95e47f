import type { LogEntry } from '@firn/commit-log'
import {
  applyEntry,
  type DatabaseState,
  decodeEdits,
  type Edit,
  emptyState,
  encodeEdits,
  type FileMeta,
  liveFiles,
  RecordsWriter,
  type TableOptionsState,
} from '@firn/manifest'
import { KIND_DELETE } from '@firn/mvcc'
import type { Random } from '../random.js'
import { someBytes, someNumber, someText, someUlid } from './values.js'

// Valid values of the manifest's formats, in any shape.

function someOptions(random: Random): TableOptionsState {
  const history = (['none', 'all', { durationMs: 5 }, { versions: 3 }] as const)[random.below(4)]
  return {
    keys: 'bytes',
    values: ['utf8', 'json', someText(random)][random.below(3)] ?? '',
    history: history ?? 'none',
    ...(random.below(2) === 0 ? { ttlMs: 1 + someNumber(random) } : {}),
    ...(random.below(2) === 0 ? { mergeOperator: someText(random) } : {}),
    compaction: 'leveled',
    compression: (['none', 'lz4', 'deflate'] as const)[random.below(3)] ?? 'none',
    statistics: random.below(2) === 0 ? [] : ['min', '__proto__'],
  }
}

function someFileMeta(random: Random, changes: Partial<FileMeta> = {}): FileMeta {
  const keys = [someBytes(random), someBytes(random)].sort((a, b) => Buffer.compare(a, b))
  const [smallest = new Uint8Array(0), largest = new Uint8Array(0)] = keys
  const minTimestamp = someNumber(random)
  return {
    id: `${random.below(10)}-${someUlid(random)}`,
    bytes: someNumber(random),
    level: 0,
    smallest,
    largest,
    minTimestamp,
    maxTimestamp: minTimestamp,
    commitFile: random.below(2) === 0,
    records: 100,
    deletes: random.below(100),
    rawKeyBytes: someNumber(random),
    rawValueBytes: someNumber(random),
    tailBytes: someNumber(random),
    statistics:
      random.below(4) === 0
        ? Object.fromEntries([
            ['min', someBytes(random)],
            ['__proto__', someBytes(random)],
          ])
        : {},
    ...changes,
  }
}

/** Makes the body of a `records` edit. */
export function someRecords(random: Random): Uint8Array {
  const writer = new RecordsWriter()
  const none = new Uint8Array(0)
  for (let left = 1 + random.below(6); left > 0; left--) {
    const kind = random.below(3)
    const key = someBytes(random)
    const value = kind === KIND_DELETE ? none : someBytes(random, 300)
    writer.put(1 + random.below(300), kind, key, 0, key.length, value, 0, value.length)
  }
  return recordsOf(writer.take())
}

/** Returns the records of a payload that holds nothing else. */
export function recordsOf(payload: Uint8Array): Uint8Array {
  const [edit] = decodeEdits(payload)
  return edit?.type === 'records' ? edit.bytes.slice() : new Uint8Array(0)
}

/** Makes an edit that is valid by itself; it need not apply to anything. */
export function someEdit(random: Random): Edit {
  const files = () => Array.from({ length: random.below(4) }, () => someFileMeta(random))
  switch (random.below(12)) {
    case 0:
      return { type: 'create-database', incarnation: someUlid(random) }
    case 1:
      return { type: 'records', bytes: someRecords(random) }
    case 2: {
      const name = someText(random)
      return { type: 'create-table', id: someNumber(random), name, options: someOptions(random) }
    }
    case 3:
      return { type: 'alter-table', id: someNumber(random), options: someOptions(random) }
    case 4:
      return { type: 'drop-table', id: someNumber(random) }
    case 5:
      return { type: 'add-files', files: files() }
    case 6:
      return {
        type: 'flush',
        from: someNumber(random),
        through: someNumber(random),
        files: files(),
      }
    case 7:
      return {
        type: 'compact',
        removed: files().map(({ id }) => id),
        added: files().map((file) => ({ table: random.below(9), file })),
        floors: [{ table: random.below(9), timestamp: someNumber(random) }],
      }
    case 8:
      return { type: 'gc-floor', version: someNumber(random) }
    case 9:
      return { type: 'pin', pin: somePin(random) }
    case 10:
      return { type: 'unpin', name: someText(random) }
    default:
      return { type: 'checkpoint', version: someNumber(random), key: someText(random) }
  }
}

function somePin(random: Random): Extract<Edit, { type: 'pin' }>['pin'] {
  return {
    name: someText(random),
    version: someNumber(random),
    timestamp: someNumber(random),
    ...(random.below(2) === 0 ? { expiresAt: someNumber(random) } : {}),
  }
}

/** Makes the entry that follows a state, with these edits. */
export function entryOf(state: DatabaseState, payload: Uint8Array, random: Random): LogEntry {
  const version = state.version + 1
  return { version, timestamp: state.timestamp + 10, token: someUlid(random), payload }
}

/** Makes edits that apply to a state with a database: one of each kind that is possible. */
export function someEditOf(state: DatabaseState, random: Random): Edit {
  const id = [...state.tables.keys()][0]
  const fresh = (changes: Partial<FileMeta> = {}): FileMeta =>
    someFileMeta(random, { id: `${state.version + 1}-${someUlid(random)}`, ...changes })
  const options = someOptions(random)
  switch (random.below(9)) {
    case 0:
      return {
        type: 'add-files',
        files: [fresh({ commitFile: true }), fresh({ commitFile: true })],
      }
    case 1: {
      const { flushedThrough: from, version: through } = state
      const files = [fresh({ commitFile: false })]
      return from < through ? { type: 'flush', from, through, files } : addTable(state, options)
    }
    case 2: {
      if (id === undefined) return addTable(state, options)
      const removed = [...liveFiles(state)].slice(0, 2).map((file) => file.id)
      const level = 1 + random.below(6)
      const taken = state.tables.get(id)?.levels[level - 1]?.length ?? 0
      const added = taken > 0 ? [] : [{ table: id, file: fresh({ level, commitFile: false }) }]
      return {
        type: 'compact',
        removed,
        added,
        floors: [{ table: id, timestamp: random.below(5) }],
      }
    }
    case 3: {
      const { version, timestamp } = state
      return { type: 'pin', pin: { name: someUlid(random), version, timestamp } }
    }
    case 4: {
      const name = [...state.pins.keys()][0]
      return name === undefined ? addTable(state, options) : { type: 'unpin', name }
    }
    case 5:
      return { type: 'checkpoint', version: state.version, key: 'checkpoint/x' }
    case 6:
      return id === undefined
        ? addTable(state, options)
        : { type: 'alter-table', id, options: someOptions(random) }
    case 7:
      return { type: 'records', bytes: someRecords(random) }
    default:
      return addTable(state, options)
  }
}

function addTable({ nextTableId: id }: DatabaseState, options: TableOptionsState): Edit {
  return { type: 'create-table', id, name: `table ${id}`, options }
}

/** Makes a state after this many entries. */
export function someState(random: Random, entries: number): DatabaseState {
  let state = emptyState()
  const incarnation = someUlid(random)
  const first = encodeEdits([{ type: 'create-database', incarnation }])
  state = applyEntry(state, entryOf(state, first, random))
  for (let left = entries; left > 0; left--) {
    const edit = someEditOf(state, random)
    state = applyEntry(state, entryOf(state, encodeEdits([edit]), random))
  }
  return state
}
