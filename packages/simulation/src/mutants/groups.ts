import type { Mutant } from './mutant.js'

/** Bugs in transactions that meet: in one group, or while one is validated. */
export const GROUPS: readonly Mutant[] = [
  {
    name: 'moved-on-while-validated',
    bug: 'A transaction is validated against a state that moves on meanwhile, and not against the newer one.',
    patches: [
      {
        module: 'engine/internal/append/shared-log-appender',
        from: 'if (version === versions.state.version) return;',
        to: 'return;',
      },
    ],
  },
  {
    name: 'validated-up-to-the-present',
    bug: 'A transaction counts as validated against everything known by now, though an older view was checked.',
    patches: [
      {
        module: 'engine/internal/append/transaction-group',
        from: 'versions.holding((view, state) => this.#check(view, state))',
        to: 'versions.holding((view) => this.#check(view, { tables: versions.state.tables, get timestamp() { return versions.state.timestamp; } }))',
      },
    ],
  },
  {
    name: 'validation-ends-at-first-cold-file',
    bug: 'A key that a transaction read is looked up in the first file that has to be loaded, and no further.',
    patches: [
      {
        module: 'engine/internal/transaction/changed-since',
        from: 'while (part.find(lookup) === NOT_RESIDENT)',
        to: 'if (part.find(lookup) === NOT_RESIDENT)',
      },
    ],
  },
  {
    name: 'group-not-held-against-itself',
    bug: 'Transactions that share an entry are not validated against each other.',
    patches: [
      {
        module: 'engine/internal/append/transaction-group',
        from: 'before.addAll(member.guard.writes);',
        to: '',
      },
    ],
  },
  {
    name: 'held-against-the-one-before',
    bug: 'A transaction is validated against the one before it in its group, but not against earlier ones.',
    patches: [
      {
        module: 'engine/internal/append/transaction-group',
        from: 'before.addAll(member.guard.writes);',
        to: 'before.tables.clear(); before.addAll(member.guard.writes);',
      },
    ],
  },
  {
    name: 'ranges-not-held-against-group',
    bug: 'Ranges that a transaction read are not validated against earlier writes of its group.',
    patches: [
      {
        module: 'engine/internal/transaction/read-set',
        from: 'for (const range of this.ranges.get(table) ?? []) {',
        to: 'for (const range of []) {',
      },
    ],
  },
  {
    name: 'second-writer-of-a-table-forgotten',
    bug: 'A group remembers only the keys of the first transaction that writes to a table.',
    patches: [
      {
        module: 'engine/internal/append/key-set',
        from: 'own.set(name, key);',
        to: 'void name;',
      },
    ],
  },
  {
    name: 'refused-stays-in-group',
    bug: 'A refused transaction stays in the entry of its group.',
    patches: [
      {
        module: 'engine/internal/append/transaction-group',
        from: `this.#members = stay;
          if (stay.length === 0) {`,
        to: `this.#written ??= new Set();
          const all = this.#members;
          this.#members = stay;
          if (stay.length === 0) {`,
      },
      {
        module: 'engine/internal/append/transaction-group',
        from: 'this.setPayloads(stay.map(({ payload }) => payload));',
        to: 'this.setPayloads(all.map(({ payload }) => payload));',
      },
      {
        module: 'engine/internal/append/transaction-group',
        from: '#members = [];',
        to: '#members = []; #written;',
      },
    ],
  },
  {
    name: 'group-under-way-is-joined',
    bug: 'A transaction joins a group that is already being appended, and gets that group’s result.',
    patches: [
      {
        module: 'engine/internal/commit/group-queue',
        from: 'this.#closed = []; this.#transactions = undefined;',
        to: 'this.#closed = [];',
      },
    ],
  },
]
