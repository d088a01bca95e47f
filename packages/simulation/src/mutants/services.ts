import type { Mutant } from './mutant.js'

/** Bugs in requests to services that answer late, or with old data. */
export const SERVICES: readonly Mutant[] = [
  {
    name: 'log-read-may-be-old',
    bug: 'Pages of DynamoDB’s log are read without consistent reads.',
    patches: [
      {
        module: 'manifest-dynamodb/internal/item-table',
        from: `ExpressionAttributeValues: { ':id': key.id, ':after': key.version }, ConsistentRead: true,`,
        to: `ExpressionAttributeValues: { ':id': key.id, ':after': key.version },`,
      },
    ],
  },
  {
    name: 'item-read-may-be-old',
    bug: 'Single items of DynamoDB are read without consistent reads.',
    patches: [
      {
        module: 'manifest-dynamodb/internal/item-table',
        from: 'Key: { ...key }, ConsistentRead: true }',
        to: 'Key: { ...key } }',
      },
    ],
  },
  {
    name: 'lease-over-at-first-sight',
    bug: 'A lease that another process holds is treated as expired.',
    patches: [
      {
        module: 'commit-log/base-leases',
        from: 'this.#seen.set(name, { record, since: now }); return false;',
        to: 'this.#seen.set(name, { record, since: now }); return true;',
      },
    ],
  },
  {
    name: 'renewed-lease-is-the-same',
    bug: 'A lease that was renewed meanwhile is treated as untouched.',
    patches: [
      {
        module: 'commit-log/base-leases',
        from: 'a.renewals === b.renewals &&',
        to: '',
      },
    ],
  },
  {
    name: 'lease-counts-from-answer',
    bug: 'A lease’s holder counts its time from the arrival of the answer.',
    patches: [
      {
        module: 'commit-log/base-leases',
        from: 'record: outcome.replaced, sentAt,',
        to: 'record: outcome.replaced, sentAt: this.#env.monotonic(),',
      },
    ],
  },
  {
    name: 'lease-replaced-without-condition',
    bug: 'A lease’s object is replaced without a condition.',
    patches: [
      {
        module: 'commit-log/object-leases',
        from: '...condition,',
        to: '',
      },
    ],
  },
  {
    name: 'lost-lease-is-kept',
    bug: 'A process that has lost a lease still counts as its holder.',
    patches: [
      {
        module: 'commit-log/base-leases',
        from: "this.#ended = 'lost';",
        to: 'holding.sentAt = sentAt;',
      },
    ],
  },
]
