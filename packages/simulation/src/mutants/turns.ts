import type { Mutant } from './mutant.js'

/** Bugs in work that continues after others had a turn. */
export const TURNS: readonly Mutant[] = [
  {
    name: 'get-many-goes-on-in-the-present',
    bug: 'After a turn, getMany reads the present instead of the moment at which it began.',
    patches: [
      {
        module: 'engine/internal/read/table-reader',
        from: 'const point = waiting ? this.#source.hold()',
        to: 'const point = waiting ? { view: this.#source.view().retain(), timestamp: this.#source.timestamp }',
      },
    ],
  },
  {
    name: 'commit-ends-at-first-turn',
    bug: 'A transaction commits only the writes to a table that come before the first turn.',
    patches: [
      {
        module: 'engine/internal/transaction/transaction-handle',
        from: 'if (turn !== undefined)\n                await turn;',
        to: 'if (turn !== undefined) { await turn; break; }',
      },
    ],
  },
  {
    name: 'validation-ends-at-first-turn',
    bug: 'Only the keys of a transaction that come before the first turn are validated.',
    patches: [
      {
        module: 'engine/internal/transaction/changed-since',
        from: 'const turn = slice.step();\n            if (turn !== undefined)\n                await turn;\n        }\n        for (const range of',
        to: 'const turn = slice.step();\n            if (turn !== undefined) { await turn; break; }\n        }\n        for (const range of',
      },
    ],
  },
  {
    name: 'row-skipped-after-a-turn',
    bug: 'When a loop gives others a turn, the row that it waits for is skipped.',
    patches: [
      {
        module: 'engine/internal/read/row-scan',
        from: 'async #nextAfter(turn) {\n        await turn;',
        to: 'async #nextAfter(turn) {\n        await turn; this.#at = Math.min(this.#at + 1, this.#page.length);',
      },
    ],
  },
]
