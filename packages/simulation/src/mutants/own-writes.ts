import type { Mutant } from './mutant.js'

/** In what a transaction sees of its own writes, and notes of its reads. */
export const OWN_WRITES: readonly Mutant[] = [
  {
    name: 'scan-meets-later-own-writes',
    bug: 'A scan in a transaction shows what the transaction writes while it goes on.',
    patches: [
      {
        module: 'engine/internal/transaction/transaction-source',
        from: 'if (this.#isHeld) this.#unhold();',
        to: '',
      },
    ],
  },
  {
    name: 'own-writes-lost-after-scan',
    bug: 'What a transaction wrote before a scan is forgotten when it writes again.',
    patches: [
      {
        module: 'engine/internal/transaction/transaction-source',
        from: 'table.copyAfter(-1, copy.table(id));',
        to: 'table.copyAfter(this.timestamp, copy.table(id));',
      },
    ],
  },
  {
    name: 'own-writes-unseen-after-scan',
    bug: 'After a scan, a transaction does not see what it writes from there on.',
    patches: [
      {
        module: 'engine/internal/transaction/transaction-source',
        from: 'this.#letGo(); this.#writes.release(); this.#writes = copy;',
        to: 'this.#writes = copy;',
      },
    ],
  },
  {
    name: 'reverse-range-noted-upside-down',
    bug: 'Of a scan from the end that was left early, the part that was not read is validated.',
    patches: [
      {
        module: 'engine/internal/transaction/read-set',
        from: '{ ...bounds, lower: last } : { ...bounds, upper: last }',
        to: '{ ...bounds, upper: last } : { ...bounds, upper: last }',
      },
    ],
  },
  {
    name: 'count-not-validated',
    bug: 'What a transaction counts is not validated.',
    patches: [
      {
        module: 'engine/internal/read/table-reader',
        from: 'range: this.noteRange(scan),',
        to: "range: call === 'count' ? undefined : this.noteRange(scan),",
      },
    ],
  },
  {
    name: 'has-not-validated',
    bug: 'A key that a transaction asks for by has is not validated.',
    patches: [
      {
        module: 'engine/internal/transaction/transaction-table-handle',
        from: 'async has(key, options) { this.#noteKey(key);',
        to: 'async has(key, options) {',
      },
    ],
  },
  {
    name: 'first-of-many-validated',
    bug: 'Of keys that a transaction reads together, the first is validated.',
    patches: [
      {
        module: 'engine/internal/transaction/transaction-table-handle',
        from: 'for (const key of keys) this.#noteKey(key);',
        to: 'for (const key of keys.slice(0, 1)) this.#noteKey(key);',
      },
    ],
  },
  {
    name: 'first-page-validated',
    bug: 'Of the pages of a scan, a transaction validates the first.',
    patches: [
      {
        module: 'engine/internal/transaction/read-set',
        from: 'readThrough(storedKey) { this.#through =',
        to: 'readThrough(storedKey) { this.#through ??=',
      },
    ],
  },
  {
    name: 'new-tables-share-an-id',
    bug: 'Two tables that a transaction makes have the same id until it commits.',
    patches: [
      {
        module: 'engine/internal/transaction/transaction-source',
        from: 'const id = PROVISIONAL_ID + this.#newTables.size;',
        to: 'const id = PROVISIONAL_ID;',
      },
    ],
  },
  {
    name: 'snapshot-isolation-holds-nothing',
    bug: 'A transaction in snapshots is not held against what others wrote to its keys.',
    patches: [
      {
        module: 'engine/internal/transaction/transaction-handle',
        from: 'new ReadSet(writes)',
        to: 'new ReadSet()',
      },
    ],
  },
]
