import type { Mutant } from './mutant.js'

/**
 * In what one part relies on of another: a scan on files, a write on a drop, a transaction on its
 * group.
 */
export const SEAMS: readonly Mutant[] = [
  {
    name: 'sync-covers-what-came-meanwhile',
    bug: 'What is written while the log is synced counts as synced with the rest.',
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
    bug: 'What a torn write left behind the last entry of a segment is not cut.',
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
    bug: 'Once buffered writes are in the log, nobody waits for the time to sync them.',
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
    bug: 'A table whose history ends after a transaction read it counts as unchanged.',
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
    bug: 'A table that there was none of when a transaction read it is not looked at.',
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
    bug: 'Of the tables that a group writes to, a transaction is held against the first.',
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
    bug: 'Keys that a transaction deletes are not held against what others read or write.',
    patches: [
      {
        module: 'engine/internal/transaction/transaction-handle',
        from: 'keys.add(table.name, key);',
        to: 'if (kind !== KIND_DELETE) keys.add(table.name, key);',
      },
    ],
  },
  {
    name: 'unknown-commit-is-tried-again',
    bug: 'A transaction of whose commit nobody knows what became is tried again.',
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
    bug: 'A write that was to make a table, which another process has made, does not ask whether it is there still.',
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
    bug: 'A snapshot whose files are gone goes on with those of the table that was made anew.',
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
    bug: 'A scan that goes on in other files begins there with the row that it ended with.',
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
    bug: 'A scan that goes on in other files gives as many rows again as its limit allows.',
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
    bug: 'A reader that starts anew from a checkpoint goes on showing the moment of before.',
    patches: [
      {
        module: 'engine/internal/view/version-set',
        from: 'this.visibleTimestamp = other.visibleTimestamp; this.#active = other.#active;',
        to: 'this.#active = other.#active;',
      },
    ],
  },
]
