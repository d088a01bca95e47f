import type { Mutant } from './mutant.js'

/** Bugs in a directory's log and objects, and in what a crash of the machine leaves of them. */
export const DISKS: readonly Mutant[] = [
  {
    name: 'write-not-synced',
    bug: 'Entries are acknowledged when they are written, and never synced.',
    patches: [
      {
        module: 'commit-log/internal/file/segment-appender',
        from: 'const atOnce = durable && !this.#unsynced; if (!atOnce) this.#unsynced = true;',
        to: 'const atOnce = false;',
      },
      {
        module: 'commit-log/internal/file/segment-appender',
        from: 'return this.#end + bytes <= this.#allocated',
        to: 'return false && this.#end + bytes <= this.#allocated',
      },
    ],
  },
  {
    name: 'lazy-write-not-synced',
    bug: 'A durable entry is acknowledged though earlier buffered ones are not on disk.',
    patches: [
      {
        module: 'commit-log/internal/file/segment-appender',
        from: 'if (lazy) this.#unsynced = true;',
        to: '',
      },
    ],
  },
  {
    name: 'buffered-kept-in-process',
    bug: 'Buffered writes stay in the process until there are many, or a durable one comes.',
    patches: [
      {
        module: 'engine/internal/commit/hand-over',
        from: `if (now - this.#handedOverAtMs >= HAND_OVER_MS) return true;
          if (!this.#timerWaits) void this.#handOverSoon();`,
        to: '',
      },
    ],
  },
  {
    name: 'buffered-synced-once',
    bug: 'Buffered writes are synced on time once, and never again.',
    patches: [
      {
        module: 'engine/internal/commit/log-sync',
        from: 'finally { this.#syncComes = false; }',
        to: 'finally { }',
      },
    ],
  },
  {
    name: 'segment-directory-not-synced',
    bug: 'Entries are acknowledged in a segment whose name is not on disk.',
    patches: [
      {
        module: 'commit-log/internal/file/group-writer',
        from: 'this.#options.onSegment(firstVersion); await fileSystem.syncDirectory(directory);',
        to: 'this.#options.onSegment(firstVersion);',
      },
    ],
  },
  {
    name: 'object-renamed-before-sync',
    bug: 'An object gets its name before its content is on disk.',
    patches: [
      {
        module: 'object-store/internal/fs/fs-object-store',
        from: 'if (this.#fsync) await temp.file.sync();',
        to: '',
      },
    ],
  },
  {
    name: 'object-directory-not-synced',
    bug: 'An object counts as written though its name is not on disk.',
    patches: [
      {
        module: 'object-store/internal/fs/fs-object-store',
        from: 'await this.#directories.sync(directory); return',
        to: 'return',
      },
    ],
  },
]
