import { utf8Encode } from '@firn/bytes'
import { isFirnError } from '@firn/env'
import { HttpObjectStore } from '@firn/object-store/http'
import { assertSound, type FuzzTarget } from '../fuzz-target.js'

const KEY = 'sst/x'
const BODY = '0123456789'

/** A server's answer: a status line, header lines, an empty line, the body. */
function responseOf(bytes: Uint8Array): Response {
  const text = new TextDecoder('latin1').decode(bytes)
  const headEnd = text.indexOf('\n\n')
  const lines = text.slice(0, headEnd < 0 ? text.length : headEnd).split('\n')
  const status = Number(lines[0])
  const headers = new Headers()
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':')
    try {
      headers.append(line.slice(0, Math.max(0, colon)), line.slice(colon + 1))
    } catch {
      // HTTP can't carry this, so it never arrives.
    }
  }
  const possible = Number.isInteger(status) && status >= 200 && status <= 599
  const bodiless = [204, 205, 304].includes(status)
  const body = headEnd < 0 || bodiless ? null : bytes.slice(headEnd + 2)
  return new Response(body, { status: possible ? status : 200, headers })
}

/** Any answer of a server: the result is the requested range, or an error. */
const answers: FuzzTarget = {
  name: 'http-answer',
  corpus: () =>
    [
      `200\ncontent-length: 10\netag: "a"\n\n${BODY}`,
      `200\n\n${BODY}`,
      '206\ncontent-range: bytes 2-5/10\netag: "a"\n\n2345',
      '206\ncontent-range: bytes 5-9/10\netag: "a"\n\n56789',
      '416\ncontent-range: bytes */10\n\n',
      '404\n\n',
      '412\n\n',
      '503\nretry-after: 1\n\n',
    ].map((text) => utf8Encode(text)),
  words: ['bytes ', '*', '-', '/', '999999999999999', 'content-length: 3\n', '206\n', '200\n'],
  refusals: [],
  async decode(bytes) {
    const store = new HttpObjectStore('http://localhost', { fetch: async () => responseOf(bytes) })
    const ranges = [undefined, { start: 2, end: 6 }, { start: -5 }, { start: 5 }]
    for (const range of ranges) {
      try {
        const object = await store.get(KEY, range === undefined ? {} : { range })
        const { size, offset, bytes: content } = object
        assertSound(offset >= 0 && offset + content.length <= size, 'bytes out of the object')
        if (range?.end !== undefined) assertSound(content.length <= 4, 'more than was asked for')
      } catch (error) {
        if (!isFirnError(error)) throw error
      }
    }
    try {
      const { size } = (await store.head(KEY)) ?? { size: 0 }
      assertSound(Number.isSafeInteger(size) && size >= 0, `a size of ${size}`)
    } catch (error) {
      if (!isFirnError(error)) throw error
    }
  },
}

/** Addresses that people type. */
const addresses: FuzzTarget = {
  name: 'http-address',
  corpus: () =>
    ['http://localhost:80/a', 'https://u:p@example.com/x?y=z'].map((text) => utf8Encode(text)),
  words: ['%', '%zz', '@', ':', '//', '[::1]', '%ff', 'é', '?', '#'],
  refusals: ['FIRN_INVALID_ARGUMENT'],
  decode(bytes) {
    new HttpObjectStore(new TextDecoder().decode(bytes))
  },
}

export const httpTargets: readonly FuzzTarget[] = [answers, addresses]
