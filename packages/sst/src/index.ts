export {
  type CursorStatus,
  END,
  PENDING,
  POSITIONED,
  SstCursor,
  type SstCursorOptions,
} from './cursor.js'
export type { Compression } from './internal/codec.js'
export type { OpenOptions } from './internal/open-file.js'
export { ABSENT, FOUND, type LookupStatus, NOT_RESIDENT, SstLookup } from './lookup.js'
export type { Pause } from './pause.js'
export { type LoadOptions, SstReader, type WarmOptions } from './reader.js'
export { memorySource, type SourceReadOptions, type SstSource } from './source.js'
export type { StatisticsCollector } from './statistics.js'
export type { SstSummary } from './summary.js'
export type { SstBlockDescription, SstVerification, VerifyOptions } from './verification.js'
export type { WarmedBlocks } from './warmed-blocks.js'
export { SstWriter, type SstWriterOptions } from './writer.js'
