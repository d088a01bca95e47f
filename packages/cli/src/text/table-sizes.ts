import type { TableInfo } from '@firn/engine'

/** A size of a table, marked where it is an upper bound. */
export function atMost({ exact }: TableInfo, size: string): string {
  return exact ? size : `≤ ${size}`
}

/** What the marks mean, where there are any. */
export function upperBounds(tables: readonly TableInfo[]): string | undefined {
  return tables.every(({ exact }) => exact)
    ? undefined
    : '≤: files of level 0 that several tables share count for each of them, until `firn compact` parts them'
}
