/** Content of a Content-Range header, of a 206 or 416 reply: RFC 9110, section 14.4. */
export interface ContentRange {
  /** First byte of the reply, and one past the last; absent if the range is unsatisfiable. */
  range: { start: number; end: number } | undefined
  /** Size of the whole object; absent if the server doesn't say. */
  size: number | undefined
}

/** Parses a Content-Range header; `undefined` if it is missing or invalid. */
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

/** Parses a Content-Length header; `undefined` if it is missing or invalid. */
export function parseContentLength(header: string | null): number | undefined {
  return header !== null && /^\d{1,15}$/.test(header.trim()) ? Number(header) : undefined
}

/** Formats the Range header of a range that isn't empty. */
export function formatRange(start: number, end: number | undefined): string {
  if (start < 0) return `bytes=${start}`
  return `bytes=${start}-${end === undefined ? '' : end - 1}`
}
