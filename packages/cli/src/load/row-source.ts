/** One row of a file, or why there is none in its place. */
export interface SourceRow {
  /** The line on which it begins, counted from 1. */
  line: number
  /** The row as JSON has it, usually an object. */
  record?: unknown
  /** Its JSON text, as it stands in the file where the file holds JSON. */
  json?: string
  /** The bytes of that text. Valid until the next handful of rows is asked for. */
  bytes?: Uint8Array
  problem?: string
  /** The problem hides all that comes behind it: there is no going on. */
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

/** The format that a file's name says; `undefined` where it says none. */
export function formatOf(path: string): Format | undefined {
  const extension = /\.([^./\\]+)$/.exec(path)?.[1]?.toLowerCase()
  return extension === undefined ? undefined : EXTENSIONS[extension]
}
