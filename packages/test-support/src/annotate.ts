/** Names of byte ranges, in order. Bytes after the last one are the rest. */
export type Layout = readonly (readonly [name: string, bytes: number])[]

const NAME_COLUMNS = 18
const HEX_COLUMNS = 64

/** Draws bytes as lines of `name  hex`, one for each field; longer fields are folded. */
export function annotate(bytes: Uint8Array, layout: Layout): string {
  const lines: string[] = []
  let at = 0
  for (const [name, length] of [...layout, ['rest', bytes.length] as const]) {
    const field = bytes.subarray(at, at + length)
    at += field.length
    const hex = Buffer.from(field.buffer, field.byteOffset, field.length).toString('hex')
    for (let i = 0; i < hex.length; i += HEX_COLUMNS) {
      lines.push(`${(i === 0 ? name : '').padEnd(NAME_COLUMNS)}${hex.slice(i, i + HEX_COLUMNS)}`)
    }
  }
  return `${lines.join('\n')}\n`
}

/** The bytes that a text made by {@link annotate} draws. */
export function annotatedBytes(text: string): Uint8Array {
  const hex = text.split('\n').map((line) => line.slice(NAME_COLUMNS))
  return new Uint8Array(Buffer.from(hex.join(''), 'hex'))
}
