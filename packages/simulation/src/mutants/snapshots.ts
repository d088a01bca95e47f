import type { Mutant } from './mutant.js'

/** Bugs in what moments mean, above all future ones, and in what a snapshot shows. */
export const SNAPSHOTS: readonly Mutant[] = [
  {
    name: 'future-snapshot-grows',
    bug: 'A snapshot of a future time shows what is committed until then.',
    patches: [
      {
        module: 'engine/internal/database/head-source',
        from: 'return { version: visibleVersion, timestamp: visibleTimestamp };',
        to: 'return { version: visibleVersion, timestamp };',
      },
    ],
  },
  {
    name: 'future-read-grows',
    bug: 'A read at a future time shows what is committed during the read.',
    patches: [
      {
        module: 'engine/internal/database/head-source',
        from: 'point.timestamp = Math.min(point.timestamp, timestamp);',
        to: 'point.timestamp = timestamp;',
      },
    ],
  },
  {
    name: 'moment-past-its-snapshot',
    bug: 'A read of a snapshot at a later moment shows commits after the snapshot.',
    patches: [
      {
        module: 'engine/internal/handles/snapshot-handle',
        from: 'point.timestamp = Math.min(point.timestamp, timestamp);',
        to: 'point.timestamp = timestamp;',
      },
    ],
  },
  {
    name: 'buffered-writes-join-a-snapshot',
    bug: 'Buffered writes join the version that a snapshot or a scan has taken.',
    patches: [
      {
        module: 'engine/internal/database/head-source',
        from: 'this.#options.committer?.sealVisible();',
        to: '',
      },
    ],
  },
  {
    name: 'version-to-come-is-the-newest',
    bug: 'A version that doesn’t exist yet means the newest one.',
    patches: [
      {
        module: 'engine/internal/database/head-source',
        from: `throw new VersionNotFoundError(version, this.#versions.visibleVersion);`,
        to: 'return this.#versions.visibleTimestamp;',
      },
    ],
  },
  {
    name: 'date-loses-its-milliseconds',
    bug: 'A moment given as a Date is read as the beginning of its second.',
    patches: [
      {
        module: 'engine/internal/arguments/moment',
        from: 'timestamp: ms * 1000 }',
        to: 'timestamp: Math.floor(ms / 1000) * 1000000 }',
      },
    ],
  },
  {
    name: 'date-in-milliseconds',
    bug: 'The milliseconds of a Date are read as the microseconds of a timestamp.',
    patches: [
      {
        module: 'engine/internal/arguments/moment',
        from: 'timestamp: ms * 1000 }',
        to: 'timestamp: ms }',
      },
    ],
  },
  {
    name: 'own-writes-in-the-past',
    bug: 'A transaction that reads the past sees its own writes there.',
    patches: [
      {
        module: 'engine/internal/transaction/transaction-source',
        from: 'return this.#snapshot.holdAt(moment, signal);',
        to: 'return this.#snapshot.holdAt(moment, signal).then((point) => { point.view.release(); return this.hold(); });',
      },
    ],
  },
]
