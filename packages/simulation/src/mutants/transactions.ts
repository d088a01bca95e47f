import type { Mutant } from './mutant.js'

/** In the validation of transactions. */
export const TRANSACTIONS: readonly Mutant[] = [
  {
    name: 'read-keys-not-validated',
    bug: 'What others wrote to the keys that a transaction read is not looked at.',
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
    bug: 'What others wrote to the ranges that a transaction read is not looked at.',
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
    bug: 'A range that a transaction read to its end is validated up to its last row.',
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
    bug: 'A transaction that lost its version to others is not validated against what they committed.',
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
    bug: 'A transaction is held against what is in memory; what others wrote to files is left out.',
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
    bug: 'A table that was dropped and made anew since a transaction read it counts as the same.',
    patches: [
      {
        module: 'engine/internal/transaction/changed-since',
        from: 'if (idThen !== undefined && id !== idThen)',
        to: 'if (since < 0)',
      },
    ],
  },
]
