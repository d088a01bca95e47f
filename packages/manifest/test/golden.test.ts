import fs from 'node:fs'
import path from 'node:path'
import { annotate, annotatedBytes } from '@firn/test-support'
import { describe, expect, test } from 'vitest'
import {
  applyEntry,
  decodeCheckpoint,
  decodeEdits,
  decodeRoot,
  type Edit,
  emptyState,
  encodeCheckpoint,
  encodeEdits,
  encodeRoot,
  RecordsWriter,
} from '../src/index.js'
import { fileMeta, INCARNATION, newEntry, tableOptions } from './fixtures.js'

// Real bytes, annotated. A change to these files is a change to the format. To regenerate them, run
// `npx vitest run golden -u` in this package.

const GOLDEN = path.join(import.meta.dirname, 'golden')

/** The bytes of an annotated file. */
function bytesOf(file: string): Uint8Array {
  return annotatedBytes(fs.readFileSync(path.join(GOLDEN, file), 'utf8'))
}

const RECORDS = (() => {
  const writer = new RecordsWriter()
  writer.add(1, Uint8Array.of(0xaa, 0xbb), Uint8Array.of(1, 2, 3))
  writer.add(300, Uint8Array.of(0xcc), undefined)
  writer.add(1, new Uint8Array(0), Uint8Array.of(4), 2)
  return decodeEdits(writer.take())[0] as Edit
})()

const EDITS: readonly Edit[] = [
  { type: 'create-database', incarnation: INCARNATION },
  RECORDS,
  { type: 'create-table', id: 1, name: 'users', options: tableOptions() },
  {
    type: 'alter-table',
    id: 1,
    options: tableOptions({
      history: { versions: 3 },
      ttlMs: 60_000,
      mergeOperator: 'sum',
      statistics: ['age'],
    }),
  },
  { type: 'drop-table', id: 300 },
  { type: 'add-files', files: [fileMeta({ id: 1, base: 3, statistics: true })] },
  { type: 'flush', from: 1, through: 3, files: [] },
  {
    type: 'compact',
    removed: [fileMeta({ id: 1 }).id],
    added: [{ table: 1, file: fileMeta({ id: 2, level: 1 }) }],
    floors: [{ table: 1, timestamp: 77 }],
  },
  { type: 'gc-floor', version: 9 },
  { type: 'pin', pin: { name: 'monday', version: 3, timestamp: 1000, expiresAt: 2000 } },
  { type: 'unpin', name: 'monday' },
  { type: 'checkpoint', version: 4, key: 'checkpoints/x/y' },
]

describe('golden', () => {
  test('edits', async () => {
    const text = EDITS.map((edit) => {
      const payload = encodeEdits([edit])
      return `${edit.type}\n${annotate(payload, [
        ['format', 1],
        ['type', 1],
        ['length', 4],
        ['body', payload.length],
      ])}`
    }).join('\n')
    await expect(text).toMatchFileSnapshot('golden/edits.txt')
    const blocks = fs.readFileSync(path.join(GOLDEN, 'edits.txt'), 'utf8').split('\n\n')
    for (const [i, block] of blocks.entries()) {
      const drawn = block.slice(block.indexOf('\n') + 1)
      expect(decodeEdits(annotatedBytes(drawn))).toEqual([EDITS[i]])
    }
  })

  test('checkpoint', async () => {
    let state = emptyState()
    for (const edits of [
      [EDITS[0], { type: 'create-table', id: 1, name: 'users', options: tableOptions() }],
      [{ type: 'add-files', files: [fileMeta({ id: 1 })] }],
      [{ type: 'flush', from: 0, through: 2, files: [] }],
      [EDITS[7] && { ...EDITS[7], floors: [] }],
      [{ type: 'pin', pin: { name: 'monday', version: 4, timestamp: newEntry(4).timestamp } }],
      [{ type: 'checkpoint', version: 4, key: 'checkpoints/x/y' }],
    ] as Edit[][]) {
      state = applyEntry(state, newEntry(state.version + 1, encodeEdits(edits)))
    }
    const bytes = encodeCheckpoint(state)
    const text = annotate(bytes, [
      ['magic', 8],
      ['format', 2],
      ['zero', 2],
      ['incarnation', 16],
      ['body', bytes.length - 32],
      ['checksum', 4],
    ])
    await expect(text).toMatchFileSnapshot('golden/checkpoint.txt')
    expect(decodeCheckpoint(bytesOf('checkpoint.txt'))).toEqual(state)
  })

  test('root', async () => {
    const root = { incarnation: INCARNATION, log: 'dynamodb:firn' }
    await expect(new TextDecoder().decode(encodeRoot(root))).toMatchFileSnapshot('golden/root.json')
    expect(decodeRoot(fs.readFileSync(path.join(GOLDEN, 'root.json')))).toEqual(root)
  })
})
