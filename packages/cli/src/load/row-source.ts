/** One row of a file, or its problem. */
export interface SourceRow {
  /** The line on which the row begins, counted from 1. */
  line: number
  /** The row as a JSON value, usually an object. */
  record?: unknown
  /** Its JSON text, exactly as it stands in the file if the file is JSON. */
  json?: string
  /** The bytes of that text. Valid until the next rows are requested. */
  bytes?: Uint8Array
  problem?: string
  /** Whether the problem hides everything after it: the load can't continue. */
  final?: boolean
}

/** Rows in the order of the file, a handful at a time. */
export type RowSource = AsyncGenerator<readonly SourceRow[], void>

export const FORMATS = ['jsonl', 'csv', 'tsv'] as const
export type Format = (typeof FORMATS)[number]

const EXTENSIONS: Readonly<Record<string, Format>> = {
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  json: 'jsonl',
  csv: 'csv',
  tsv: 'tsv',
  tab: 'tsv',
}

/** Returns the format that a file's name implies; `undefined` if it implies none. */
export function formatOf(path: string): Format | undefined {
  const extension = /\.([^./\\]+)$/.exec(path)?.[1]?.toLowerCase()
  return extension === undefined ? undefined : EXTENSIONS[extension]
}
