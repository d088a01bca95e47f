import type { Mutant } from './mutant.js'

/** In what becomes of writes to a table that is being dropped, and made anew. */
export const DROPS: readonly Mutant[] = [
  {
    name: 'drop-holds-up-nobody',
    bug: 'Writes do not wait for a drop of their table that is on its way.',
    patches: [
      {
        module: 'engine/internal/commit/pending-tables',
        from: 'this.#dropping = dropping;',
        to: '',
      },
    ],
  },
  {
    name: 'drop-holds-up-batches-alone',
    bug: 'Single writes do not wait for a drop of their table that is on its way.',
    patches: [
      {
        module: 'engine/internal/commit/committer',
        from: 'if (this.#gate.isHeldUp) {',
        to: 'if (this.#pressure.isBlocked) {',
      },
    ],
  },
  {
    name: 'drop-holds-up-single-writes-alone',
    bug: 'Batches do not wait for a drop of their table that is on its way.',
    patches: [
      {
        module: 'engine/internal/commit/committer',
        from: 'while (this.#gate.isHeldUp)',
        to: 'while (this.#pressure.isBlocked)',
      },
    ],
  },
  {
    name: 'batch-looks-up-tables-too-late',
    bug: 'Between asking whether a batch has to wait and looking up its tables, a drop may begin.',
    patches: [
      {
        module: 'engine/internal/commit/committer',
        from: 'while (this.#gate.isHeldUp) await this.#gate.ready(signal);',
        to: 'await this.#gate.ready(signal);',
      },
    ],
  },
  {
    name: 'second-drop-forgotten',
    bug: 'Of two drops on their way, writes wait for the first to end.',
    patches: [
      {
        module: 'engine/internal/commit/pending-tables',
        from: 'if (this.#dropping === dropping) this.#dropping = undefined;',
        to: 'this.#dropping = undefined;',
      },
    ],
  },
  {
    name: 'file-of-a-dropped-table',
    bug: 'The files of a batch are added though its table was dropped meanwhile.',
    patches: [
      {
        module: 'engine/internal/commit/committer',
        from: 'for (const id of tableIds) group.tableIds.add(id);',
        to: '',
      },
    ],
  },
  {
    name: 'transaction-into-dropped-table',
    bug: 'A transaction commits though a table that it wrote to was dropped while it waited.',
    patches: [
      {
        module: 'engine/internal/append/transaction-group',
        from: 'assertTables(member.tableIds, state);',
        to: '',
      },
    ],
  },
  {
    name: 'table-keeps-its-first-id',
    bug: 'A handle goes on with the id that its table had first, whatever was dropped and made anew.',
    patches: [
      {
        module: 'engine/internal/view/table-identity',
        from: 'if (id !== undefined && id !== this.#id) this.#adopt(id, state); return id;',
        to: `if (id !== undefined && this.#id === undefined) this.#adopt(id, state);
          return id === undefined ? id : this.#id;`,
      },
    ],
  },
  {
    name: 'table-to-come-never-comes',
    bug: 'A table that a commit has made is remembered as one that is still to come, and not made again.',
    patches: [
      {
        module: 'engine/internal/commit/pending-tables',
        from: 'this.#creating.delete(name);',
        to: 'void name;',
      },
      {
        module: 'engine/internal/append/commit-group',
        from: 'creates.push(table.creation(id));',
        to: `if (this.edits.some(({ type, name }) => type === 'create-table' && name === table.name))
            creates.push(table.creation(id));`,
      },
    ],
  },
  {
    name: 'write-forgets-its-table',
    bug: 'A write is not refused when another process has dropped its table meanwhile.',
    patches: [
      {
        module: 'engine/internal/commit/committer',
        from: 'group.tableIds.add(tableId);',
        to: '',
      },
    ],
  },
  {
    name: 'batch-forgets-its-tables',
    bug: 'A batch is not refused when another process has dropped one of its tables meanwhile.',
    patches: [
      {
        module: 'engine/internal/commit/committer',
        from: 'for (const id of actual) group.tableIds.add(id);',
        to: '',
      },
    ],
  },
]
