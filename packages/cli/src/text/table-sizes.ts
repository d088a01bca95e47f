import type { TableInfo } from '@firn/engine'

/** Formats the size of a table, and marks an upper bound. */
export function atMost({ exact }: TableInfo, size: string): string {
  return exact ? size : `≤ ${size}`
}

/** Explains the marks, if there are any. */
export function upperBounds(tables: readonly TableInfo[]): string | undefined {
  return tables.every(({ exact }) => exact)
    ? undefined
    : '≤: files of level 0 that several tables share count for each of them, until `firn compact` separates them'
}
