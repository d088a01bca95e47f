import type { Mutant } from './mutant.js'

/** Bugs in flushes and compactions, and in what they remove. */
export const UPKEEP: readonly Mutant[] = [
  {
    name: 'flushed-through-too-far',
    bug: 'A flush marks one entry too many as being in files.',
    patches: [
      {
        module: 'engine/internal/maintenance/flusher',
        from: "{ type: 'flush', from, through, files }",
        to: "{ type: 'flush', from, through: Math.min(through + 1, versions.state.version), files }",
      },
    ],
  },
  {
    name: 'work-left-to-lease-forgotten',
    bug: 'Work that is left to the holder of the lease is never checked again.',
    patches: [
      {
        module: 'engine/internal/maintenance/maintenance-lease',
        from: 'onRefused(this.#askAgainAt - env.monotonic());',
        to: '',
      },
    ],
  },
  {
    name: 'flush-drops-small-table',
    bug: 'A flush leaves out tables of which it has a single key.',
    patches: [
      {
        module: 'engine/internal/memtable/flush-cursor',
        from: 'table.keyCount > 0',
        to: 'table.keyCount > 1',
      },
    ],
  },
  {
    name: 'flush-drops-history',
    bug: 'A flush writes only the newest version of each key.',
    patches: [
      {
        module: 'engine/internal/memtable/flush-cursor',
        from: 'new MemtableCursor(table)',
        to: 'new MemtableCursor(table, { timestamp: 2 ** 53 - 1 })',
      },
    ],
  },
  {
    name: 'flush-forgets-later-memtables',
    bug: 'When a memtable is in files, the ones sealed after it are forgotten too.',
    patches: [
      {
        module: 'engine/internal/view/version-set',
        from: '.filter((memtable) => memtable.maxVersion > through)',
        to: '.filter(() => false)',
      },
    ],
  },
  {
    name: 'flushed-records-kept',
    bug: 'The active memtable keeps records that another process has flushed.',
    patches: [
      {
        module: 'engine/internal/view/version-set',
        from: 'this.#active = this.#active.after(flushed);',
        to: '',
      },
    ],
  },
  {
    name: 'sealed-memtables-count-as-flushed',
    bug: 'Compaction treats records of sealed memtables as records in files, and drops deletes above them.',
    patches: [
      {
        module: 'engine/internal/view/version-set',
        from: '[this.#active, ...this.#immutables]) { for (const table of memtable.tables.values())',
        to: '[this.#active]) { for (const table of memtable.tables.values())',
      },
    ],
  },
  {
    name: 'delete-dropped-before-flush',
    bug: 'Compaction drops a delete that hides a record which is in no file yet.',
    patches: [
      {
        module: 'compaction/internal/retention-filter',
        from: 'timestamp <= this.#flushedTimestamp && !outside',
        to: '!outside',
      },
    ],
  },
  {
    name: 'delete-dropped-above-deeper-levels',
    bug: 'Compaction drops a delete that hides a record of a deeper level.',
    patches: [
      {
        module: 'compaction/internal/leveled-view',
        from: 'for (const level of table.levels) for (const file of level) look(file);',
        to: '',
      },
    ],
  },
  {
    name: 'delete-dropped-above-file-of-its-key',
    bug: 'Compaction drops a delete above a file that begins with the same key.',
    patches: [
      {
        module: 'compaction/internal/retention-filter',
        from: 'compareRanges(smallest, 0, smallest.length, keyBytes, keyStart, keyEnd) > 0',
        to: 'compareRanges(smallest, 0, smallest.length, keyBytes, keyStart, keyEnd) >= 0',
      },
    ],
  },
  {
    name: 'counted-delete-lost',
    bug: 'Compaction drops a delete of a table with counted history, and keeps what it hides.',
    patches: [
      {
        module: 'sst/write-files',
        from: 'output.open(key.tableId); if (this.#deferred >= 0) this.#writeDeferred(); output.append(',
        to: 'output.open(key.tableId); output.append(',
      },
    ],
  },
  {
    name: 'newest-of-key-dropped',
    bug: 'Compaction compares the newest version of a key with the last version of the key before.',
    patches: [
      {
        module: 'mvcc/retention',
        from: 'begin() { this.#successor = Number.POSITIVE_INFINITY;',
        to: 'begin() {',
      },
    ],
  },
  {
    name: 'moved-file-deleted',
    bug: 'A file that only moves to another level is deleted.',
    patches: [
      {
        module: 'engine/internal/view/version-set',
        from: 'new Set(edit.added.map(({ file }) => file.id))',
        to: 'new Set()',
      },
    ],
  },
  {
    name: 'orphan-sweep-takes-live-files',
    bug: 'The sweep for orphans doesn’t check which files are part of the database.',
    patches: [
      { module: 'engine/internal/maintenance/orphan-sweep', from: '!files.holds(id) &&', to: '' },
    ],
  },
  {
    name: 'reader-closed-by-first-user',
    bug: 'A file is closed when the first of its readers is done.',
    patches: [
      {
        module: 'engine/internal/files/file-cache',
        from: 'if (users > 0) this.#users.set(reader, users);',
        to: 'if (users > 1) this.#users.set(reader, users);',
      },
      {
        module: 'engine/internal/files/file-cache',
        from: 'if (this.reader !== reader) reader.close();',
        to: 'reader.close(); this.reader = undefined;',
      },
    ],
  },
]
