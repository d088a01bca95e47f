import { toBase64 } from '@firn/bytes'
import type { Command } from 'commander'
import type { CommandContext } from '../command-context.js'
import { addExamples } from '../examples.js'
import { type OpenSst, withSst } from '../sst/open-sst.js'
import { splitKey } from '../sst/record-key.js'
import { lineOf, utf8OrUndefined } from '../text/byte-text.js'
import { formatBytes, formatCount, formatShare, formatTimestamp } from '../text/quantities.js'

/** `firn sst stats <file>` */
export function defineSstStats(parent: Command, context: CommandContext): void {
  const command = parent
    .command('stats')
    .summary('show the properties of a file')
    .description(
      'Shows the sizes, the range of keys and the times of a file, from its last block alone.',
    )
    .argument('<file>', 'an .sst file')
  command.action((file: string) => stats(file, context))
  addExamples(command, [
    ['firn sst stats file.sst', 'for people'],
    ['firn sst stats file.sst --json', 'for programs'],
  ])
}

async function stats(file: string, context: CommandContext): Promise<void> {
  const { output } = context
  await withSst(file, context, async (sst) => {
    if (output.json) return output.document(documentOf(sst))
    const facts = factsOf(sst)
    const width = Math.max(...facts.map(([name]) => name.length))
    for (const [name, fact] of facts) {
      await output.line(output.paint('bold', name.padEnd(width)), `  ${fact}`)
    }
  })
}

function factsOf({ reader, timestamps }: OpenSst): [string, string][] {
  const raw = reader.rawKeyBytes + reader.rawValueBytes
  const time = (micros: number): string =>
    timestamps ? formatTimestamp(micros) : 'that of its entry'
  return [
    ['file', reader.fileId],
    [
      'size',
      `${formatBytes(reader.bytes)}, ${formatShare(reader.bytes, raw)} of its keys and values`,
    ],
    ['records', formatCount(reader.records)],
    ['  deletes', formatCount(reader.deletes)],
    ['  merges', formatCount(reader.merges)],
    ['keys', formatCount(reader.keys)],
    ['key bytes', formatBytes(reader.rawKeyBytes)],
    ['value bytes', formatBytes(reader.rawValueBytes)],
    ['blocks', formatCount(reader.dataBlocks)],
    ['index, filter', `${formatBytes(reader.memoryBytes)} in memory`],
    ['first key', keyText(reader.smallest)],
    ['last key', keyText(reader.largest)],
    ['oldest record', time(reader.minTimestamp)],
    ['newest record', time(reader.maxTimestamp)],
    ['statistics', Object.keys(reader.statistics).join(', ') || 'none'],
  ]
}

function documentOf({ reader, timestamps }: OpenSst): unknown {
  return {
    fileId: reader.fileId,
    bytes: reader.bytes,
    records: reader.records,
    deletes: reader.deletes,
    merges: reader.merges,
    keys: reader.keys,
    rawKeyBytes: reader.rawKeyBytes,
    rawValueBytes: reader.rawValueBytes,
    blocks: reader.dataBlocks,
    tailBytes: reader.tailBytes,
    memoryBytes: reader.memoryBytes,
    smallest: keyDocument(reader.smallest),
    largest: keyDocument(reader.largest),
    ...(timestamps ? { minTimestamp: reader.minTimestamp, maxTimestamp: reader.maxTimestamp } : {}),
    statistics: Object.fromEntries(
      Object.entries(reader.statistics).map(([name, bytes]) => [name, toBase64(bytes)]),
    ),
  }
}

function keyText(bytes: Uint8Array): string {
  const { table, key } = splitKey(bytes)
  return table === undefined ? lineOf(key) : `${lineOf(key)} of table ${table}`
}

function keyDocument(bytes: Uint8Array): unknown {
  const { table, key } = splitKey(bytes)
  const text = utf8OrUndefined(key)
  return text === undefined
    ? { table, key: toBase64(key), encoding: 'base64' }
    : { table, key: text }
}
