import { isError } from '@firn/env'
import { CommanderError } from 'commander'
import { makeContext } from './command-context.js'
import { describeFailure } from './failure.js'
import { BrokenPipeError, type Io } from './io.js'
import { Output } from './output.js'
import { buildProgram } from './program.js'

/**
 * Runs one command line, without the name of the program in front. Resolves with the exit status:
 * 0, 1 where the command failed, 2 where the command line is wrong, 130 where Ctrl-C ended it.
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
      // No command at all: the help says which there are.
      await output.usage(help)
      return 2
    } catch (failure) {
      // `firn scan | head`: whoever read has seen enough, and that is no failure. What the command
      // had found out before stays true.
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

/** Known before the command line is understood, so that mistakes in it can be reported as asked. */
function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return argv.slice(0, end < 0 ? argv.length : end).includes('--json')
}
