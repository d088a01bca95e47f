import type { Command } from 'commander'

/** Adds examples, and notes if there are any, below the help of a command. */
export function addExamples(
  command: Command,
  examples: readonly (readonly [line: string, meaning: string])[],
  notes?: string,
): void {
  const lines = examples.map(([line, meaning]) => `  $ ${line}\n      ${meaning}`)
  const text = `\nExamples:\n${lines.join('\n')}`
  command.addHelpText('after', notes === undefined ? text : `${text}\n\n${notes}`)
}
