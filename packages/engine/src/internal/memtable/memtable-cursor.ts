import { compareRanges } from '@firn/bytes'
import { type CursorStatus, END, MAX_TIMESTAMP, POSITIONED, type RecordCursor } from '@firn/mvcc'
import type { MemtablePartition } from './memtable-partition.js'
import { Slab } from './slab.js'

export interface MemtableCursorOptions {
  reverse?: boolean
  /** Yield only each key's newest version at or before this timestamp. */
  timestamp?: number
}

/**
 * The records of one table of a memtable, in internal order, as they were when the cursor was made.
 * With a `timestamp`, one version per key, as private copies that users may be given; without, all
 * versions (forward only), except those that a later write of the same commit replaced.
 */
export class MemtableCursor implements RecordCursor {
  readonly reverse: boolean
  readonly stable = true
  keyBytes: Uint8Array
  keyStart = 0
  keyEnd = 0
  timestamp = 0
  kind = 0
  valueBytes: Uint8Array
  valueStart = 0
  valueEnd = 0

  readonly #table: MemtablePartition
  readonly #asOf: number
  readonly #allVersions: boolean
  readonly #runs: readonly Uint32Array[]
  /** Next position in each run; in reverse, one past it. */
  readonly #positions: number[]
  readonly #slab: Slab | undefined
  #version = -1

  constructor(table: MemtablePartition, options: MemtableCursorOptions = {}) {
    this.#table = table
    this.reverse = options.reverse ?? false
    this.#allVersions = options.timestamp === undefined
    this.#asOf = options.timestamp ?? MAX_TIMESTAMP
    this.#runs = table.sortedRuns()
    this.#positions = this.#runs.map(() => 0)
    this.keyBytes = table.bytes
    this.valueBytes = table.bytes
    this.#slab = this.#allVersions ? undefined : new Slab()
  }

  first(): CursorStatus {
    for (let i = 0; i < this.#runs.length; i++) {
      this.#positions[i] = this.reverse ? (this.#runs[i] as Uint32Array).length : 0
    }
    return this.#nextKey()
  }

  seek(bytes: Uint8Array, start: number, end: number, inclusive: boolean): CursorStatus {
    // Forward, the keys to skip are those below the target; in reverse, they are the keys to keep.
    const passEqual = this.reverse ? inclusive : !inclusive
    for (let i = 0; i < this.#runs.length; i++) {
      this.#positions[i] = this.#boundary(
        this.#runs[i] as Uint32Array,
        bytes,
        start,
        end,
        passEqual,
      )
    }
    return this.#nextKey()
  }

  next(): CursorStatus {
    if (this.#allVersions) {
      const older = this.#olderVersion()
      if (older >= 0) return this.#stand(older)
    }
    return this.#nextKey()
  }

  async load(): Promise<CursorStatus> {
    return END
  }

  close(): void {}

  #olderVersion(): number {
    const { older, timestamps } = this.#table
    let version = this.#version
    do version = older[version] as number
    while (version >= 0 && timestamps[version] === this.timestamp)
    return version
  }

  #nextKey(): CursorStatus {
    this.#table.assertHeld()
    for (;;) {
      const keyId = this.#takeKey()
      if (keyId < 0) return END
      const version = this.#table.versionAt(keyId, this.#asOf)
      if (version < 0) continue
      this.keyBytes = this.#table.bytes
      this.keyStart = this.#table.keyOffsets[keyId] as number
      this.keyEnd = this.#table.keyEnds[keyId] as number
      this.#stand(version)
      if (this.#slab !== undefined) this.#copyOut(this.#slab)
      return POSITIONED
    }
  }

  #copyOut(slab: Slab): void {
    const keyStart = slab.append(this.keyBytes, this.keyStart, this.keyEnd)
    this.keyEnd += keyStart - this.keyStart
    this.keyStart = keyStart
    this.keyBytes = slab.bytes
    const valueStart = slab.append(this.valueBytes, this.valueStart, this.valueEnd)
    this.valueEnd += valueStart - this.valueStart
    this.valueStart = valueStart
    this.valueBytes = slab.bytes
  }

  #stand(version: number): CursorStatus {
    const table = this.#table
    this.#version = version
    this.timestamp = table.timestamps[version] as number
    this.kind = table.kinds[version] as number
    this.valueBytes = table.bytes
    this.valueStart = table.valueOffsets[version] as number
    this.valueEnd = table.valueEnds[version] as number
    return POSITIONED
  }

  /** Takes the first key in this direction from its run; -1 when all runs are used up. */
  #takeKey(): number {
    let best = -1
    let bestRun = -1
    const step = this.reverse ? -1 : 0
    for (let i = 0; i < this.#runs.length; i++) {
      const run = this.#runs[i] as Uint32Array
      const at = (this.#positions[i] as number) + step
      if (at < 0 || at >= run.length) continue
      const keyId = run[at] as number
      if (best < 0 || this.#before(keyId, best)) {
        best = keyId
        bestRun = i
      }
    }
    if (bestRun >= 0) this.#positions[bestRun] = (this.#positions[bestRun] as number) + (step || 1)
    return best
  }

  #before(a: number, b: number): boolean {
    const { bytes, keyOffsets, keyEnds } = this.#table
    const order = compareRanges(
      bytes,
      keyOffsets[a] as number,
      keyEnds[a] as number,
      bytes,
      keyOffsets[b] as number,
      keyEnds[b] as number,
    )
    return this.reverse ? order > 0 : order < 0
  }

  /** Counts the keys of a run below the target, or equal to it if `passEqual`. */
  #boundary(
    run: Uint32Array,
    target: Uint8Array,
    start: number,
    end: number,
    passEqual: boolean,
  ): number {
    const { bytes, keyOffsets, keyEnds } = this.#table
    let low = 0
    let high = run.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const keyId = run[middle] as number
      const from = keyOffsets[keyId] as number
      const to = keyEnds[keyId] as number
      const order = compareRanges(bytes, from, to, target, start, end)
      if (order < 0 || (passEqual && order === 0)) low = middle + 1
      else high = middle
    }
    return low
  }
}
