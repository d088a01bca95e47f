/** The range of a scan, by text keys of ASCII. */
export interface KeyRange {
  prefix?: string
  gt?: string
  gte?: string
  lt?: string
  lte?: string
  reverse?: boolean
  limit?: number
}

export function isInRange(key: string, { prefix, gt, gte, lt, lte }: KeyRange): boolean {
  return (
    (prefix === undefined || key.startsWith(prefix)) &&
    (gt === undefined || key > gt) &&
    (gte === undefined || key >= gte) &&
    (lt === undefined || key < lt) &&
    (lte === undefined || key <= lte)
  )
}

export function rangeInWords(range: KeyRange): string {
  return JSON.stringify(range)
}
