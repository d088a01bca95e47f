import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { memorySource, SstReader, type SstWriterOptions } from '../src/index.js'
import { annotate } from './annotate.js'
import { drain, text, write } from './files.js'
import type { Row } from './sorted-array.js'

// `pnpm golden` regenerates the files. A difference is a change of the format: it needs a new
// version number, and readers that still read these files.
const regenerate = process.env.FIRN_GOLDEN === 'write'

const path = (name: string) => fileURLToPath(new URL(`./golden/${name}`, import.meta.url))

/** All kinds, versions that continue across blocks, an empty key, equal and different lengths. */
const versions: Row[] = [
  { key: text(''), timestamp: 7, kind: 1, value: text('the empty key') },
  { key: text('apple'), timestamp: 1_700_000_000_000_002, kind: 1, value: text('green') },
  { key: text('apple'), timestamp: 1_700_000_000_000_001, kind: 0, value: text('') },
  { key: text('apple'), timestamp: 1_699_000_000_000_000, kind: 2, value: text('+1') },
  { key: text('apricot'), timestamp: 5, kind: 1, value: text('x'.repeat(90)) },
  ...[9, 8, 7].map((timestamp) => ({
    key: text('hot'),
    timestamp,
    kind: 1,
    value: text(`value ${timestamp} `.repeat(7)),
  })),
  ...Array.from({ length: 6 }, (_, i) => ({
    key: text(`user/000${i}`),
    timestamp: 42,
    kind: 1,
    value: text(`name ${i}`),
  })),
]

const stamped = versions.filter(
  (row, i) => Buffer.compare(row.key, versions[i - 1]?.key ?? text('none')) !== 0,
)

const count = { seen: 0 }
const files: Record<string, { rows: Row[]; options: Partial<SstWriterOptions> }> = {
  plain: {
    rows: versions,
    options: {
      compression: 'none',
      blockBytes: 64,
      indexPartitionBytes: 8,
      statistics: {
        count: { add: () => count.seen++, finish: () => text('14 records') },
      },
    },
  },
  lz4: { rows: versions, options: { compression: 'lz4', blockBytes: 512 } },
  deflate: { rows: versions, options: { compression: 'deflate', blockBytes: 512 } },
  'one-timestamp': {
    rows: stamped.map((row) => ({ ...row, timestamp: 99 })),
    options: { compression: 'none', timestamps: 'file', filterBitsPerKey: 0 },
  },
}

describe('golden files', () => {
  for (const [name, { rows, options }] of Object.entries(files)) {
    const fileId = `golden-${name}`

    test(`${name}.sst is what the writer writes`, () => {
      const { file } = write(rows, { ...options, fileId })
      if (regenerate) {
        mkdirSync(dirname(path('x')), { recursive: true })
        writeFileSync(path(`${name}.sst`), file)
      }
      // A compressor may learn to choose other matches: those bytes are only read.
      if (options.compression !== 'none') return
      expect(Buffer.compare(file, readFileSync(path(`${name}.sst`)))).toBe(0)
    })

    test(`${name}.sst reads as what was written`, async () => {
      const file = new Uint8Array(readFileSync(path(`${name}.sst`)))
      const reader = await SstReader.open(memorySource(file), { fileId, timestamp: 99 })
      const cursor = reader.cursor()
      expect(await drain(cursor, cursor.first())).toEqual(rows)
      expect((await reader.verify()).problems).toBe(0)
      if (name !== 'lz4' && name !== 'deflate') return
      for await (const block of reader.blocks()) expect(block.codec).toBe(name)
    })
  }

  for (const name of ['plain', 'one-timestamp']) {
    test(`${name}.txt draws ${name}.sst byte by byte`, () => {
      const drawn = annotate(new Uint8Array(readFileSync(path(`${name}.sst`))))
      if (regenerate) writeFileSync(path(`${name}.txt`), drawn)
      expect(drawn).toBe(readFileSync(path(`${name}.txt`), 'utf8'))
    })
  }
})
