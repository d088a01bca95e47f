import { crc32, utf8Encode } from '@firn/bytes'
import {
  applyEntry,
  type DatabaseState,
  decodeCheckpoint,
  decodeEdits,
  decodeRoot,
  encodeCheckpoint,
  encodeEdits,
  encodeRoot,
  RecordsWriter,
  readRecords,
} from '@firn/manifest'
import { Random } from '../../random.js'
import { assertSame, assertSound, type FuzzTarget } from '../fuzz-target.js'
import { someUlid } from '../values.js'
import {
  entryOf,
  recordsOf,
  someEdit,
  someEditOf,
  someRecords,
  someState,
} from '../values-manifest.js'
import { membersOf } from './json-members.js'

const edits: FuzzTarget = {
  name: 'edits',
  corpus: (random) =>
    Array.from({ length: 60 }, () =>
      encodeEdits(Array.from({ length: random.below(4) }, () => someEdit(random))),
    ),
  words: ['"ttlMs":', 'null', '1e999', '-1', '{}', '[]', '"__proto__":', '"\\ud800"'],
  decode(bytes) {
    const decoded = decodeEdits(bytes)
    assertSame(decodeEdits(encodeEdits(decoded)), decoded, 'edits')
  },
}

const records: FuzzTarget = {
  name: 'records',
  corpus: (random) => Array.from({ length: 40 }, () => someRecords(random)),
  decode(bytes) {
    const writer = new RecordsWriter()
    readRecords(bytes, (table, kind, of, keyStart, keyEnd, valueStart, valueEnd) => {
      assertSound(keyEnd <= valueStart && valueEnd <= of.length, 'a record out of its bytes')
      writer.put(table, kind, of, keyStart, keyEnd, of, valueStart, valueEnd)
    })
    assertSame(recordsOf(writer.take()), bytes, 'records')
  },
}

const checkpoint: FuzzTarget = {
  name: 'checkpoint',
  corpus: (random) =>
    Array.from({ length: 40 }, () => encodeCheckpoint(someState(random, random.below(30)))),
  words: ['"ttlMs":', 'null', '1e999', '-1', '{}', '[]'],
  seal(bytes) {
    if (bytes.length < 4) return
    const end = bytes.length - 4
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(end, crc32(bytes.subarray(0, end)), true)
  },
  decode(bytes) {
    const state = decodeCheckpoint(bytes)
    assertSame(decodeCheckpoint(encodeCheckpoint(state)), state, 'checkpoint')
  },
}

/** Applies entries to a state. An input is a byte that chooses the state, and the payload. */
function fold(): FuzzTarget {
  let states: readonly DatabaseState[] = []
  return {
    name: 'fold',
    corpus(random) {
      states = Array.from({ length: 40 }, () => someState(random, random.below(30)))
      return states.map((state, i) => {
        const payload = encodeEdits([someEditOf(state, random)])
        return Uint8Array.of(i, ...payload)
      })
    },
    decode(bytes) {
      const state = states[(bytes[0] ?? 0) % states.length] as DatabaseState
      const entry = entryOf(state, bytes.subarray(1), new Random(0, 'token'))
      const next = applyEntry(state, entry)
      // Every state from the fold can be written as a checkpoint and read again.
      assertSame(decodeCheckpoint(encodeCheckpoint(next)), next, 'state')
    },
  }
}

const root: FuzzTarget = {
  name: 'root',
  corpus: (random) =>
    Array.from({ length: 10 }, (_, i) => {
      const log = [undefined, 'file', 'objects', 'dynamodb:firn_1'][i % 4]
      return encodeRoot({ incarnation: someUlid(random), log })
    }),
  words: ['"log":', 'null', '2', '1.5', '"format":', '{}', '"__proto__":{}', '"\\ud800"'],
  seal(bytes) {
    const members = membersOf(bytes)
    const text = `1:${String(members['incarnation'])}:${String(members['log'] ?? '')}`
    const checksum = crc32(new TextEncoder().encode(text)).toString(16).padStart(8, '0')
    // The last member: eight digits, then a quote, a brace and a line feed.
    if (bytes.length > 11) bytes.set(utf8Encode(checksum), bytes.length - 11)
  },
  decode(bytes) {
    assertSame(encodeRoot(decodeRoot(bytes)), bytes, 'root')
  },
}

export const manifestTargets: readonly FuzzTarget[] = [edits, records, checkpoint, fold(), root]
