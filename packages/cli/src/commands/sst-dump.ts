import { KIND_DELETE, KIND_PUT } from '@firn/mvcc'
import type { SstCursor } from '@firn/sst'
import type { Command } from 'commander'
import type { CommandContext } from '../command-context.js'
import { addExamples } from '../examples.js'
import {
  type ByteFormatOptions,
  byteFormatOf,
  byteFormatOptions,
  parseCount,
} from '../option-parsers.js'
import { withSst } from '../sst/open-sst.js'
import { splitKey } from '../sst/record-key.js'
import { walkRecords } from '../sst/walk-records.js'
import type { Column } from '../text/aligned-columns.js'
import { formatTimestamp } from '../text/quantities.js'
import { rowJson } from '../text/row-json.js'
import { TableText } from '../text/table-text.js'

type Options = ByteFormatOptions & { limit?: number; keysOnly?: boolean; blocks?: boolean }

/** `firn sst dump <file>` */
export function defineSstDump(parent: Command, context: CommandContext): void {
  const command = parent
    .command('dump')
    .summary('print all records of a file, versions and deletes included')
    .description(
      'Prints all records of a file in order, newest version of a key first: number of the table,\n' +
        'time, kind, key and value. Keys and values print as text, whatever the table’s encodings are.',
    )
    .argument('<file>', 'an .sst file')
    .option('--limit <n>', 'at most this many records', parseCount)
    .option('--keys-only', 'without the values')
    .option('--blocks', 'describe the blocks instead of the records')
  for (const option of byteFormatOptions()) command.addOption(option)
  command.action((file: string, options: Options) => dump(file, options, context))
  addExamples(command, [
    ['firn sst dump firn_data/sst/*/*.sst', 'all records of a file'],
    ['firn sst dump file.sst --limit 10 --json', 'the first ten, one object a line'],
    ['firn sst dump file.sst --blocks', 'where its blocks are, and what they hold'],
  ])
}

async function dump(file: string, options: Options, context: CommandContext): Promise<void> {
  if (options.blocks === true) return dumpBlocks(file, options, context)
  const text = new TableText({ keys: 'bytes', values: 'bytes' }, byteFormatOf(options))
  const { output } = context
  await withSst(file, context, async ({ reader, timestamps }) => {
    let left = options.limit ?? Number.POSITIVE_INFINITY
    let lines = ''
    const line = (cursor: SstCursor): string => {
      const { table, key } = splitKey(cursor.keyBytes.subarray(cursor.keyStart, cursor.keyEnd))
      const deleted = cursor.kind === KIND_DELETE
      const value =
        deleted || options.keysOnly === true
          ? undefined
          : cursor.valueBytes.subarray(cursor.valueStart, cursor.valueEnd)
      const kind = kindOf(cursor.kind)
      if (output.json) {
        const record = { table, timestamp: timestamps ? cursor.timestamp : undefined, kind }
        return rowJson(text, key, value, JSON.stringify(record).slice(1, -1))
      }
      return [
        table ?? '-',
        timestamps ? formatTimestamp(cursor.timestamp) : '-',
        kind,
        text.showKey(key),
        ...(value === undefined ? [] : [text.showValue(value)]),
      ].join('\t')
    }
    await walkRecords(
      reader,
      (cursor) => {
        if (left-- <= 0) return false
        lines += `${line(cursor)}\n`
        return true
      },
      async () => {
        const ready = lines
        lines = ''
        if (ready === '') return
        await (output.json ? output.jsonLines(ready) : output.write(ready))
      },
    )
  })
}

async function dumpBlocks(file: string, options: Options, context: CommandContext): Promise<void> {
  const { output } = context
  const text = new TableText({ keys: 'bytes', values: 'bytes' }, byteFormatOf(options))
  await withSst(file, context, async ({ reader }) => {
    const rows: string[][] = []
    let left = options.limit ?? Number.POSITIVE_INFINITY
    for await (const block of reader.blocks()) {
      if (left-- <= 0) break
      const { ordinal, offset, storedBytes, rawBytes, codec, rows: records, prefixBytes } = block
      const { table, key } = splitKey(block.firstKey)
      if (output.json) {
        const facts = { ordinal, offset, storedBytes, rawBytes, codec, records, prefixBytes, table }
        const row = rowJson(text, key, undefined, JSON.stringify(facts).slice(1, -1))
        await output.jsonLines(`${row}\n`)
      } else {
        const numbers = [ordinal, offset, storedBytes, rawBytes].map(String)
        rows.push([...numbers, codec, String(records), String(table ?? '-'), text.showKey(key)])
      }
    }
    if (!output.json) await output.table(BLOCK_COLUMNS, rows)
  })
}

const BLOCK_COLUMNS: readonly Column[] = [
  { title: 'block', align: 'right' },
  { title: 'offset', align: 'right' },
  { title: 'bytes', align: 'right' },
  { title: 'raw', align: 'right' },
  { title: 'codec' },
  { title: 'records', align: 'right' },
  { title: 'table', align: 'right' },
  { title: 'first key' },
]

function kindOf(kind: number): string {
  if (kind === KIND_DELETE) return 'delete'
  return kind === KIND_PUT ? 'put' : 'merge'
}
