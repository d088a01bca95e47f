import type { Mutant } from './mutant.js'

/**
 * Bugs between parts that rely on each other: a scan on files, a write on a drop, a transaction on
 * its group.
 */
export const SEAMS: readonly Mutant[] = [
  {
    name: 'sync-covers-what-came-meanwhile',
    bug: 'Bytes written during a sync of the log count as synced.',
    patches: [
      {
        module: 'commit-log/internal/file/group-writer',
        from: 'const { version } = this.written; await this.#appender?.sync();',
        to: 'await this.#appender?.sync(); const { version } = this.written;',
      },
    ],
  },
  {
    name: 'torn-tail-kept',
    bug: 'Bytes that a torn write left after the last entry of a segment are not cut off.',
    patches: [
      {
        module: 'commit-log/internal/file/segment-appender',
        from: 'if (torn) await file.truncate(frames.end);',
        to: 'if (torn) void file;',
      },
    ],
  },
  {
    name: 'written-is-synced-in-time',
    bug: 'Once buffered writes are in the log, they are never synced on time.',
    patches: [
      {
        module: 'engine/internal/commit/log-sync',
        from: 'if (!group.visible) this.#sinceMs = undefined;',
        to: 'this.#sinceMs = undefined;',
      },
    ],
  },
  {
    name: 'write-behind-a-drop-is-buffered',
    bug: 'A durable write that waits for a drop is made as a buffered one.',
    patches: [
      {
        module: 'engine/internal/commit/committer',
        from: 'await this.#gate.ready(signal); return this.write(table, kind, key, value, durability, signal);',
        to: "await this.#gate.ready(signal); return this.write(table, kind, key, value, 'buffered', signal);",
      },
    ],
  },
  {
    name: 'lost-history-is-unchanged',
    bug: 'If a table’s history ends after a transaction read it, the table counts as unchanged.',
    patches: [
      {
        module: 'engine/internal/transaction/changed-since',
        from: 'if (part.historyFloor > since) {',
        to: 'if (part.historyFloor < 0) {',
      },
    ],
  },
  {
    name: 'new-table-is-unchanged',
    bug: 'A table that did not exist when a transaction read it is not validated.',
    patches: [
      {
        module: 'engine/internal/transaction/changed-since',
        from: 'if (part === undefined) continue;',
        to: 'if (part === undefined || idThen === undefined) continue;',
      },
    ],
  },
  {
    name: 'first-table-held-against-group',
    bug: 'If a group writes to several tables, a transaction is validated against only the first.',
    patches: [
      {
        module: 'engine/internal/transaction/read-set',
        from: 'for (const [table, keys] of writes.tables) {',
        to: 'for (const [table, keys] of [...writes.tables].slice(0, 1)) {',
      },
    ],
  },
  {
    name: 'deletes-not-held-against-group',
    bug: 'Keys that a transaction deletes are not validated against others’ reads and writes.',
    patches: [
      {
        module: 'engine/internal/transaction/transaction-handle',
        from: 'keys.add(table.name, key);',
        to: 'if (kind !== 0) keys.add(table.name, key);',
      },
    ],
  },
  {
    name: 'unknown-commit-is-tried-again',
    bug: 'A transaction is retried though the outcome of its commit is unknown.',
    patches: [
      {
        module: 'engine/internal/transaction/run-transaction',
        from: "if (isFirnError(error, 'FIRN_COMMIT_CONFLICT')) return { refusal: error };",
        to: `if (isFirnError(error, 'FIRN_COMMIT_CONFLICT') || isFirnError(error, 'FIRN_COMMIT_UNKNOWN'))
            return { refusal: error };`,
      },
    ],
  },
  {
    name: 'table-made-elsewhere-is-not-missed',
    bug: 'A write that was to create a table doesn’t check whether a table that another process created still exists.',
    patches: [
      {
        module: 'engine/internal/append/commit-group',
        from: 'this.tableIds.delete(given); this.tableIds.add(id);',
        to: 'this.tableIds.delete(given);',
      },
    ],
  },
  {
    name: 'snapshot-goes-on-in-another-table',
    bug: 'A snapshot whose files are gone continues with the files of the table that was created again.',
    patches: [
      {
        module: 'engine/internal/handles/snapshot-handle',
        from: 'if (id !== undefined && table.idIn(view.state) !== id)',
        to: 'if (id !== undefined && id < 0)',
      },
    ],
  },
  {
    name: 'scan-goes-on-at-its-last-row',
    bug: 'A scan that continues in other files repeats its last row.',
    patches: [
      {
        module: 'engine/internal/read/page-reader',
        from: 'const behind = { key: this.#lastKey, inclusive: false };',
        to: 'const behind = { key: this.#lastKey, inclusive: true };',
      },
    ],
  },
  {
    name: 'limit-begins-anew',
    bug: 'A scan that continues in other files starts its limit again.',
    patches: [
      {
        module: 'engine/internal/read/page-reader',
        from: 'this.#start(start); this.#remaining = remaining;',
        to: 'this.#start(start);',
      },
    ],
  },
  {
    name: 'reader-starts-anew-in-the-past',
    bug: 'A reader that restarts from a checkpoint still shows the earlier moment.',
    patches: [
      {
        module: 'engine/internal/view/version-set',
        from: 'this.visibleTimestamp = other.visibleTimestamp; this.#active = other.#active;',
        to: 'this.#active = other.#active;',
      },
    ],
  },
]
