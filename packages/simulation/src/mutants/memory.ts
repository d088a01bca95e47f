import type { Mutant } from './mutant.js'

/** In memtables, of which several wait to be written to files. */
export const MEMORY: readonly Mutant[] = [
  {
    name: 'get-asks-newest-sealed-memtable',
    bug: 'Of the memtables that wait to be flushed, a get looks into the newest one alone.',
    patches: [
      {
        module: 'engine/internal/view/table-view',
        from: 'for (let i = 0; i < this.immutables.length; i++)',
        to: 'for (let i = 0; i < Math.min(1, this.immutables.length); i++)',
      },
    ],
  },
  {
    name: 'get-misses-third-sealed-memtable',
    bug: 'A get looks into two of the memtables that wait to be flushed, and into no more.',
    patches: [
      {
        module: 'engine/internal/view/table-view',
        from: 'for (let i = 0; i < this.immutables.length; i++)',
        to: 'for (let i = 0; i < Math.min(2, this.immutables.length); i++)',
      },
    ],
  },
  {
    name: 'scan-asks-newest-sealed-memtable',
    bug: 'Of the memtables that wait to be flushed, a scan reads the newest one alone.',
    patches: [
      {
        module: 'engine/internal/read/page-reader',
        from: '[table.active, ...table.immutables]',
        to: '[table.active, ...table.immutables.slice(0, 1)]',
      },
    ],
  },
  {
    name: 'newest-memtable-flushed-first',
    bug: 'Of several memtables that wait, the newest is flushed first, which says that those before it were.',
    patches: [
      {
        module: 'engine/internal/maintenance/flusher',
        from: 'versions.immutables.at(-1)',
        to: 'versions.immutables.at(0)',
      },
    ],
  },
  {
    name: 'validated-against-newest-sealed-memtable',
    bug: 'Ranges that a transaction read are held against one of the memtables that wait to be flushed.',
    patches: [
      {
        module: 'engine/internal/transaction/changed-since',
        from: 'of [part.active, ...part.immutables])',
        to: 'of [part.active, ...part.immutables.slice(0, 1)])',
      },
    ],
  },
  {
    name: 'sealed-memtables-look-old',
    bug: 'Whether a table changed since a transaction read it is told by its active memtable and its files.',
    patches: [
      {
        module: 'engine/internal/transaction/changed-since',
        from: 'of [...immutables, ...level0, ...levels]) {',
        to: 'of [...level0, ...levels]) {',
      },
    ],
  },
  {
    name: 'sealed-memtables-reversed',
    bug: 'A memtable that is sealed comes after those that wait already.',
    patches: [
      {
        module: 'engine/internal/view/version-set',
        from: '[this.#active, ...this.#immutables];',
        to: '[...this.#immutables, this.#active];',
      },
    ],
  },
  {
    name: 'sealed-within-a-group',
    bug: 'A memtable is sealed in the midst of a group of buffered writes, whose version counts as flushed with it.',
    patches: [
      {
        module: 'engine/internal/maintenance/flusher',
        from: 'committer.sealVisible();',
        to: '',
      },
    ],
  },
  {
    name: 'open-forgets-sealed-memtables',
    bug: 'Of the memtables that opening makes of the log, the active one alone is kept.',
    patches: [
      {
        module: 'engine/internal/view/version-set',
        from: 'this.#immutables = other.#immutables;',
        to: 'this.#immutables = [];',
      },
    ],
  },
  {
    name: 'own-writes-hide-sealed-memtables',
    bug: 'A transaction that has written something does not see the memtables that wait to be flushed.',
    patches: [
      {
        module: 'engine/internal/view/view',
        from: '[this.active, ...this.immutables], this.#files',
        to: '[this.active], this.#files',
      },
    ],
  },
  {
    name: 'search-ends-at-older-level',
    bug: 'A get ends at the first level that holds nothing newer than what it has, though a deeper one may.',
    patches: [
      {
        module: 'engine/internal/view/table-view',
        from: 'if (level.maxTimestamp <= lookup.foundTimestamp) continue;',
        to: 'if (level.maxTimestamp <= lookup.foundTimestamp) break;',
      },
    ],
  },
  {
    name: 'levels-look-old',
    bug: 'Whether a table changed since a transaction read it is not asked of files below level 0.',
    patches: [
      {
        module: 'engine/internal/transaction/changed-since',
        from: 'of [...immutables, ...level0, ...levels]) {',
        to: 'of [...immutables, ...level0]) {',
      },
    ],
  },
]
