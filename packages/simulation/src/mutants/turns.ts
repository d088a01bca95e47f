import type { Mutant } from './mutant.js'

/** In what goes on after others had a turn amid it. */
export const TURNS: readonly Mutant[] = [
  {
    name: 'get-many-goes-on-in-the-present',
    bug: 'What getMany reads after a turn is read as it is then, and not as it was at the beginning.',
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
    bug: 'Of what a transaction wrote to a table, that is committed which comes before the first turn.',
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
    bug: 'Of the keys that a transaction read, those are validated that come before the first turn.',
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
    bug: 'The row that a loop waits for while others have a turn is left out.',
    patches: [
      {
        module: 'engine/internal/read/row-scan',
        from: 'async #nextAfter(turn) {\n        await turn;',
        to: 'async #nextAfter(turn) {\n        await turn; this.#at = Math.min(this.#at + 1, this.#page.length);',
      },
    ],
  },
]
