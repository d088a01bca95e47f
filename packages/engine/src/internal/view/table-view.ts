import { compareRanges } from '@firn/bytes'
import {
  ABSENT,
  FOUND,
  KIND_DELETE,
  type LookupStatus,
  MAX_TIMESTAMP,
  NOT_RESIDENT,
  TABLE_PREFIX_BYTES,
} from '@firn/mvcc'
import type { OpenFile } from '../files/file-cache.js'
import { firstFileAtOrAfter } from '../files/file-search.js'
import type { Memtable } from '../memtable/memtable.js'
import type { MemtablePartition } from '../memtable/memtable-partition.js'
import type { PointLookup } from './point-lookup.js'

/** Files of one level, or a run of level 0: in key order, without overlap. */
export interface LevelFiles {
  readonly handles: readonly OpenFile[]
  readonly maxTimestamp: number
}

/**
 * Everything that a read of one table searches, newest first: the active memtable, immutable
 * memtables, level-0 files, levels. Commits too large to be inline add files whose timestamps lie
 * between those of the memtable's records. So the first version found need not be the newest: a
 * search continues while a source could hold a newer one.
 */
export class TableView {
  readonly tableId: number
  readonly historyFloor: number
  /** Sorted runs, newest first. */
  readonly level0: readonly LevelFiles[]
  readonly levels: readonly LevelFiles[]
  readonly #active: Memtable
  #activePart: MemtablePartition | undefined
  readonly immutables: readonly MemtablePartition[]

  constructor(parts: {
    tableId: number
    historyFloor: number
    active: Memtable
    immutables: readonly Memtable[]
    level0: readonly (readonly OpenFile[])[]
    levels: readonly (readonly OpenFile[])[]
  }) {
    this.tableId = parts.tableId
    this.historyFloor = parts.historyFloor
    this.#active = parts.active
    this.immutables = parts.immutables.flatMap((memtable) => {
      const table = memtable.tables.get(parts.tableId)
      return table === undefined ? [] : [table]
    })
    this.level0 = parts.level0.map(levelFiles)
    this.levels = parts.levels.filter((handles) => handles.length > 0).map(levelFiles)
  }

  /** The active memtable's part; `undefined` before the first record. */
  get active(): MemtablePartition | undefined {
    if (this.#activePart === undefined) this.#activePart = this.#active.tables.get(this.tableId)
    return this.#activePart
  }

  /**
   * Finds the newest version at or before the lookup's timestamp; deletes are `ABSENT`. After
   * `NOT_RESIDENT`, `finish` continues where this call stopped, so a search ends even if the cache
   * is too small for all its blocks.
   */
  find(lookup: PointLookup): LookupStatus {
    if (lookup.stage === 0) {
      const active = this.active
      if (active !== undefined) findInMemtable(active, lookup)
      for (let i = 0; i < this.immutables.length; i++) {
        const memtable = this.immutables[i] as MemtablePartition
        if (memtable.maxTimestamp > lookup.foundTimestamp) findInMemtable(memtable, lookup)
      }
      lookup.stage = 1
    }
    const levelsFrom = 1 + this.level0.length
    for (let i = lookup.stage; i < levelsFrom; i++) {
      const run = this.level0[i - 1] as LevelFiles
      // Newest first: no later run of the level can hold anything newer.
      if (run.maxTimestamp <= lookup.foundTimestamp) break
      const handle = fileFor(run.handles, lookup.key, lookup.keyEnd)
      if (handle !== undefined && findInFile(handle, lookup) === NOT_RESIDENT) {
        lookup.stage = i
        return NOT_RESIDENT
      }
    }
    for (let i = Math.max(0, lookup.stage - levelsFrom); i < this.levels.length; i++) {
      const level = this.levels[i] as LevelFiles
      if (level.maxTimestamp <= lookup.foundTimestamp) continue
      const handle = fileFor(level.handles, lookup.key, lookup.keyEnd)
      if (handle !== undefined && findInFile(handle, lookup) === NOT_RESIDENT) {
        lookup.stage = levelsFrom + i
        return NOT_RESIDENT
      }
    }
    return lookup.foundTimestamp >= 0 && lookup.kind !== KIND_DELETE ? FOUND : ABSENT
  }

  /** Completes a search that was `NOT_RESIDENT`: waits for each block that it lacks. */
  async finish(
    lookup: PointLookup,
    signal: AbortSignal | undefined,
  ): Promise<typeof FOUND | typeof ABSENT> {
    for (;;) {
      await this.load(lookup, signal)
      const status = this.find(lookup)
      if (status !== NOT_RESIDENT) return status
    }
  }

  /**
   * Reads what `find` lacked, and searches the file that lacked it: if memory is too small to keep
   * files open, the next `find` would find it closed again.
   */
  async load(lookup: PointLookup, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    if (lookup.missing === undefined) return
    const { handle, asked } = lookup.missing
    if (handle.reader === undefined) this.#openAhead(lookup)
    const reader = handle.tryEnter() ?? (await handle.enter(signal))
    try {
      signal?.throwIfAborted()
      // A newly opened file may need nothing more, or its filter excludes the key.
      let status = reader === asked ? NOT_RESIDENT : reader.find(lookup.sst)
      while (status === NOT_RESIDENT) {
        await reader.load(lookup.sst, { signal })
        status = reader.find(lookup.sst)
      }
      take(lookup, status)
      lookup.stage++
    } finally {
      handle.leave(reader)
    }
  }

  /** Opens the other files that the search may reach while it waits for the first one. */
  #openAhead(lookup: PointLookup): void {
    for (const { handles } of [...this.level0, ...this.levels]) {
      const handle = fileFor(handles, lookup.key, lookup.keyEnd)
      // If opening fails, the search itself reports it when it needs the file.
      if (handle !== undefined && handle.reader === undefined) handle.open().catch(() => {})
    }
  }
}

function findInMemtable(table: MemtablePartition, lookup: PointLookup): void {
  const { key, keyEnd } = lookup
  const version = table.find(key, TABLE_PREFIX_BYTES, keyEnd, lookup.timestamp)
  if (version < 0) return
  const timestamp = table.timestamps[version] as number
  if (timestamp <= lookup.foundTimestamp) return
  lookup.foundTimestamp = timestamp
  lookup.kind = table.kinds[version] as number
  lookup.valueBytes = table.bytes
  lookup.valueStart = table.valueOffsets[version] as number
  lookup.valueEnd = table.valueEnds[version] as number
}

function findInFile(handle: OpenFile, lookup: PointLookup): LookupStatus {
  const { reader } = handle
  if (lookup.timestamp !== MAX_TIMESTAMP && handle.meta.minTimestamp > lookup.timestamp) {
    return ABSENT
  }
  const status = reader === undefined ? NOT_RESIDENT : reader.find(lookup.sst)
  if (status === NOT_RESIDENT) lookup.missing = { handle, asked: reader }
  else take(lookup, status)
  return status
}

function take(lookup: PointLookup, status: LookupStatus): void {
  if (status === FOUND && lookup.sst.foundTimestamp > lookup.foundTimestamp) lookup.takeSst()
}

function levelFiles(handles: readonly OpenFile[]): LevelFiles {
  const maxTimestamp = handles.reduce((max, { meta }) => Math.max(max, meta.maxTimestamp), 0)
  return { handles, maxTimestamp }
}

function fileFor(
  handles: readonly OpenFile[],
  key: Uint8Array,
  keyEnd: number,
): OpenFile | undefined {
  const handle = handles[firstFileAtOrAfter(handles, key, keyEnd)]
  if (handle === undefined) return undefined
  const { smallest } = handle.meta
  return compareRanges(key, 0, keyEnd, smallest, 0, smallest.length) >= 0 ? handle : undefined
}
