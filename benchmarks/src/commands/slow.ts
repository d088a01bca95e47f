import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { slowToMarkdown } from '../report/slow-markdown.js'
import { runSlow } from '../slow/run-slow.js'
import { list, positiveInteger } from './arguments.js'

/**
 * `slow`: how long processes that share a log wait for their commits while some replies are late.
 */
export async function slowCommand(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      processes: { type: 'string', default: '6' },
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string', default: '1' },
      usual: { type: 'string', default: '10' },
      late: { type: 'string', default: '5' },
      by: { type: 'string', default: '1000,5000' },
      directory: { type: 'string' },
      json: { type: 'string' },
    },
  })
  const [least, most] = list(values.by).map((ms) => positiveInteger(ms, 'by'))
  if (least === undefined || most === undefined || most < least) {
    throw new Error(`--by takes the least and the most milliseconds, as in 1000,5000`)
  }
  const lateShare = Number(values.late) / 100
  if (!(lateShare >= 0 && lateShare <= 1)) throw new Error('--late takes per cent, from 0 to 100')
  const result = await runSlow({
    processes: positiveInteger(values.processes, 'processes'),
    seconds: positiveInteger(values.seconds, 'seconds'),
    seed: positiveInteger(values.seed, 'seed'),
    replies: {
      usualMs: positiveInteger(values.usual, 'usual'),
      lateShare,
      lateMs: [least, most],
    },
    directory: values.directory,
  })
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`)
  }
  process.stdout.write(slowToMarkdown(result))
  if (result.anomalies.length > 0) process.exitCode = 1
}
