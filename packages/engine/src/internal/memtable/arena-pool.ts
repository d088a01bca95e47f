/** Number of sets of arrays kept for later memtables. */
const MAX_KEPT = 1
/** Up to this size, memory is reserved in advance. */
const MAX_EXPECTED_BYTES = 64 * 1024 * 1024
const MAX_SMALL_BYTES = 1024 * 1024
// A sealed memtable may hold somewhat more than the size it was created for.
const ROOM = 1.125

/** The arrays of one memtable partition. */
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
 * Reuses the arrays of large memtables. A load of five million records fills 25 memtables of 32
 * MiB. Left to the garbage collector, which sees only small objects that stand for them, up to 550
 * MB of them waited to be collected; and used memory needs neither zeroing nor page faults. If
 * another thread writes memtables to files, arrays are shared with it, not copied.
 */
export class ArenaPool {
  /** The likely content of a memtable, in bytes of keys and values. */
  readonly expectedBytes: number
  /** A table that has grown to this many bytes takes its memory from here. */
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
   * Returns arrays for at least this many bytes and records. Only `slots` are zeroed; the others
   * have undefined contents.
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

  /** Takes back the arrays of a memtable that no code reads any more. */
  give(arrays: MemtableArrays): void {
    if (this.#free.length === MAX_KEPT) this.#free.shift()
    this.#free.push(arrays)
  }

  /** Bytes of the memory kept for later memtables, counting only what was used. */
  get keptBytes(): number {
    return this.#free.length * this.expectedBytes
  }

  /** Releases the memory kept for later memtables. */
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
