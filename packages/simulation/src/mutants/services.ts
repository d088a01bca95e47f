import type { Mutant } from './mutant.js'

/** In what is asked of services that answer late, or with something old. */
export const SERVICES: readonly Mutant[] = [
  {
    name: 'log-read-may-be-old',
    bug: 'Pages of DynamoDB’s log are read without asking for what is newest.',
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
    bug: 'Single items of DynamoDB are read without asking for what is newest.',
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
    bug: 'A lease that somebody holds is taken for one whose time is over.',
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
    bug: 'A lease that is renewed meanwhile is taken for one that nobody has touched.',
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
    bug: 'The holder of a lease counts its time from when the answer came.',
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
    bug: 'The object of a lease is replaced without a condition.',
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
    bug: 'Who has lost a lease counts as its holder all the same.',
    patches: [
      {
        module: 'commit-log/base-leases',
        from: "this.#ended = 'lost';",
        to: 'holding.sentAt = sentAt;',
      },
    ],
  },
]
