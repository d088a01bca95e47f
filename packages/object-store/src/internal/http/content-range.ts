/** What a 206 or 416 says of itself: RFC 9110, section 14.4. */
export interface ContentRange {
  /** First and one past the last byte of the reply; absent where the range was not satisfiable. */
  range: { start: number; end: number } | undefined
  /** Bytes of the whole object; absent where the server doesn't say. */
  size: number | undefined
}

/** Reads a Content-Range header; `undefined` for one that is missing or makes no sense. */
export function parseContentRange(header: string | null): ContentRange | undefined {
  const match = /^bytes (?:(\d{1,15})-(\d{1,15})|\*)\/(\d{1,15}|\*)$/i.exec(header?.trim() ?? '')
  if (match === null) return undefined
  const [, first, last, total] = match
  const size = total === '*' || total === undefined ? undefined : Number(total)
  if (first === undefined || last === undefined) return { range: undefined, size }
  const range = { start: Number(first), end: Number(last) + 1 }
  if (range.end <= range.start || (size !== undefined && range.end > size)) return undefined
  return { range, size }
}

/** Reads a Content-Length header; `undefined` for one that is missing or makes no sense. */
export function parseContentLength(header: string | null): number | undefined {
  return header !== null && /^\d{1,15}$/.test(header.trim()) ? Number(header) : undefined
}

/** The Range header for a range that isn't empty. */
export function formatRange(start: number, end: number | undefined): string {
  if (start < 0) return `bytes=${start}`
  return `bytes=${start}-${end === undefined ? '' : end - 1}`
}
