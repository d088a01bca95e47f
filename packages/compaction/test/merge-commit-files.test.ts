import { compareBytes } from '@firn/bytes'
import type { FileMeta } from '@firn/manifest'
import { KIND_DELETE, KIND_PUT } from '@firn/mvcc'
import { ArrayCursor, compareRecords, drain, type VersionedRecord } from '@firn/mvcc/testing'
import { MemoryObjectStore } from '@firn/object-store'
import { FaultyObjectStore, plannedFaults } from '@firn/object-store/testing'
import { SstReader } from '@firn/sst'
import { storeFiles } from '@firn/sst/store'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type MergeCommitFilesOptions, mergeCommitFiles } from '../src/index.js'
import { key } from './picture.js'
import { keyOf, SmallDatabase } from './small-database.js'

const utf8 = new TextDecoder()

/** A commit's runs in files, and what they say in the end. */
class Runs {
  readonly store = new MemoryObjectStore()
  readonly faulty = new FaultyObjectStore(this.store)
  readonly database = new SmallDatabase([], { targetFileBytes: 600 }, this.faulty)
  readonly model = new Map<string, string | undefined>()
  readonly files: FileMeta[][] = []

  /** Writes of `1:key=value`, or `1:key!` for a delete; no key twice. */
  async add(writes: readonly string[]): Promise<void> {
    const records: VersionedRecord[] = writes.map((write) => {
      const [, name = '', value = ''] = /^([^=!]+)[=!](.*)$/.exec(write) ?? []
      const isDelete = write.endsWith('!')
      this.model.set(name, isDelete ? undefined : value)
      return {
        key: key(name),
        timestamp: 0,
        kind: isDelete ? KIND_DELETE : KIND_PUT,
        value: new TextEncoder().encode(value),
      }
    })
    const cursor = new ArrayCursor(records.sort(compareRecords), { stable: false })
    this.files.push(await this.database.write(cursor, 'file'))
  }

  merge(more: Partial<MergeCommitFilesOptions> = {}): Promise<FileMeta[]> {
    const { openSource, discard } = storeFiles(this.faulty, keyOf)
    return mergeCommitFiles(this.files, {
      ...this.database.outputs(),
      openSource,
      discard,
      targetFileBytes: 600,
      tableOptions: () => ({ compression: 'none' }),
      ...more,
    })
  }

  /** All records of files, in their order. */
  async read(files: readonly FileMeta[]): Promise<[string, string | undefined][]> {
    const rows: [string, string | undefined][] = []
    for (const file of files) {
      const reader = await SstReader.open(storeFiles(this.store, keyOf).openSource(file), {
        fileId: file.id,
        size: file.bytes,
        tailBytes: file.tailBytes,
        timestamp: 1,
      })
      const cursor = reader.cursor()
      for (const record of await drain(cursor, cursor.first())) {
        const name = `${record.key[3]}:${utf8.decode(record.key.subarray(4))}`
        rows.push([name, record.kind === KIND_DELETE ? undefined : utf8.decode(record.value)])
      }
      await reader.close()
    }
    return rows
  }

  async stored(): Promise<string[]> {
    const ids: string[] = []
    for await (const object of this.store.list())
      ids.push(/([^/]+)\.sst$/.exec(object.key)?.[1] ?? '')
    return ids.sort()
  }

  sorted(): [string, string | undefined][] {
    return [...this.model].sort(([a], [b]) => compareBytes(key(a), key(b)))
  }
}

function expectDisjoint(files: readonly FileMeta[]): void {
  for (const [i, file] of files.slice(1).entries()) {
    expect(compareBytes(files[i]?.largest as Uint8Array, file.smallest)).toBeLessThan(0)
  }
}

const number = (i: number) => String(i).padStart(4, '0')

describe('the files of one commit', () => {
  test('stay as they are where they overlap nothing', async () => {
    const runs = new Runs()
    await runs.add(Array.from({ length: 50 }, (_, i) => `1:${number(i)}=first`))
    await runs.add(Array.from({ length: 50 }, (_, i) => `1:${number(50 + i)}=second`))
    await runs.add(Array.from({ length: 50 }, (_, i) => `2:${number(i)}=third`))
    expect(await runs.merge()).toEqual(runs.files.flat())
  })

  test('are merged where they overlap, and nowhere else', async () => {
    const runs = new Runs()
    await runs.add(['1:a=old', '1:c=old', '1:e!'])
    await runs.add(['1:x=alone', '1:z=alone'])
    await runs.add(['1:b=new', '1:c!', '1:e=back'])
    const files = await runs.merge()
    expect(await runs.read(files)).toEqual(runs.sorted())
    expect(files).toContain(runs.files[1]?.[0])
    expect(files).toHaveLength(2)
    expect(files[0]).toMatchObject({ commitFile: true, level: 0, deletes: 1 })
    // The caller's to delete, when it has committed.
    expect(await runs.stored()).toHaveLength(4)
  })

  test('keep the last write of each key, however many runs there are and few may be open', async () => {
    const write = fc.record({
      key: fc.nat(40),
      table: fc.integer({ min: 1, max: 3 }),
      del: fc.nat(4),
    })
    const run = fc.uniqueArray(write, {
      selector: (one) => `${one.table} ${one.key}`,
      minLength: 1,
      maxLength: 30,
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(run, { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 2, max: 5 }),
        async (all, maxOpenFiles) => {
          const runs = new Runs()
          for (const [i, writes] of all.entries()) {
            await runs.add(
              writes.map(
                (one) => `${one.table}:${number(one.key)}${one.del === 0 ? '!' : `=${i}`}`,
              ),
            )
          }
          const files = await runs.merge({ maxOpenFiles })
          expectDisjoint(files)
          expect(await runs.read(files)).toEqual(runs.sorted())
          // Nothing of what was merged on the way.
          const named = new Set([...runs.files.flat(), ...files].map(({ id }) => id))
          expect(await runs.stored()).toEqual([...named].sort())
        },
      ),
      { numRuns: 60 },
    )
  })

  test.each(['get', 'upload', 'uploadWrite', 'uploadFinish'] as const)(
    'leave nothing behind where their merge fails at %s',
    async (operation) => {
      const runs = new Runs()
      for (let run = 0; run < 6; run++) {
        await runs.add(Array.from({ length: 60 }, (_, i) => `1:${number(i * 6 + run)}=${run}`))
      }
      runs.faulty.setSchedule(plannedFaults({ operation, kind: 'error-before', after: 12 }))
      await expect(runs.merge({ maxOpenFiles: 2 })).rejects.toThrow()
      expect(await runs.stored()).toEqual(
        runs.files
          .flat()
          .map(({ id }) => id)
          .sort(),
      )
    },
  )
})
