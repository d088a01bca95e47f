import { MemoryCommitLog } from '@firn/commit-log'
import { systemEnv } from '@firn/env'
import { TestEnv } from '@firn/env/testing'
import {
  END,
  KIND_DELETE,
  MergingCursor,
  PENDING,
  type RecordCursor,
  VisibleCursor,
} from '@firn/mvcc'
import { MemoryObjectStore, type ObjectStore } from '@firn/object-store'
import { onTestFinished } from 'vitest'
import { type Commit, open, type Table } from '../../src/index.js'
import { DatabaseHandle } from '../../src/internal/database/database-handle.js'
import type { OpenFile } from '../../src/internal/files/file-cache.js'
import { LevelCursor } from '../../src/internal/files/level-cursor.js'
import {
  MemtableCursor,
  type MemtableCursorOptions,
} from '../../src/internal/memtable/memtable-cursor.js'
import type { MemtablePartition } from '../../src/internal/memtable/memtable-partition.js'
import type { TableView } from '../../src/internal/view/table-view.js'

// Pictures of what a database has, in text. `a@3=x` is what the third commit of a script wrote,
// `a@3!` is its delete. `[a-m @2-3]` is a file: the range of its keys, and of the commits that
// wrote them.

/** What a timestamp is in a picture. */
type NumberOf = (timestamp: number) => number

const text = new TextDecoder()
const PREFIX_BYTES = 4

/**
 * A database in memory with one table, whose commits, flushes and compactions are those of a
 * script.
 */
export class DrawnDatabase {
  readonly #db: DatabaseHandle
  #seen: TableView | undefined
  readonly #table: Table<string, string>
  /** Those of the script, in order. */
  readonly #commits: Commit[] = []

  private constructor(db: DatabaseHandle, table: Table<string, string>) {
    this.#db = db
    this.#table = table
  }

  static async open(store: ObjectStore = new MemoryObjectStore()): Promise<DrawnDatabase> {
    const db = await open({
      store,
      log: () => new MemoryCommitLog(),
      env: new TestEnv(),
      compaction: 'off',
      memtableBytes: 2048,
      tuning: { blockBytes: 512, inlineLimitBytes: 4000, targetFileBytes: 4000 },
    })
    if (!(db instanceof DatabaseHandle)) throw new Error('the database is of another class')
    onTestFinished(() => db.close())
    const typed = { keys: 'utf8', values: 'utf8', history: 'all', compression: 'none' } as const
    return new DrawnDatabase(db, db.table('t', typed))
  }

  /**
   * Does what a script says, line by line:
   *
   *     put a=1 b=2     one commit
   *     delete a        one commit
   *     large a c       one commit that is too large for the log: it becomes a file at once
   *     fill d          a commit that fills the memtable, which is flushed
   *     compact
   */
  async run(script: string): Promise<void> {
    for (const line of script.trim().split('\n')) {
      const [word, ...args] = line.trim().split(/\s+/)
      if (word === 'compact') await this.#db.compact()
      else {
        const batch = this.#db.batch()
        for (const arg of args) {
          const [key = '', value = ''] = arg.split('=')
          if (word === 'delete') batch.delete(this.#table, key)
          else batch.put(this.#table, key, LONG_VALUES[word ?? ''] ?? value)
        }
        this.#commits.push(await batch.write())
        if (word === 'fill') await this.#flushed()
      }
    }
    await this.#look()
  }

  /** Memtables with their records, runs of level 0 and levels with their files, newest first. */
  view(): string {
    return drawn([
      ...this.#memtables().map(({ name, partition }) => [
        name,
        memtablePicture(partition, {}, this.#numberOf),
      ]),
      ...this.#runs().map(({ name, handles }) => [
        name,
        ...handles.map((handle) => this.#file(handle)),
      ]),
    ])
  }

  /** The rows of a scan as of a commit, each with the memtable or the file that it came from. */
  async scan(commit: number = this.#commits.length): Promise<string> {
    const { level0, levels } = this.#view()
    const memtables = this.#memtables()
    const merged = new MergingCursor([
      ...memtables.map(({ partition }) => new MemtableCursor(partition)),
      ...[...level0, ...levels].map(({ handles }) => cursorOver(handles)),
    ])
    const visible = new VisibleCursor(merged, { timestamp: this.#commit(commit).timestamp })
    const rows = await this.#drain(visible)
    const places = new Map<string, string>()
    for (const { name, partition } of memtables) {
      for (const record of await this.#drain(new MemtableCursor(partition))) {
        places.set(record, name)
      }
    }
    for (const { name, handle } of this.#namedFiles()) {
      for (const record of await this.#drain(cursorOver([handle]))) places.set(record, name)
    }
    return drawn(rows.map((row) => [row, places.get(row) ?? 'nowhere']))
  }

  /** What the database itself returns for that scan. */
  async rows(commit: number = this.#commits.length): Promise<string> {
    const rows = await this.#table.scan({ at: this.#commit(commit) }).toArray()
    return rows.map(([key, value]) => `${key}=${shortened(value)}`).join(' ')
  }

  async #flushed(): Promise<void> {
    while ((await this.#look()).immutables.length > 0) await systemEnv.yield()
  }

  /** Takes the newest view, which stays as it is until the script goes on. */
  async #look(): Promise<TableView> {
    const snapshot = await this.#db.snapshot()
    const view = snapshot.view()
    const [id = 0] = view.state.tables.keys()
    const table = view.table(id)
    if (table === undefined) throw new Error('there is no table')
    await snapshot.close()
    this.#seen = table
    return table
  }

  #view(): TableView {
    if (this.#seen === undefined) throw new Error('the script is empty')
    return this.#seen
  }

  /** The number of a commit in the script, from 1 on. */
  readonly #numberOf: NumberOf = (timestamp) =>
    this.#commits.findIndex((commit) => commit.timestamp === timestamp) + 1

  #commit(number: number): Commit {
    const commit = this.#commits[number - 1]
    if (commit === undefined) throw new Error(`the script has no commit ${number}`)
    return commit
  }

  #memtables(): { name: string; partition: MemtablePartition }[] {
    const { active, immutables } = this.#view()
    const sealed = immutables.map((partition) => ({ name: 'sealed', partition }))
    return active === undefined ? sealed : [{ name: 'active', partition: active }, ...sealed]
  }

  /** The runs of level 0 and the levels below. */
  #runs(): { name: string; handles: readonly OpenFile[] }[] {
    const { level0, levels } = this.#view()
    return [
      ...level0.map(({ handles }) => ({ name: 'L0', handles })),
      ...levels.map(({ handles }) => ({ name: `L${handles[0]?.meta.level}`, handles })),
    ]
  }

  #namedFiles(): { name: string; handle: OpenFile }[] {
    return this.#runs().flatMap(({ name, handles }) =>
      handles.map((handle) => ({ name: `${name} ${this.#file(handle)}`, handle })),
    )
  }

  #file({ meta }: OpenFile): string {
    const [from, to] = [meta.smallest, meta.largest].map((key) =>
      text.decode(key.subarray(PREFIX_BYTES)),
    )
    const [min, max] = [meta.minTimestamp, meta.maxTimestamp].map(this.#numberOf)
    return `[${from === to ? from : `${from}-${to}`} @${min === max ? min : `${min}-${max}`}]`
  }

  async #drain(cursor: RecordCursor): Promise<string[]> {
    const records: string[] = []
    let status = cursor.first()
    for (;;) {
      while (status === PENDING) status = await cursor.load()
      if (status === END) break
      records.push(recordPicture(cursor, this.#numberOf))
      status = cursor.next()
    }
    cursor.close()
    return records
  }
}

function cursorOver(handles: readonly OpenFile[]): RecordCursor {
  return new LevelCursor(handles, { reverse: false })
}

/** What a cursor over a memtable yields. By default all versions, as a flush sees them. */
export function memtablePicture(
  partition: MemtablePartition,
  options: MemtableCursorOptions = {},
  numberOf: NumberOf = (timestamp) => timestamp,
): string {
  const cursor = new MemtableCursor(partition, options)
  const records: string[] = []
  for (let status = cursor.first(); status !== END; status = cursor.next()) {
    records.push(recordPicture(cursor, numberOf))
  }
  return records.join(' ')
}

/** A picture as it stands in a test: without the indent and the first and last line break. */
export function picture(drawing: string): string {
  const lines = drawing.replace(/^\n/, '').trimEnd().split('\n')
  const indent = Math.min(...lines.map((line) => line.search(/\S|$/)))
  return lines.map((line) => line.slice(indent)).join('\n')
}

/** Values that are shown by a word. */
const LONG_VALUES: Readonly<Record<string, string>> = {
  fill: 'x'.repeat(2000),
  large: 'x'.repeat(4000),
}

function shortened(value: string): string {
  return Object.keys(LONG_VALUES).find((word) => LONG_VALUES[word] === value) ?? value
}

function recordPicture(cursor: RecordCursor, numberOf: NumberOf): string {
  const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd } = cursor
  const key = text.decode(keyBytes.subarray(keyStart + PREFIX_BYTES, keyEnd))
  const value = shortened(text.decode(valueBytes.subarray(valueStart, valueEnd)))
  const change = cursor.kind === KIND_DELETE ? '!' : `=${value}`
  return `${key}@${numberOf(cursor.timestamp)}${change}`
}

/** Lines of two columns. */
function drawn(lines: readonly (readonly string[])[]): string {
  const width = Math.max(0, ...lines.map(([name = '']) => name.length)) + 2
  return lines.map(([name = '', ...rest]) => name.padEnd(width) + rest.join(' ')).join('\n')
}
