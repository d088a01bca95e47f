import type { Mutant } from './mutant.js'

/** In what a process knows of the log, and in what its reads make of that. */
export const VIEWS: readonly Mutant[] = [
  {
    name: 'checkpoint-jump',
    bug: 'Opening reads the log from the checkpoint on, and jumps over what is in no file yet.',
    patches: [
      {
        module: 'engine/internal/view/log-follower',
        from: 'this.#options.log.readAfter(from.flushedThrough, { signal })',
        to: 'this.#options.log.readAfter(from.version, { signal })',
      },
      {
        module: 'engine/internal/view/log-follower',
        from: 'let last = from.flushedThrough;',
        to: 'let last = from.version;',
      },
    ],
  },
  {
    name: 'refresh-joins-one-under-way',
    bug: 'A refresh takes the result of one that began before it.',
    patches: [
      {
        module: 'engine/internal/view/log-follower',
        from: 'this.#again ??= this.#catchingUp',
        to: 'return this.#catchingUp; this.#again ??= this.#catchingUp',
      },
    ],
  },
  {
    name: 'fresh-since-answer',
    bug: 'How fresh a process is counts from when the log answered, not from when it was asked.',
    patches: [
      {
        module: 'engine/internal/database/head-source',
        from: 'this.#lookedAtMs = startedAtMs;',
        to: 'this.#lookedAtMs = this.#options.env.monotonic();',
      },
    ],
  },
  {
    name: 'stale-by-wall-clock',
    bug: 'How fresh a process is counts by the wall clock, which may stand still.',
    patches: [
      {
        module: 'engine/internal/database/head-source',
        from: 'return env.monotonic() - this.#lookedAtMs > maxStalenessMs;',
        to: 'return env.now() / 1000 - this.#lookedAtMs > maxStalenessMs;',
      },
      {
        module: 'engine/internal/database/head-source',
        from: 'const startedAtMs = this.#options.env.monotonic();',
        to: 'const startedAtMs = this.#options.env.now() / 1000;',
      },
      {
        module: 'engine/internal/database/head-source',
        from: 'this.#lookedAtMs = options.lookedAtMs;',
        to: 'this.#lookedAtMs = options.env.now() / 1000;',
      },
    ],
  },
  {
    name: 'snapshot-follows-newest',
    bug: 'A snapshot sees what is committed after it was taken, as long as that is in memory.',
    patches: [
      {
        module: 'engine/internal/handles/snapshot-handle',
        from: 'this.timestamp = point.timestamp;',
        to: 'this.timestamp = 2 ** 53 - 1;',
      },
    ],
  },
  {
    name: 'scan-follows-newest',
    bug: 'A scan sees what is committed while it goes on, as long as that is in memory.',
    patches: [
      {
        module: 'engine/internal/database/head-source',
        from: 'timestamp: this.#versions.visibleTimestamp };',
        to: 'timestamp: this.timestamp };',
      },
    ],
  },
  {
    name: 'time-ends-before-its-commit',
    bug: 'A moment that is the very timestamp of a commit means the commit before.',
    patches: [
      {
        module: 'commit-log/lookup',
        from: 'if (entry.timestamp <= timestamp)',
        to: 'if (entry.timestamp < timestamp)',
      },
    ],
  },
  {
    name: 'memtable-hides-newer-file',
    bug: 'A record in memory is taken for the newest one, though a large batch in a file came later.',
    patches: [
      {
        module: 'engine/internal/view/table-view',
        from: 'lookup.stage = 1;',
        to: `lookup.stage = 1;
          if (lookup.foundTimestamp >= 0)
            return lookup.kind !== KIND_DELETE ? FOUND : ABSENT;`,
      },
    ],
  },
  {
    name: 'version-of-its-own-moment-unseen',
    bug: 'A read of a moment does not see what was committed at that very moment, in memory.',
    patches: [
      {
        module: 'engine/internal/memtable/memtable-partition',
        from: `while (version !== NO_VERSION && this.timestamps[version] > timestamp) {
            version = this.older[version];
          }
          return version;`,
        to: `while (version !== NO_VERSION && this.timestamps[version] >= timestamp) {
            version = this.older[version];
          }
          return version;`,
      },
    ],
  },
  {
    name: 'file-of-its-own-moment-unseen',
    bug: 'A read of a moment leaves out a file that begins at that very moment.',
    patches: [
      {
        module: 'engine/internal/view/table-view',
        from: 'handle.meta.minTimestamp > lookup.timestamp',
        to: 'handle.meta.minTimestamp >= lookup.timestamp',
      },
    ],
  },
  {
    name: 'level-zero-oldest-first',
    bug: 'Files of level 0 are looked at oldest first.',
    patches: [
      {
        module: 'manifest/internal/apply-edit',
        from: 'sort((a, b) => b.maxTimestamp - a.maxTimestamp)',
        to: 'sort((a, b) => a.maxTimestamp - b.maxTimestamp)',
      },
    ],
  },
  {
    name: 'lt-is-lte',
    bug: 'The upper end of a range that is not part of it is.',
    patches: [
      {
        module: 'engine/internal/arguments/range',
        from: 'end(keys, upper, lt === undefined)',
        to: 'end(keys, upper, true)',
      },
    ],
  },
  {
    name: 'file-pruned-at-its-last-key',
    bug: 'A scan leaves out a file whose last key is the first one of its range.',
    patches: [
      {
        module: 'engine/internal/read/key-bounds',
        from: 'compareBytes(largest, lower.key) >= 0',
        to: 'compareBytes(largest, lower.key) > 0',
      },
    ],
  },
  {
    name: 'reverse-scan-misses-file-at-its-first-key',
    bug: 'A scan from the end leaves out a file whose first key is the last one of its range.',
    patches: [
      {
        module: 'engine/internal/files/level-cursor',
        from: 'compareRanges(smallest, 0, smallest.length, target.bytes, 0, target.end) <= 0;',
        to: 'compareRanges(smallest, 0, smallest.length, target.bytes, 0, target.end) < 0;',
      },
    ],
  },
  {
    name: 'reverse-scan-ends-with-deleted',
    bug: 'A scan from the end shows the first key of all, though it was deleted.',
    patches: [
      {
        module: 'mvcc/visible-cursor',
        from: 'return this.kind === KIND_DELETE ? END : POSITIONED;',
        to: 'return POSITIONED;',
      },
    ],
  },
  {
    name: 'reverse-bound-in-memory',
    bug: 'A scan from the end takes its bound for inclusive, or not, the wrong way round in memory.',
    patches: [
      {
        module: 'engine/internal/memtable/memtable-cursor',
        from: 'const passEqual = this.reverse ? inclusive : !inclusive;',
        to: 'const passEqual = !inclusive;',
      },
    ],
  },
  {
    name: 'timer-left-at-close',
    bug: 'A database that was closed leaves a timer behind.',
    patches: [
      {
        module: 'engine/internal/database/close-database',
        from: 'closed.abort(); follower.stop(reason);',
        to: 'follower.stop(reason);',
      },
    ],
  },
]
