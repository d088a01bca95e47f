import { utf8OrUndefined } from '../text/byte-text.js'
import { linesOf } from './lines.js'
import type { RowSource, SourceRow } from './row-source.js'

/** Rows of JSON lines: one JSON object on each line; empty lines are nothing. */
export async function* jsonlSource(chunks: AsyncIterable<Uint8Array>): RowSource {
  let line = 0
  for await (const lines of linesOf(chunks)) {
    const rows: SourceRow[] = []
    for (const bytes of lines) {
      line++
      const row = rowOf(bytes, line)
      if (row !== undefined) rows.push(row)
    }
    yield rows
  }
}

function rowOf(bytes: Uint8Array, line: number): SourceRow | undefined {
  const text = utf8OrUndefined(bytes)
  if (text === undefined) return { line, problem: 'not UTF-8 text' }
  // A byte-order mark at the beginning of the file is white space to trim().
  const json = text.trim()
  if (json === '') return undefined
  let record: unknown
  try {
    record = JSON.parse(json)
  } catch {
    return { line, problem: `not JSON${hint(json, line)}` }
  }
  if (typeof record !== 'object' || record === null || Array.isArray(record)) {
    return { line, problem: `not a JSON object${hint(json, line)}` }
  }
  return { line, record, json }
}

/** The usual reason why the first line is no record. */
function hint(json: string, line: number): string {
  if (line !== 1) return ''
  if (json.startsWith('[')) return ' but an array; `jq -c .[]` makes JSON lines of one'
  if (json === '{') return '; `jq -c .` puts each record on one line'
  return '; --format csv or tsv reads other files'
}
