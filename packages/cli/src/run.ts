import { isError } from '@firn/env'
import { CommanderError } from 'commander'
import { makeContext } from './command-context.js'
import { describeFailure } from './failure.js'
import { BrokenPipeError, type Io } from './io.js'
import { Output } from './output.js'
import { buildProgram } from './program.js'

/**
 * Runs one command line, without the name of the program. Resolves with the exit status: 0 if the
 * command succeeded, 1 if it failed, 2 if the command line is wrong, 130 if Ctrl-C ended it.
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const output = new Output(io, { json: asksForJson(argv) })
  let help = ''
  let status = 0
  const program = buildProgram(makeContext(io, output), {
    setStatus: (value) => {
      status = value
    },
    onHelp: (text) => {
      help += text
    },
  })
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return status
  } catch (error) {
    try {
      if (!(error instanceof CommanderError)) throw error
      if (error.exitCode === 0) {
        // Help or the version, as asked.
        await output.write(help)
        return 0
      }
      if (error.code !== 'commander.help') throw error
      // No command at all: the help lists the commands.
      await output.usage(help)
      return 2
    } catch (failure) {
      // `firn scan | head`: the reader has seen enough, which is no failure. A status that the
      // command has set before stays.
      if (failure instanceof BrokenPipeError) return status
      return await report(failure, io, output)
    }
  } finally {
    io.stdin.close?.()
  }
}

async function report(error: unknown, io: Io, output: Output): Promise<number> {
  const { status, code, message } = describeFailure(error)
  const debug = (io.env['FIRN_DEBUG'] ?? '') !== ''
  const stack = debug && isError(error) ? stackOf(error) : undefined
  await output.error({ code, message, ...(stack === undefined ? {} : { stack }) })
  return status
}

function stackOf(error: Error): string {
  const own = error.stack ?? String(error)
  return isError(error.cause) ? `${own}\ncaused by: ${stackOf(error.cause)}` : own
}

/**
 * Checked before the command line is parsed, so that mistakes in it are reported in the right
 * format.
 */
function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return argv.slice(0, end < 0 ? argv.length : end).includes('--json')
}
