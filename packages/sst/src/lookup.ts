import { MAX_TIMESTAMP } from '@firn/mvcc'
import { KeyHash } from './internal/filter-hash.js'

const NO_BYTES = new Uint8Array(0)
const NOTHING_HELD: readonly Held[] = Object.freeze([])

interface Held {
  readonly owner: object
  readonly ordinal: number
  readonly value: object
}

/**
 * A key and a timestamp to look for in any number of files, and the record that was found. Reuse it
 * for the next lookup, so that lookups allocate nothing.
 */
export class SstLookup {
  /** @internal The key to look for. */
  keyBytes: Uint8Array = NO_BYTES
  /** @internal */
  keyStart = 0
  /** @internal */
  keyEnd = 0
  /** The newest version up to this timestamp is found. */
  timestamp: number = MAX_TIMESTAMP

  /** Kind of the record that was found. */
  kind = 0
  /** Timestamp of the record that was found. */
  foundTimestamp = 0
  /** The value found, `valueBytes[valueStart, valueEnd)`, is in a cached block: copy it. */
  valueBytes: Uint8Array = NO_BYTES
  valueStart = 0
  valueEnd = 0

  /** @internal Whether the hashes are computed; this happens when they are first needed. */
  hashed = false
  /** @internal */
  hash1 = 0
  /** @internal */
  hash2 = 0
  readonly #hash = new KeyHash()
  // Blocks that `load` read for this lookup: the cache may be too small to keep them until `find`.
  #held: readonly Held[] = NOTHING_HELD

  /** Sets the key, `keyBytes[keyStart, keyEnd)`, and the timestamp. Doesn't copy the bytes. */
  set(keyBytes: Uint8Array, keyStart: number, keyEnd: number, timestamp: number): void {
    this.keyBytes = keyBytes
    this.keyStart = keyStart
    this.keyEnd = keyEnd
    this.timestamp = timestamp
    this.hashed = false
    if (this.#held !== NOTHING_HELD) this.#held = NOTHING_HELD
  }

  /** @internal Computes the hashes. */
  computeHash(): void {
    this.#hash.hash(this.keyBytes, this.keyStart, this.keyEnd)
    this.hash1 = this.#hash.first
    this.hash2 = this.#hash.second
    this.hashed = true
  }

  /** @internal Keeps a value until the next `set`. */
  hold(owner: object, ordinal: number, value: object): void {
    if (this.held(owner, ordinal) !== undefined) return
    this.#held = [...this.#held, { owner, ordinal, value }]
  }

  /** @internal The value that `hold` kept for an ordinal of an owner. */
  held(owner: object, ordinal: number): object | undefined {
    for (const held of this.#held) {
      if (held.owner === owner && held.ordinal === ordinal) return held.value
    }
    return undefined
  }
}
