import { BlockCache } from '@firn/block-cache'
import { CorruptionError, InvalidArgumentError, isFirnError } from '@firn/env'
import { MAX_TIMESTAMP } from '@firn/mvcc'
import type { SstSource } from '../source.js'
import type { DataBlock } from './block.js'
import { BlockFile } from './block-file.js'
import { openBlock } from './envelope.js'
import { decodeFilter, type Filter } from './filter.js'
import { decodeFooter, FOOTER_FIXED_BYTES, type Footer } from './footer.js'
import { MAX_FILE_ID_BYTES, MAX_META_BYTES } from './format.js'
import { FileIdentity } from './identity.js'
import type { IndexBlock } from './index-block.js'
import { decodeIndex } from './index-decoder.js'
import { decodeProperties, type Properties, SECTION_FILTER, SECTION_INDEX } from './properties.js'

// First read of a file whose tail length is unknown: enough for files of some 45,000 keys.
const SPECULATIVE_TAIL_BYTES: number = 64 * 1024
const OWN_CACHE_BYTES: number = 8 * 1024 * 1024

export interface OpenOptions {
  /** The id that the file must have. */
  fileId?: string | undefined
  /** The size that the file must have. */
  size?: number | undefined
  /** Bytes to read at first. With `tailBytes` of the file's summary, one read is enough. */
  tailBytes?: number | undefined
  /** Cache of decoded blocks, which files can share. Default: a cache of 8 MiB for this file. */
  cache?: BlockCache | undefined
  /** The timestamp of every record. Required for a file written with `timestamps: 'file'`. */
  timestamp?: number | undefined
  signal?: AbortSignal | undefined
}

export interface OpenedFile {
  readonly file: BlockFile
  readonly footer: Footer
  readonly properties: Properties
  readonly filter: Filter | undefined
}

/** Reads and checks the tail of a file: in one read, or in two if it is longer than expected. */
export async function openFile(source: SstSource, options: OpenOptions): Promise<OpenedFile> {
  const what = options.fileId === undefined ? 'SST' : `SST ${options.fileId}`
  try {
    return await openTail(source, options, what, false)
  } catch (error) {
    // The damage may have happened on the way here, not in the file.
    if (!isFirnError(error, 'FIRN_CORRUPTION')) throw error
    return await openTail(source, options, what, true)
  }
}

async function openTail(
  source: SstSource,
  options: OpenOptions,
  what: string,
  fresh: boolean,
): Promise<OpenedFile> {
  const { signal, timestamp } = options
  const read = { signal, fresh }
  const most = FOOTER_FIXED_BYTES + MAX_FILE_ID_BYTES
  const wanted = Math.max(most, options.tailBytes ?? SPECULATIVE_TAIL_BYTES)
  const first = await source.readTail(wanted, read)
  const { size } = first
  if (first.bytes.length !== Math.min(size, wanted)) {
    throw new CorruptionError(`${what}: a tail of ${first.bytes.length} bytes, asked for ${wanted}`)
  }
  if (options.size !== undefined && options.size !== size) {
    throw new CorruptionError(`${what}: the file has ${size} bytes, not ${options.size}`)
  }
  const footer = decodeFooter(first.bytes, size, what)
  if (options.fileId !== undefined && footer.fileId !== options.fileId) {
    throw new CorruptionError(`${what}: the file there is ${footer.fileId}`)
  }
  let tail = first.bytes.subarray(Math.max(0, first.bytes.length - footer.tailBytes))
  if (footer.tailBytes > tail.length) {
    const offset = size - footer.tailBytes
    tail = await source.read(offset, footer.tailBytes, read)
    if (tail.length !== footer.tailBytes) {
      throw new CorruptionError(
        `${what}: read ${tail.length} bytes, not ${footer.tailBytes}, at offset ${offset}`,
      )
    }
  }
  return decodeTail(source, options, tail, footer, timestamp)
}

function decodeTail(
  source: SstSource,
  options: OpenOptions,
  tail: Uint8Array,
  footer: Footer,
  timestamp: number | undefined,
): OpenedFile {
  const { fileId, fileBytes } = footer
  const identity = new FileIdentity(fileId)
  const tailStart = fileBytes - tail.length
  const open = (offset: number, length: number, name: string, asView = false) => {
    if (offset < tailStart || offset + length > fileBytes) {
      throw new CorruptionError(`SST ${fileId}: its ${name} is outside of the tail`)
    }
    const stored = tail.subarray(offset - tailStart, offset - tailStart + length)
    return openBlock(stored, identity, offset, MAX_META_BYTES, name, asView)
  }
  const propertiesEnd = fileBytes - footer.footerBytes
  const propertiesStart = propertiesEnd - footer.propertiesBytes
  const properties = decodeProperties(
    open(propertiesStart, footer.propertiesBytes, 'properties'),
    propertiesStart,
    `properties of SST ${fileId}`,
  )
  let index: IndexBlock | undefined
  let filter: Filter | undefined
  for (const { id, offset, length } of properties.sections) {
    if (id === SECTION_INDEX) {
      const flat = properties.partitions.length === 0
      index = decodeIndex(
        open(offset, length, 'index', true),
        {
          level: flat ? 0 : 1,
          first: 0,
          count: flat ? properties.blocks : properties.partitions.length,
          start: flat ? 0 : properties.dataBytes,
          end: flat ? properties.dataBytes : propertiesStart,
        },
        `index at offset ${offset} of SST ${fileId}`,
      )
    } else if (id === SECTION_FILTER) {
      const where = `filter at offset ${offset} of SST ${fileId}`
      filter = decodeFilter(open(offset, length, 'filter', true), where)
    }
  }
  if (index === undefined) throw new CorruptionError(`SST ${fileId}: it has no index`)
  const recordTimestamp = properties.timestamps ? undefined : timestampOf(timestamp, fileId)
  // Blocks in memory hold the file's timestamp, so only readers with an equal one share them.
  const cacheId = recordTimestamp === undefined ? fileId : `${fileId}@${recordTimestamp}`
  const cache = options.cache ?? new BlockCache({ bytes: OWN_CACHE_BYTES })
  const file = new BlockFile({
    identity,
    source,
    index,
    blocks: cache.file<DataBlock>(cacheId),
    partitions: index.level === 0 ? undefined : cache.file<IndexBlock>(`${fileId}#index`),
    partitionBlocks: properties.partitions,
    blockCount: properties.blocks,
    dataBytes: properties.dataBytes,
    timestamp: recordTimestamp,
  })
  return { file, footer, properties, filter }
}

function timestampOf(timestamp: number | undefined, fileId: string): number {
  if (
    timestamp === undefined ||
    !(timestamp >= 0 && timestamp <= MAX_TIMESTAMP && Number.isInteger(timestamp))
  ) {
    throw new InvalidArgumentError(
      `SST ${fileId} stores no timestamps; open it with the timestamp of its records`,
    )
  }
  return timestamp
}
