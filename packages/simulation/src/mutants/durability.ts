import type { Mutant } from './mutant.js'

/** Bugs that report writes as durable too early. */
export const DURABILITY: readonly Mutant[] = [
  {
    name: 'short-write-leaves-buffered-unsynced',
    bug: 'A short durable write is made in place though earlier buffered writes were not synced.',
    patches: [
      {
        module: 'commit-log/internal/file/segment-appender',
        from: 'this.#filling === undefined && !this.#unsynced;',
        to: 'this.#filling === undefined;',
      },
    ],
  },
  {
    name: 'write-leaves-buffered-unsynced',
    bug: 'A durable write makes its own bytes durable, but not the buffered ones before it.',
    patches: [
      {
        module: 'commit-log/internal/file/segment-appender',
        from: 'const atOnce = durable && !this.#unsynced;',
        to: 'const atOnce = durable;',
      },
      {
        module: 'commit-log/internal/file/segment-appender',
        from: 'if (durable) await this.sync();',
        to: '',
      },
    ],
  },
  {
    name: 'segment-ended-unsynced',
    bug: 'A segment is ended without a sync of its buffered entries.',
    patches: [
      {
        module: 'commit-log/internal/file/group-writer',
        from: 'await before.sync();',
        to: '',
      },
    ],
  },
  {
    name: 'lazy-by-one',
    bug: 'When entries are written together, one lazy entry makes all of them lazy.',
    patches: [
      {
        module: 'commit-log/internal/file/group-writer',
        from: 'lazy &&= entry.lazy === true;',
        to: 'lazy = entries.some((each) => each.lazy === true);',
      },
    ],
  },
  {
    name: 'written-is-durable',
    bug: 'The log marks buffered entries as durable once they are written.',
    patches: [
      {
        module: 'commit-log/internal/file/group-writer',
        from: 'if (!lazy) this.#durableVersion = version;',
        to: 'this.#durableVersion = version;',
      },
    ],
  },
  {
    name: 'sync-of-nothing',
    bug: 'The log reports a sync as done without syncing.',
    patches: [
      {
        module: 'commit-log/internal/file/group-writer',
        from: 'await this.#appender?.sync();',
        to: '',
      },
    ],
  },
  {
    name: 'flush-without-sync',
    bug: 'A flush resolves when buffered writes are in the log, but not on disk.',
    patches: [
      {
        module: 'engine/internal/commit/log-sync',
        from: 'const unsynced = this.#unsynced; await this.#log.sync?.()',
        to: 'const unsynced = this.#unsynced; await Promise.resolve()',
      },
    ],
  },
  {
    name: 'resumed-without-rewriting',
    bug: 'Entries that a killed process wrote, but may not have synced, count as durable without a rewrite.',
    patches: [
      {
        module: 'commit-log/internal/file/segment-appender',
        from: 'if (bytes.length > 0) await file.write([bytes], from, { durable: true });',
        to: '',
      },
    ],
  },
  {
    name: 'flush-leaves-gathering',
    bug: 'A flush doesn’t wait for buffered writes that are still gathering.',
    patches: [
      {
        module: 'engine/internal/commit/committer',
        from: 'this.#closeGathering(); const { newest } = this.#queue;',
        to: 'const { newest } = this.#queue;',
      },
      {
        module: 'engine/internal/commit/log-sync',
        from: 'this.#options.handOver();',
        to: '',
      },
    ],
  },
  {
    name: 'acknowledged-after-log-failed',
    bug: 'A buffered write whose writer waits for a turn is acknowledged after the log has failed and lost it.',
    patches: [
      {
        module: 'engine/internal/commit/hand-over',
        from: 'gate.reason === undefined ? seen : group.durable',
        to: 'seen',
      },
    ],
  },
]
