import type { Mutant } from './mutant.js'

/** Bugs in memtables while several wait to be written to files. */
export const MEMORY: readonly Mutant[] = [
  {
    name: 'get-asks-newest-sealed-memtable',
    bug: 'A get searches only the newest of the memtables that wait to be flushed.',
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
    bug: 'A get searches only two of the memtables that wait to be flushed.',
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
    bug: 'A scan reads only the newest of the memtables that wait to be flushed.',
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
    bug: 'If several memtables wait, the newest is flushed first, which marks the older ones as flushed too.',
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
    bug: 'Ranges that a transaction read are validated against only one of the memtables that wait to be flushed.',
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
    bug: 'The check whether a table changed since a read looks at its active memtable and its files only.',
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
    bug: 'A newly sealed memtable is placed after those that already wait.',
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
    bug: 'A memtable is sealed in the middle of a group of buffered writes, whose version then counts as flushed.',
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
    bug: 'Of the memtables that opening builds from the log, only the active one is kept.',
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
    bug: 'A transaction that has written something doesn’t see the memtables that wait to be flushed.',
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
    bug: 'A get stops at the first level with nothing newer than what it has, though a deeper one may have it.',
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
    bug: 'The check whether a table changed since a read leaves out files below level 0.',
    patches: [
      {
        module: 'engine/internal/transaction/changed-since',
        from: 'of [...immutables, ...level0, ...levels]) {',
        to: 'of [...immutables, ...level0]) {',
      },
    ],
  },
]
