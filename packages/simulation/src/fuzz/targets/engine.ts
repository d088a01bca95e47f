import { utf8Encode } from '@firn/bytes'
import { type Encoding, type EncodingName, open } from '@firn/engine'
import { locateParts } from '@firn/engine/parts'
import { assertSame, type FuzzTarget } from '../fuzz-target.js'
import { someText } from '../values.js'

/** Writes bytes as they are, under the name of an encoding that would write others. */
function raw(name: EncodingName): Encoding<Uint8Array> {
  return { name, encode: (bytes) => bytes, decode: (bytes) => bytes }
}

/** Stored keys and values that the table's encoding didn't make: an error of that row only. */
const values: FuzzTarget = {
  name: 'stored-values',
  corpus: (random) =>
    Array.from({ length: 20 }, () => utf8Encode(JSON.stringify({ a: [someText(random), 1.5] }))),
  words: ['[', '{"__proto__":', '"\\ud800"', '1e999', '-0', '\ufeff', '[[[[[[[['],
  refusals: ['FIRN_INVALID_ARGUMENT', 'FIRN_CORRUPTION'],
  async decode(bytes) {
    const database = await open('memory:')
    try {
      const names = ['utf8', 'json', 'tuple'] as const
      for (const name of names) {
        const table = await database.table(name, { keys: 'utf8', values: raw(name) })
        await table.put('key', bytes)
      }
      const text = await database.table('utf8', { keys: 'utf8', values: 'utf8' })
      const json = await database.table('json', { keys: 'utf8', values: 'json' })
      const value = await json.get('key')
      const written = JSON.stringify(value)
      assertSame(JSON.stringify(JSON.parse(written)), written, 'JSON')
      assertSame(utf8Encode((await text.get('key')) ?? ''), bytes, 'UTF-8')
    } finally {
      await database.close()
    }
  },
}

/**
 * Locations that people type. S3 locations would load the AWS SDK; @firn/engine's tests cover them.
 */
const locations: FuzzTarget = {
  name: 'location',
  corpus: () =>
    ['file:./data', 'file:///var/data?log=objects', 'file:/tmp/a%20b'].map((text) =>
      utf8Encode(text),
    ),
  words: ['file:', 'memory:', '?log=', '%', '%00', '%zz', '//', 'localhost', '#', '\0', '..', '&'],
  refusals: ['FIRN_INVALID_ARGUMENT'],
  async decode(bytes) {
    const location = new TextDecoder().decode(bytes)
    if (/^s3:/i.test(location)) return
    const parts = await locateParts(location)
    await parts.close()
  },
}

export const engineTargets: readonly FuzzTarget[] = [values, locations]
