import type { Mutant } from './mutant.js'

/** Bugs with arrays and objects that a caller reuses or gets. */
export const INPUTS: readonly Mutant[] = [
  {
    name: 'waiting-write-keeps-callers-bytes',
    bug: 'A write that has to wait keeps a reference to its caller’s bytes, which the caller reuses.',
    patches: [
      {
        module: 'engine/internal/commit/committer',
        from: 'copyBytes(key), copyBytes(value), durability',
        to: 'key, value, durability',
      },
    ],
  },
  {
    name: 'read-key-noted-by-reference',
    bug: 'A transaction records a key that it reads as the caller’s own array.',
    patches: [
      {
        module: 'engine/internal/transaction/transaction-table-handle',
        from: 'copyBytes(encodeKey(this.#identity, key))',
        to: 'encodeKey(this.#identity, key)',
      },
    ],
  },
  {
    name: 'value-is-the-memtables',
    bug: 'A value read from memory is returned without a copy, so the caller may overwrite it.',
    patches: [
      {
        module: 'engine/internal/read/table-reader',
        from: ': this.#slab.copy(valueBytes, valueStart, valueEnd);',
        to: ': valueBytes.subarray(valueStart, valueEnd);',
      },
    ],
  },
  {
    name: 'row-is-the-memtables',
    bug: 'The rows of a scan are returned from memory without a copy, so the caller may overwrite them.',
    patches: [
      {
        module: 'engine/internal/memtable/memtable-cursor',
        from: 'if (this.#slab !== undefined) this.#copyOut(this.#slab);',
        to: '',
      },
    ],
  },
  {
    name: 'bound-kept-by-reference',
    bug: 'A scan keeps a reference to its bound, which the caller reuses.',
    patches: [
      {
        module: 'engine/internal/arguments/range',
        from: 'key: encodeToKeep(keys, key), inclusive',
        to: 'key: keys.encode(key), inclusive',
      },
    ],
  },
  {
    name: 'late-key-kept-by-reference',
    bug: 'A read that has to wait keeps a reference to its key.',
    patches: [
      {
        module: 'engine/internal/arguments/keys',
        from: 'this.#encode(table.keys, key, encodeToKeep);',
        to: 'this.#encode(table.keys, key, encodeWith);',
      },
    ],
  },
  {
    name: 'moment-kept-by-reference',
    bug: 'A read keeps a reference to the object that says at which moment to read.',
    patches: [
      {
        module: 'engine/internal/arguments/read-options',
        from: 'at: at === undefined ? undefined : takeMoment(at),',
        to: 'at: at === undefined ? undefined : at instanceof Date ? takeMoment(at) : at,',
      },
    ],
  },
  {
    name: 'passed-key-not-kept',
    bug: 'A scan that has to wait continues from the previous row’s key, which its reader may have overwritten.',
    patches: [
      {
        module: 'mvcc/visible-cursor',
        from: 'if (status === PENDING && this.#holds && this.stable) this.#copyKey(this);',
        to: '',
      },
    ],
  },
  {
    name: 'place-in-scan-not-kept',
    bug: 'A scan continues in other files after the key of its last row, which its reader may have overwritten.',
    patches: [
      {
        module: 'engine/internal/read/page-reader',
        from: 'this.#lastKey = lastBytes.slice(lastStart, lastEnd);',
        to: 'this.#lastKey = lastBytes.subarray(lastStart, lastEnd);',
      },
    ],
  },
]
