import type { Mutant } from './mutant.js'

/** Bugs in what a process knows of the log, and in how its reads use it. */
export const VIEWS: readonly Mutant[] = [
  {
    name: 'checkpoint-jump',
    bug: 'Opening reads the log from the checkpoint on, and skips entries that are in no file yet.',
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
    bug: 'A process’s freshness counts from the log’s answer, not from the request.',
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
    bug: 'A process’s freshness is measured by the wall clock, which may stand still.',
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
    bug: 'A snapshot sees later commits while they are in memory.',
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
    bug: 'A scan sees commits made during the scan while they are in memory.',
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
    bug: 'A moment equal to a commit’s timestamp means the commit before.',
    patches: [
      {
        module: 'commit-log/lookup',
        from: 'if (entry.timestamp <= timestamp)',
        to: 'if (entry.timestamp < timestamp)',
      },
    ],
  },
  {
    name: 'waiting-lookup-reused',
    bug: 'A read that waits for a block shares its lookup with the next one, which asks for another key.',
    patches: [
      {
        module: 'engine/internal/read/table-reader',
        from: 'const lookup = this.#lookup; this.#lookup = new PointLookup(part.tableId);',
        to: 'const lookup = this.#lookup;',
      },
    ],
  },
  {
    name: 'memtable-hides-newer-file',
    bug: 'A record in memory counts as the newest one, though a later large batch is in a file.',
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
    bug: 'A read of a moment doesn’t see a commit of exactly that moment that is in memory.',
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
    bug: 'A read of a moment leaves out a file that begins at exactly that moment.',
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
    bug: 'Files of level 0 are searched oldest first.',
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
    bug: 'The excluded upper end of a range is included.',
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
    bug: 'A reverse scan leaves out a file whose first key is the last one of its range.',
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
    bug: 'A reverse scan shows the very first key even if it was deleted.',
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
    bug: 'In memory, a reverse scan swaps inclusive and exclusive bounds.',
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
    bug: 'A closed database leaves a timer behind.',
    patches: [
      {
        module: 'engine/internal/database/close-database',
        from: 'closed.abort(); follower.stop(reason);',
        to: 'follower.stop(reason);',
      },
    ],
  },
]
