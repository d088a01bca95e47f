/**
 * Draws a file byte by byte, from FORMAT.md alone. It uses no code of the reader, so the drawing is
 * a second opinion on the format. For small files without compression.
 */
export function annotate(file: Uint8Array): string {
  return new Drawing(file).draw()
}

const CODECS = ['none', 'deflate', 'lz4']
const WIDTHS = [0, 1, 2, 4]

class Drawing {
  readonly #file: Uint8Array
  readonly #view: DataView
  readonly #lines: string[] = []
  #at = 0

  constructor(file: Uint8Array) {
    this.#file = file
    this.#view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  }

  draw(): string {
    const end = this.#file.length
    const footerBytes = this.#view.getUint32(end - 20, true)
    const footer = end - footerBytes
    const propertiesBytes = this.#view.getUint32(end - 32, true)
    const tailBytes = this.#view.getUint32(end - 36, true)
    const properties = footer - propertiesBytes
    // The properties say where things are: draw those first, then put the lines in file order.
    this.#at = properties
    const found = this.#properties(properties + propertiesBytes)
    const propertyLines = this.#lines.splice(0)
    this.#at = 0
    for (const length of found.blockLengths) this.#block(this.#at + length)
    for (const length of found.partitionLengths) this.#index('index partition', this.#at + length)
    if (this.#at !== end - tailBytes) throw new Error('the tail begins elsewhere')
    for (const { id, length } of found.sections) {
      if (id === 1) this.#index('index', this.#at + length)
      else this.#filter(this.#at + length)
    }
    this.#lines.push(...propertyLines)
    this.#at = footer
    this.#footer(footerBytes)
    return `${this.#lines.join('\n')}\n`
  }

  #title(name: string): void {
    this.#lines.push('', `-- ${name}, at ${this.#at}`)
  }

  #bytes(count: number, what: string): Uint8Array {
    const bytes = this.#file.subarray(this.#at, this.#at + count)
    for (let i = 0; i < Math.max(1, count); i += 16) {
      const hex = [...bytes.subarray(i, i + 16)].map((byte) => byte.toString(16).padStart(2, '0'))
      const offset = (this.#at + i).toString(16).padStart(6, '0')
      this.#lines.push(`${offset}  ${hex.join(' ').padEnd(48)}${i === 0 ? what : ''}`.trimEnd())
    }
    this.#at += count
    return bytes
  }

  #u8(what: string): number {
    const value = this.#view.getUint8(this.#at)
    this.#bytes(1, `${what}: ${value}`)
    return value
  }

  #u32(what: string): number {
    const value = this.#view.getUint32(this.#at, true)
    this.#bytes(4, `${what}: ${value}`)
    return value
  }

  #u64(what: string): number {
    const value = Number(this.#view.getBigUint64(this.#at, true))
    this.#bytes(8, `${what}: ${value}`)
    return value
  }

  #varint(what: string): number {
    let value = 0
    let scale = 1
    let length = 0
    for (;;) {
      const byte = this.#view.getUint8(this.#at + length++)
      value += (byte & 0x7f) * scale
      scale *= 128
      if (byte < 0x80) break
    }
    this.#bytes(length, `${what}: ${value}`)
    return value
  }

  #string(count: number, what: string): void {
    const bytes = this.#file.subarray(this.#at, this.#at + count)
    const printed = [...bytes]
      .map((b) =>
        b >= 32 && b < 127 ? String.fromCharCode(b) : `\\x${b.toString(16).padStart(2, '0')}`,
      )
      .join('')
    this.#bytes(count, `${what}: "${printed}"`)
  }

  #lengths(code: number, count: number, total: number, what: string): number[] {
    const width = WIDTHS[code] as number
    if (width === 0) return Array.from({ length: count }, () => total / count)
    const lengths = Array.from({ length: count }, (_, i) => {
      const at = this.#at + i * width
      return width === 1
        ? this.#view.getUint8(at)
        : width === 2
          ? this.#view.getUint16(at, true)
          : this.#view.getUint32(at, true)
    })
    this.#bytes(count * width, `${what}: ${lengths.join(' ')}`)
    return lengths
  }

  #trailer(): void {
    this.#u32('raw length')
    const codec = this.#view.getUint8(this.#at)
    this.#bytes(1, `codec: ${codec} (${CODECS[codec]})`)
    this.#bytes(4, 'checksum')
  }

  #block(end: number): void {
    this.#title('data block')
    const flags = this.#u8('flags (1 duplicates, 2 kinds)')
    const widths = this.#u8('widths (bits 0-1 keys, 2-3 values)')
    this.#u8('kind of all rows')
    const timestampWidth = this.#u8('bytes of a timestamp')
    const rows = this.#u32('rows')
    const prefixBytes = this.#u32('common prefix bytes')
    const suffixBytes = this.#u32('key suffix bytes')
    const valueBytes = this.#u32('value bytes')
    const min = this.#u64('min timestamp')
    this.#u64('max timestamp')
    this.#string(prefixBytes, 'common prefix')
    const keys = this.#lengths(widths & 3, rows, suffixBytes, 'suffix lengths')
    const values = this.#lengths(widths >> 2, rows, valueBytes, 'value lengths')
    if ((flags & 2) !== 0) {
      const kinds = this.#file.subarray(this.#at, this.#at + rows)
      this.#bytes(rows, `kinds: ${[...kinds].join(' ')}`)
    }
    for (let row = 0; row < rows && timestampWidth > 0; row++) {
      let value = 0
      for (let i = timestampWidth; i-- > 0; )
        value = value * 256 + this.#view.getUint8(this.#at + i)
      this.#bytes(timestampWidth, `row ${row} timestamp: min + ${value} = ${min + value}`)
    }
    for (const [row, length] of keys.entries()) this.#string(length, `row ${row} key suffix`)
    for (const [row, length] of values.entries()) this.#string(length, `row ${row} value`)
    this.#trailer()
    if (this.#at !== end) throw new Error('the block ends elsewhere')
  }

  #index(name: string, end: number): void {
    this.#title(name)
    const flags = this.#u8('flags (1 timestamps)')
    const widths = this.#u8('widths (bits 0-1 lengths, 2-3 suffixes)')
    this.#u8('level (0 over blocks, 1 over partitions)')
    this.#u8('zero')
    const count = this.#u32('children')
    this.#u32('ordinal of the first child')
    const prefixBytes = this.#u32('common prefix bytes')
    this.#u64('offset of the first child')
    const total = this.#u64('stored bytes of all children')
    this.#string(prefixBytes, 'common prefix of separators')
    this.#lengths(widths & 3, count, total, 'stored lengths')
    const fixed =
      this.#at + (WIDTHS[widths >> 2] as number) * count + ((flags & 1) !== 0 ? 8 * count : 0)
    const suffixes = this.#lengths(widths >> 2, count, end - 9 - fixed, 'separator suffix lengths')
    for (let i = 0; i < count && (flags & 1) !== 0; i++) this.#u64(`timestamp before child ${i}`)
    for (const [i, length] of suffixes.entries()) {
      if (i > 0) this.#string(length, `separator of child ${i}`)
    }
    this.#trailer()
    if (this.#at !== end) throw new Error('the index ends elsewhere')
  }

  #filter(end: number): void {
    this.#title('filter')
    this.#u8('algorithm (1 blocked Bloom)')
    this.#u8('probes')
    this.#bytes(2, 'zero')
    const lines = this.#u32('lines')
    this.#bytes(lines * 64, 'bits')
    this.#trailer()
    if (this.#at !== end) throw new Error('the filter ends elsewhere')
  }

  #properties(end: number): {
    blockLengths: number[]
    partitionLengths: number[]
    sections: { id: number; length: number }[]
  } {
    this.#title('properties')
    const sections: { id: number; offset: number; length: number }[] = []
    while (this.#at < end - 9) {
      const tag = this.#varint('tag')
      const length = this.#varint('length')
      const stop = this.#at + length
      if (tag === 1) {
        this.#varint('data bytes')
        this.#varint('data blocks')
        this.#u8('index levels')
        const partitions = this.#varint('partitions')
        for (let i = 0; i < partitions; i++) this.#varint(`blocks of partition ${i}`)
        this.#u8('timestamps stored')
        this.#u8('codec asked for')
        this.#varint('block bytes asked for')
      } else if (tag === 3) {
        const count = this.#varint('sections')
        for (let i = 0; i < count; i++) {
          const id = this.#varint('section (1 index, 2 filter)')
          sections.push({ id, offset: this.#varint('offset'), length: this.#varint('length') })
        }
      } else if (tag === 5) {
        const names = ['records', 'deletes', 'merges', 'keys', 'raw key bytes', 'raw value bytes']
        for (const name of names) this.#varint(name)
      } else if (tag === 7) {
        this.#string(this.#varint('length'), 'smallest key')
        this.#string(this.#varint('length'), 'largest key')
        this.#varint('min timestamp')
        this.#varint('max timestamp')
      } else {
        const count = this.#varint('statistics')
        for (let i = 0; i < count; i++) {
          this.#string(this.#varint('length'), 'name')
          this.#string(this.#varint('length'), 'content')
        }
      }
      if (this.#at !== stop) throw new Error(`property ${tag} ends elsewhere`)
    }
    this.#trailer()
    const index = sections.find(({ id }) => id === 1)
    if (index === undefined) throw new Error('no index')
    const children = this.#children(index.offset, index.length)
    const flat = this.#view.getUint8(index.offset + 2) === 0
    if (flat) return { blockLengths: children, partitionLengths: [], sections }
    let at = Number(this.#view.getBigUint64(index.offset + 16, true))
    const blockLengths: number[] = []
    for (const length of children) {
      blockLengths.push(...this.#children(at, length))
      at += length
    }
    return { blockLengths, partitionLengths: children, sections }
  }

  /** The stored lengths of an index's children, without drawing them. */
  #children(at: number, length: number): number[] {
    const drawn = this.#lines.length
    const before = this.#at
    const count = this.#view.getUint32(at + 4, true)
    const total = Number(this.#view.getBigUint64(at + 24, true))
    this.#at = at + 32 + this.#view.getUint32(at + 12, true)
    if (this.#at > at + length) throw new Error('the index is shorter')
    const lengths = this.#lengths(this.#view.getUint8(at + 1) & 3, count, total, '')
    this.#lines.length = drawn
    this.#at = before
    return lengths
  }

  #footer(bytes: number): void {
    this.#title('footer')
    this.#string(bytes - 44, 'file id')
    this.#u64('file bytes')
    this.#u32('tail bytes')
    this.#u32('properties bytes')
    this.#u32('critical features')
    this.#u32('optional features')
    this.#u32('footer bytes')
    this.#u32('version')
    this.#bytes(4, 'checksum')
    this.#string(8, 'magic')
  }
}
