import type { Mutant } from './mutant.js'

/** Bugs in the validation of transactions. */
export const TRANSACTIONS: readonly Mutant[] = [
  {
    name: 'read-keys-not-validated',
    bug: 'A transaction ignores others’ writes to the keys that it read.',
    patches: [
      {
        module: 'engine/internal/transaction/changed-since',
        from: 'if (await isKeyNewer(part, key, since)) return changed;',
        to: '',
      },
    ],
  },
  {
    name: 'read-ranges-not-validated',
    bug: 'A transaction ignores others’ writes to the ranges that it read.',
    patches: [
      {
        module: 'engine/internal/transaction/changed-since',
        from: 'if (bounds !== undefined && (await isRangeNewer(part, bounds, since, slice)))',
        to: 'if (false)',
      },
    ],
  },
  {
    name: 'phantom-behind-last-row',
    bug: 'A range that a transaction read to its end is validated only up to its last row.',
    patches: [
      {
        module: 'engine/internal/transaction/read-set',
        from: 'readAll() { this.#whole = true; }',
        to: 'readAll() { }',
      },
    ],
  },
  {
    name: 'loser-validated-once',
    bug: 'A transaction that lost its version is not validated against what the winners committed.',
    patches: [
      {
        module: 'engine/internal/append/shared-log-appender',
        from: 'await group.check(versions);',
        to: `if (group.wasChecked !== true) await group.check(versions);
          group.wasChecked = true;`,
      },
    ],
  },
  {
    name: 'validated-in-memory-alone',
    bug: 'A transaction is validated against memory only; others’ writes in files are left out.',
    patches: [
      {
        module: 'engine/internal/transaction/changed-since',
        from: 'of [...immutables, ...level0, ...levels]) {',
        to: 'of [...immutables]) {',
      },
    ],
  },
  {
    name: 'made-anew-is-unchanged',
    bug: 'A table that was dropped and created again since a transaction read it counts as the same table.',
    patches: [
      {
        module: 'engine/internal/transaction/changed-since',
        from: 'if (idThen !== undefined && id !== idThen)',
        to: 'if (since < 0)',
      },
    ],
  },
]
