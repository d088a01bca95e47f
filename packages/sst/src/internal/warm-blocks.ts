import type { WarmOptions } from '../reader.js'
import type { WarmedBlocks } from '../warmed-blocks.js'
import type { BlockFile } from './block-file.js'
import type { IndexBlock } from './index-block.js'

// The longest read. Checking and decoding 1 MiB takes some 4 ms.
const READ_BYTES: number = 1024 * 1024

/** Blocks `from` to `to` (inclusive) of an index. The ends aren't in memory; others may be. */
interface ColdRun {
  readonly index: IndexBlock
  readonly from: number
  readonly to: number
}

/**
 * Loads the blocks that may hold keys from `first` to `last` and aren't in memory, with long reads.
 * While it yields one read, the next one is under way, but none after that: the caller sets the
 * pace.
 */
export async function* warmBlocks(
  file: BlockFile,
  first: Uint8Array,
  last: Uint8Array,
  options: WarmOptions,
): AsyncGenerator<WarmedBlocks, void, undefined> {
  let ahead: Promise<WarmedBlocks> | undefined
  for await (const run of coldRuns(file, first, last, options.signal)) {
    options.signal?.throwIfAborted()
    const next = load(file, run, options)
    // Awaiting it throws the error. If the caller stops before, the error doesn't matter.
    next.catch(() => {})
    if (ahead !== undefined) yield await ahead
    ahead = next
  }
  if (ahead !== undefined) yield await ahead
}

async function* coldRuns(
  file: BlockFile,
  first: Uint8Array,
  last: Uint8Array,
  signal: AbortSignal | undefined,
): AsyncGenerator<ColdRun, void, undefined> {
  if (file.blockCount === 0) return
  const flat = file.partitions === undefined
  const firstPartition = flat ? 0 : childOf(file.index, first, Number.POSITIVE_INFINITY)
  const lastPartition = flat ? 0 : childOf(file.index, last, -1)
  for (let partition = firstPartition; partition <= lastPartition; partition++) {
    const index = await file.fetchPartition(partition, { signal })
    const begin = partition === firstPartition ? childOf(index, first, Number.POSITIVE_INFINITY) : 0
    const end = partition === lastPartition ? childOf(index, last, -1) : index.count - 1
    yield* runsOf(file, index, index.first + begin, index.first + end)
  }
}

/** Finds runs. A run spans blocks in memory, as reading them again costs less than a request. */
function* runsOf(
  file: BlockFile,
  index: IndexBlock,
  begin: number,
  end: number,
): Generator<ColdRun> {
  // `as number`: ordinals are those of the index's children.
  const offset = (ordinal: number): number => index.offsets[ordinal - index.first] as number
  for (let from = begin; from <= end; from++) {
    if (file.blocks.has(from)) continue
    let to = from
    for (let more = from + 1; more <= end; more++) {
      if (offset(more + 1) - offset(from) > READ_BYTES) break
      if (!file.blocks.has(more)) to = more
    }
    yield { index, from, to }
    from = to
  }
}

async function load(
  file: BlockFile,
  { index, from, to }: ColdRun,
  options: WarmOptions,
): Promise<WarmedBlocks> {
  const cold = Array.from({ length: to - from + 1 }, (_, i) => !file.blocks.has(from + i))
  const results = await file.fetchRun(index, from, to, options)
  const warmed = { blocks: 0, bytes: 0, records: 0 }
  results.forEach((result, i) => {
    if (result.status === 'rejected') throw result.reason
    if (cold[i] !== true) return
    const child = from + i - index.first
    warmed.blocks++
    // `as number`: ordinals are those of the index's children.
    warmed.bytes += (index.offsets[child + 1] as number) - (index.offsets[child] as number)
    warmed.records += result.value.rows
  })
  return warmed
}

function childOf(index: IndexBlock, key: Uint8Array, timestamp: number): number {
  return index.search(key, 0, key.length, timestamp)
}
