import { isFirnError } from '@firn/env'
import type { Command } from 'commander'
import type { CommandContext } from '../command-context.js'
import { addExamples } from '../examples.js'
import type { ProgramHooks } from '../program.js'
import { withSst } from '../sst/open-sst.js'
import { countOf, formatBytes } from '../text/quantities.js'

/** `firn sst verify <file>` */
export function defineSstVerify(
  parent: Command,
  context: CommandContext,
  hooks: ProgramHooks,
): void {
  const command = parent
    .command('verify')
    .summary('check every block of a file')
    .description(
      'Reads a whole file and checks that every block has the right checksum and is in its place, and\n' +
        'that records are in order and as many as the file says. If not, the exit status is 1.',
    )
    .argument('<file>', 'an .sst file')
  command.action((file: string) => verify(file, context, hooks))
  addExamples(command, [['firn sst verify file.sst && echo whole', 'in a script']])
}

async function verify(file: string, context: CommandContext, hooks: ProgramHooks): Promise<void> {
  const { output } = context
  const problems: string[] = []
  const seen = await verifyFile(file, context, problems)
  const ok = problems.length === 0
  if (!ok) hooks.setStatus(1)
  if (output.json) return output.document({ ok, ...seen, problems })
  for (const problem of problems) {
    await output.line(output.paint('red', 'damaged'), `  ${problem}`)
  }
  if (ok && seen !== undefined) {
    const { records, blocks, bytes } = seen
    await output.line(
      output.paint('green', 'whole'),
      `    ${file}: ${countOf(records, 'record')} in ${countOf(blocks, 'block')} (${formatBytes(bytes)})`,
    )
  } else {
    await output.line(`${countOf(problems.length, 'problem')} in ${file}; restore it from a backup`)
  }
}

interface Seen {
  fileId: string
  blocks: number
  records: number
  bytes: number
}

/** Returns `undefined` if the file is too damaged to open. */
async function verifyFile(
  file: string,
  context: CommandContext,
  problems: string[],
): Promise<Seen | undefined> {
  try {
    return await withSst(file, context, async ({ reader }) => {
      const { blocks, records } = await reader.verify({
        onProblem: (error) => problems.push(error.message),
      })
      return { fileId: reader.fileId, blocks, records, bytes: reader.bytes }
    })
  } catch (error) {
    if (!isFirnError(error, 'FIRN_CORRUPTION')) throw error
    problems.push(error.message)
    return undefined
  }
}
