import type { Mutant } from './mutant.js'

/** In flushes and compactions, and in what they let go of. */
export const UPKEEP: readonly Mutant[] = [
  {
    name: 'flushed-through-too-far',
    bug: 'A flush says of one entry too many that files hold it.',
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
    bug: 'Work that is left to the process with the lease is not looked at again.',
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
    bug: 'A flush leaves out the tables of which it has a single key.',
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
    bug: 'A flush writes the newest version of each key alone.',
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
    bug: 'When a memtable is in files, those that were sealed after it are forgotten with it.',
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
    bug: 'Compaction takes records of sealed memtables for records in files, and drops deletes above them.',
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
    bug: 'Compaction drops a delete above a file that begins with the very key.',
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
    bug: 'Compaction holds the newest version of a key against the last version of the key before.',
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
    bug: 'The sweep for orphans does not ask which files are part of the database.',
    patches: [
      { module: 'engine/internal/maintenance/orphan-sweep', from: '!files.holds(id) &&', to: '' },
    ],
  },
  {
    name: 'reader-closed-by-first-user',
    bug: 'A file is closed when the first of those who read it is done.',
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
