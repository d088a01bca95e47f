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
 * A key and a timestamp to look for in any number of files, and what was found. Reused from one
 * lookup to the next: nothing is allocated on the way.
 */
export class SstLookup {
  /** @internal What is looked for. */
  keyBytes: Uint8Array = NO_BYTES
  /** @internal */
  keyStart = 0
  /** @internal */
  keyEnd = 0
  /** Versions up to this timestamp are seen. */
  timestamp: number = MAX_TIMESTAMP

  /** Found: the record's kind. */
  kind = 0
  /** Found: the record's timestamp. */
  foundTimestamp = 0
  /** Found: where the value is. A view of a cached block: copy it before handing it out. */
  valueBytes: Uint8Array = NO_BYTES
  valueStart = 0
  valueEnd = 0

  /** @internal Whether the hashes are those of the key: they are computed when first needed. */
  hashed = false
  /** @internal */
  hash1 = 0
  /** @internal */
  hash2 = 0
  readonly #hash = new KeyHash()
  // What `load` brought for this lookup: the cache may be too small to keep it until `find`.
  #held: readonly Held[] = NOTHING_HELD

  /** Looks for `keyBytes[keyStart, keyEnd)` as of `timestamp` from now on. Bytes aren't copied. */
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

  /** @internal The value held for an ordinal of an owner. */
  held(owner: object, ordinal: number): object | undefined {
    for (const held of this.#held) {
      if (held.owner === owner && held.ordinal === ordinal) return held.value
    }
    return undefined
  }
}
