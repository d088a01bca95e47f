/** How many sets of arrays are kept for memtables to come. */
const MAX_KEPT = 1
/** Up to which size memory is reserved beforehand. */
const MAX_EXPECTED_BYTES = 64 * 1024 * 1024
const MAX_SMALL_BYTES = 1024 * 1024
// A sealed memtable may hold somewhat more than it was made for.
const ROOM = 1.125

/** The arrays of one table's part of a memtable. */
export interface MemtableArrays {
  bytes: Uint8Array
  keyOffsets: Uint32Array
  keyEnds: Uint32Array
  keyHashes: Uint32Array
  newest: Int32Array
  slots: Int32Array
  timestamps: Float64Array
  kinds: Uint8Array
  valueOffsets: Uint32Array
  valueEnds: Uint32Array
  older: Int32Array
}

/**
 * The arrays of large memtables, which one memtable after the other uses. A load of five million
 * records fills 25 memtables of 32 MiB: left to the garbage collector, which sees only small
 * objects that stand for them, up to 550 MB of them waited to be collected; and memory that was
 * used before needs neither zeroes nor page faults.
 *
 * Where memtables are written to files by another thread, arrays are shared with it, not copied.
 */
export class ArenaPool {
  /** What a memtable is likely to hold, in bytes of keys and values. */
  readonly expectedBytes: number
  /** A table that has grown to so many bytes takes its memory from here. */
  readonly fromBytes: number
  readonly isShared: boolean
  readonly #free: MemtableArrays[] = []

  /** `memtableBytes` is the size at which memtables are sealed. */
  constructor(memtableBytes: number, isShared: boolean) {
    this.expectedBytes = Math.min(memtableBytes, MAX_EXPECTED_BYTES)
    this.fromBytes = Math.min(this.expectedBytes / 4, MAX_SMALL_BYTES)
    this.isShared = isShared
  }

  /**
   * Arrays for so many bytes and records, or more. Only `slots` are zeroes, all others anything.
   */
  take(bytes: number, records: number): MemtableArrays {
    const kept = this.#free.findIndex((arrays) => arrays.bytes.length >= bytes)
    const [arrays] = kept < 0 ? [] : this.#free.splice(kept, 1)
    if (
      arrays !== undefined &&
      arrays.keyOffsets.length >= records &&
      arrays.timestamps.length >= records
    ) {
      arrays.slots.fill(0)
      return arrays
    }
    return this.#make(bytes, Math.ceil(records * ROOM))
  }

  /** Takes back the arrays of a memtable that nobody reads any more. */
  give(arrays: MemtableArrays): void {
    if (this.#free.length === MAX_KEPT) this.#free.shift()
    this.#free.push(arrays)
  }

  /** Bytes of memory that waits for a memtable, as far as it was used. */
  get keptBytes(): number {
    return this.#free.length * this.expectedBytes
  }

  /** Lets go of what waits for memtables. */
  clear(): void {
    this.#free.length = 0
  }

  #make(bytes: number, records: number): MemtableArrays {
    // Half of the slots stay empty; a power of two.
    const slots = 2 ** Math.ceil(Math.log2(records * 2))
    return {
      bytes: new Uint8Array(this.#buffer(bytes)),
      keyOffsets: new Uint32Array(this.#buffer(records * 4)),
      keyEnds: new Uint32Array(this.#buffer(records * 4)),
      keyHashes: new Uint32Array(records),
      newest: new Int32Array(this.#buffer(records * 4)),
      slots: new Int32Array(slots),
      timestamps: new Float64Array(this.#buffer(records * 8)),
      kinds: new Uint8Array(this.#buffer(records)),
      valueOffsets: new Uint32Array(this.#buffer(records * 4)),
      valueEnds: new Uint32Array(this.#buffer(records * 4)),
      older: new Int32Array(this.#buffer(records * 4)),
    }
  }

  #buffer(bytes: number): ArrayBufferLike {
    return this.isShared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes)
  }
}
