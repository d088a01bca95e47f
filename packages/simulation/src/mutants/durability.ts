import type { Mutant } from './mutant.js'

/** In what is told to be durable, and isn't yet. */
export const DURABILITY: readonly Mutant[] = [
  {
    name: 'short-write-leaves-buffered-unsynced',
    bug: 'A short durable write is made in place, though buffered ones before it were not synced.',
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
    bug: 'A durable write makes its own bytes durable, and not the buffered ones before it.',
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
    bug: 'A segment is ended without a sync of what was buffered in it.',
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
    bug: 'Of entries that are written at once, one that nobody waits for makes all of them lazy.',
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
    bug: 'The log notes of buffered entries that they are durable once they are written.',
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
    bug: 'A sync of the log is told done without one.',
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
    bug: 'A flush resolves when buffered writes are in the log, and not on the disk.',
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
    bug: 'What a killed process wrote, and maybe did not sync, is told durable without writing it again.',
    patches: [
      {
        module: 'commit-log/internal/file/segment-appender',
        from: 'if (bytes.length > 0) await file.write([bytes], from, true);',
        to: '',
      },
    ],
  },
  {
    name: 'flush-leaves-gathering',
    bug: 'A flush does not wait for the buffered writes that still gather.',
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
