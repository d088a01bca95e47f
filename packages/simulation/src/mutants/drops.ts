import type { Mutant } from './mutant.js'

/** Bugs in writes to a table that is being dropped and created again. */
export const DROPS: readonly Mutant[] = [
  {
    name: 'drop-holds-up-nobody',
    bug: 'Writes don’t wait for a drop of their table that is under way.',
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
    bug: 'Single writes don’t wait for a drop of their table that is under way.',
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
    bug: 'Batches don’t wait for a drop of their table that is under way.',
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
    bug: 'A drop may begin after a batch has checked for drops, and before it looks up its tables.',
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
    bug: 'With two drops under way, writes wait only for the first to end.',
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
    bug: 'A batch’s files are added though its table was dropped meanwhile.',
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
    bug: 'A handle keeps the first id of its table, even after the table was dropped and created again.',
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
    bug: 'A table that a commit has created stays marked as pending, so it is not created again after a drop.',
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
    bug: 'A write is not refused though another process has dropped its table meanwhile.',
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
    bug: 'A batch is not refused though another process has dropped one of its tables meanwhile.',
    patches: [
      {
        module: 'engine/internal/commit/committer',
        from: 'for (const id of actual) group.tableIds.add(id);',
        to: '',
      },
    ],
  },
]
