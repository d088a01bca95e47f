import type { Mutant } from './mutant.js'

/**
 * In what becomes of arrays and objects that a caller uses again, and of those that it is given.
 */
export const INPUTS: readonly Mutant[] = [
  {
    name: 'waiting-write-keeps-callers-bytes',
    bug: 'A write that has to wait holds the bytes of its caller, who uses them again.',
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
    bug: 'A transaction notes a key that it reads as the array that it was given.',
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
    bug: 'A value that is read from memory is given as it lies there, and may be written over.',
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
    bug: 'The rows of a scan are given as they lie in memory, and may be written over.',
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
    bug: 'A bound of a scan is kept as the array that the caller gave, who uses it again.',
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
    bug: 'The key of a read that has to wait is kept as the array that the caller gave.',
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
    bug: 'The moment of a read is kept as the object that the caller gave.',
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
    bug: 'A scan that has to wait goes by the key of the row before it, which its reader may have overwritten.',
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
    bug: 'A scan goes on in other files behind the key of its last row, which its reader may have overwritten.',
    patches: [
      {
        module: 'engine/internal/read/page-reader',
        from: 'this.#lastKey = lastBytes.slice(lastStart, lastEnd);',
        to: 'this.#lastKey = lastBytes.subarray(lastStart, lastEnd);',
      },
    ],
  },
]
