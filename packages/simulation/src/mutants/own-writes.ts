import type { Mutant } from './mutant.js'

/** Bugs in what a transaction sees of its own writes, and records of its reads. */
export const OWN_WRITES: readonly Mutant[] = [
  {
    name: 'scan-meets-later-own-writes',
    bug: 'A scan in a transaction shows what the transaction writes during the scan.',
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
    bug: 'A transaction’s writes from before a scan are forgotten when it writes again.',
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
    bug: 'After a scan, a transaction doesn’t see its later writes.',
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
    bug: 'If a reverse scan is left early, the part that was not read is validated.',
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
    bug: 'A count in a transaction is not validated.',
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
    bug: 'A key that a transaction checks with `has` is not validated.',
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
    bug: 'When a transaction reads several keys together, only the first is validated.',
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
    bug: 'A transaction validates only the first page of a scan.',
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
    bug: 'Two tables that a transaction creates have the same id until it commits.',
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
    bug: 'A transaction with snapshot isolation is not validated against others’ writes to its keys.',
    patches: [
      {
        module: 'engine/internal/transaction/transaction-handle',
        from: 'new ReadSet(writes)',
        to: 'new ReadSet()',
      },
    ],
  },
]
