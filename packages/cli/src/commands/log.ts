import { readNewestCheckpoint } from '@firn/manifest'
import type { Command } from 'commander'
import { closing } from '../closing.js'
import { type CommandContext, locationOf } from '../command-context.js'
import { partsOf } from '../database-parts.js'
import { addExamples } from '../examples.js'
import { EntrySummarizer, type EntrySummary } from '../log/entry-summary.js'
import { parseCount } from '../option-parsers.js'
import type { Output } from '../output.js'
import { formatTimestamp } from '../text/quantities.js'

interface Options {
  after?: number
  limit?: number
}

const LINES_AT_ONCE = 256

/** `firn log` */
export function defineLog(program: Command, context: CommandContext): void {
  const command = program
    .command('log')
    .summary('list the commits')
    .description(
      'Lists the entries of the commit log, oldest first: version, time, token, and what they did.\n' +
        'If all that an entry wrote is in files, the log may keep only its version, time and token.\n' +
        'Every version can be read with --at while a table keeps its history.',
    )
    .option('--after <version>', 'only entries after this version', parseCount)
    .option('--limit <n>', 'at most this many entries', parseCount)
  command.action((options: Options) => showLog(options, command, context))
  addExamples(command, [
    ['firn log', 'all entries'],
    ['firn log --after 100 --limit 10', 'the ten entries from version 101 on'],
    ['firn log --json', 'one object a line, for programs'],
  ])
}

async function showLog(options: Options, command: Command, context: CommandContext): Promise<void> {
  const parts = await partsOf(locationOf(command, context), context.clock)
  const show = async (): Promise<void> => {
    const incarnation = await parts.findIncarnation()
    const after = options.after ?? 0
    const checkpoint = await readNewestCheckpoint(parts.store, incarnation)
    const names = new Map<number, string>()
    for (const [id, { name }] of checkpoint?.tables ?? []) names.set(id, name)
    // Tables created since the checkpoint have their names in the entries after it.
    const start = Math.min(after, checkpoint?.version ?? 0)
    const summarizer = new EntrySummarizer(names, checkpoint?.flushedThrough)
    const log = await parts.openLog(incarnation)
    const print = async (): Promise<void> => {
      const printer = new EntryPrinter(context.output)
      let left = options.limit ?? Number.POSITIVE_INFINITY
      for await (const entry of log.readAfter(start)) {
        if (left <= 0) break
        const summary = summarizer.summarize(entry)
        if (entry.version <= after) continue
        await printer.add(summary)
        left--
      }
      await printer.end()
    }
    await closing(() => log.close(), print)
  }
  await closing(() => parts.close(), show)
}

/** Prints entries as an aligned table, in parts. */
class EntryPrinter {
  readonly #output: Output
  #pending: EntrySummary[] = []
  #first = true

  constructor(output: Output) {
    this.#output = output
  }

  async add(entry: EntrySummary): Promise<void> {
    this.#pending.push(entry)
    if (this.#pending.length >= LINES_AT_ONCE) await this.end()
  }

  async end(): Promise<void> {
    const entries = this.#pending
    this.#pending = []
    if (entries.length === 0) return
    if (this.#output.json) {
      const lines = entries.map((entry) =>
        JSON.stringify({ ...entry, time: formatTimestamp(entry.timestamp) }),
      )
      await this.#output.jsonLines(`${lines.join('\n')}\n`)
      return
    }
    const columns = [
      { title: 'version', align: 'right' } as const,
      { title: 'time' },
      { title: 'token' },
      { title: 'what' },
    ]
    const rows = entries.map((entry) => [
      String(entry.version),
      formatTimestamp(entry.timestamp),
      entry.token,
      textOf(entry),
    ])
    await this.#output.table(columns, rows, { header: this.#first })
    this.#first = false
  }
}

function textOf({ edits, inFiles }: EntrySummary): string {
  if (inFiles !== undefined) return `in files (flushed through version ${inFiles.flushedThrough})`
  if (edits === undefined) return 'truncated, and no checkpoint covers it'
  return edits.length === 0 ? 'nothing' : edits.map(({ text }) => text).join('; ')
}
