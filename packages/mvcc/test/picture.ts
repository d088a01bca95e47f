import { KIND_DELETE, KIND_MERGE, KIND_PUT } from '../src/index.js'
import type { VersionedRecord } from '../src/testing.js'

const utf8 = new TextEncoder()
const text = new TextDecoder()

/** `a@5=x` is a put, `a@5+x` a merge operand, `a@5!` a delete. */
export function records(picture: string): VersionedRecord[] {
  const words = picture.split(/\s+/).filter((word) => word !== '')
  return words.map((word) => {
    const match = /^(.+)@(\d+)([=+!])(.*)$/.exec(word)
    if (match === null) throw new Error(`not a record: ${word}`)
    const [, key = '', timestamp = '', sign = '', value = ''] = match
    const kind = sign === '!' ? KIND_DELETE : sign === '+' ? KIND_MERGE : KIND_PUT
    return { key: utf8.encode(key), timestamp: Number(timestamp), kind, value: utf8.encode(value) }
  })
}

export function picture(list: readonly VersionedRecord[]): string {
  return list
    .map(({ key, timestamp, kind, value }) => {
      const sign = kind === KIND_DELETE ? '!' : kind === KIND_MERGE ? '+' : '='
      return `${text.decode(key)}@${timestamp}${sign}${text.decode(value)}`
    })
    .join(' ')
}
