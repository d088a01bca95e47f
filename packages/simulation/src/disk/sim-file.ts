import type { Order, Survival } from './survival.js'

/** The unit that a device writes whole or not at all. */
const SECTOR_BYTES = 512

interface SectorVersion {
  order: Order
  bytes: Uint8Array
}

interface LengthVersion {
  order: Order
  length: number
}

/**
 * The content of a file, twice: as processes see it (the page cache), and as it is on the device.
 * Data that was written but not synced may reach the device early, sector by sector, in any order,
 * as it was after any of the writes; or never.
 */
export class SimFile {
  readonly inode: number
  mtimeNs = 0n
  /** Counts its names, and its descriptors. */
  links = 0
  opens = 0
  #cached: Uint8Array
  #length: number
  #device: Uint8Array
  #deviceLength: number
  /** Whether another disk shares the arrays: they are copied before they change. */
  #shared: boolean
  /** Whether the device may hold bytes after the end. */
  #ragged = false
  /** The content of a sector after each write that wasn't synced. */
  readonly #sectors: Map<number, SectorVersion[]> = new Map()
  #lengths: LengthVersion[] = []

  constructor(inode: number, content: Uint8Array = new Uint8Array(0), length: number = 0) {
    this.inode = inode
    this.#cached = content
    this.#device = content
    this.#length = length
    this.#deviceLength = length
    this.#shared = true
  }

  get length(): number {
    return this.#length
  }

  /** Returns a copy of the part that exists. */
  read(start: number, end: number): Uint8Array {
    return this.#cached.slice(Math.min(start, this.#length), Math.min(end, this.#length))
  }

  write(bytes: Uint8Array, position: number, order: Order): void {
    const end = position + bytes.length
    this.#own(end)
    this.#cached.set(bytes, position)
    this.#touch(position, end, order)
    if (end > this.#length) this.#setLength(end, order)
  }

  truncate(length: number, order: Order): void {
    const before = this.#length
    this.#own(length)
    if (length < before) {
      this.#ragged = true
      this.#cached.fill(0, length, before)
      this.#touch(length, before, order)
    }
    if (length !== before) this.#setLength(length, order)
  }

  /** Puts everything up to a change on the device. */
  sync(through: Order): void {
    for (const sector of this.#sectors.keys()) this.#syncSector(sector, through)
    this.#syncLength(through)
  }

  /**
   * Puts a part on the device, as it was at a change, and the length if that part decides about it.
   */
  syncRange(start: number, end: number, through: Order): void {
    for (let sector = sectorOf(start); sector * SECTOR_BYTES < end; sector++) {
      this.#syncSector(sector, through)
    }
    const isInDoubt = this.#lengths.some(({ length }) => length < end)
    if (end > this.#deviceLength || isInDoubt) this.#syncLength(through)
  }

  /**
   * Fails a sync: some of its data is on the device, the rest is forgotten. It can be read while
   * the machine is up, and another sync, which has nothing to do, reports success.
   */
  failSync(some: Survival): void {
    for (const [sector, versions] of this.#sectors) {
      const last = versions.at(-1) as SectorVersion
      if (some.keeps(last.order)) this.#syncSector(sector, last.order)
    }
    this.#sectors.clear()
    const last = this.#lengths.at(-1)
    if (last !== undefined && some.keeps(last.order)) this.#deviceLength = last.length
    this.#lengths = []
  }

  /** Returns what is there after a crash of the machine. */
  afterCrash(survival: Survival): SimFile {
    let length = this.#deviceLength
    for (const version of this.#lengths) {
      if (survival.keeps(version.order)) length = version.length
    }
    let device = this.#device
    for (const [sector, versions] of this.#sectors) {
      for (const { order, bytes } of versions) {
        if (!survival.keeps(order)) continue
        if (device === this.#device) device = resized(device, this.#cached.length)
        device.set(bytes, sector * SECTOR_BYTES)
      }
    }
    // Bytes after the end are gone when the file grows again.
    const isRagged = this.#ragged || length !== this.#length
    if (isRagged) device = resized(device.subarray(0, length), device.length)
    this.#shared = true
    const file = new SimFile(this.inode, device, length)
    file.mtimeNs = this.mtimeNs
    return file
  }

  #setLength(length: number, order: Order): void {
    this.#length = length
    this.#lengths.push({ order, length })
  }

  #touch(start: number, end: number, order: Order): void {
    const first = sectorOf(start)
    const from = first * SECTOR_BYTES
    const region = this.#cached.slice(from, Math.ceil(end / SECTOR_BYTES) * SECTOR_BYTES)
    for (let at = 0; at < end - from; at += SECTOR_BYTES) {
      const sector = first + at / SECTOR_BYTES
      const versions = this.#sectors.get(sector) ?? []
      versions.push({ order, bytes: region.subarray(at, at + SECTOR_BYTES) })
      this.#sectors.set(sector, versions)
    }
  }

  #syncSector(sector: number, through: Order): void {
    const versions = this.#sectors.get(sector)
    if (versions === undefined) return
    const done = versions.findLastIndex(({ order }) => order <= through)
    if (done < 0) return
    this.#own(this.#cached.length)
    this.#device.set((versions[done] as SectorVersion).bytes, sector * SECTOR_BYTES)
    if (done === versions.length - 1) this.#sectors.delete(sector)
    else versions.splice(0, done + 1)
  }

  #syncLength(through: Order): void {
    const done = this.#lengths.findLastIndex(({ order }) => order <= through)
    if (done < 0) return
    this.#deviceLength = (this.#lengths[done] as LengthVersion).length
    this.#lengths.splice(0, done + 1)
  }

  /** Makes the arrays this file's own, in whole sectors, with room up to `end`. */
  #own(end: number): void {
    const needed = Math.ceil(end / SECTOR_BYTES) * SECTOR_BYTES
    const fits = needed <= this.#cached.length && this.#cached.length <= this.#device.length
    if (fits && !this.#shared) return
    const grown = needed <= this.#cached.length ? this.#cached.length : needed + (needed >>> 1)
    const size = Math.ceil(grown / SECTOR_BYTES) * SECTOR_BYTES
    this.#cached = resized(this.#cached, size)
    this.#device = resized(this.#device, size)
    this.#shared = false
  }
}

function sectorOf(position: number): number {
  return Math.floor(position / SECTOR_BYTES)
}

/** Returns a copy that is cut or padded with zeros. */
function resized(bytes: Uint8Array, length: number): Uint8Array {
  const copy = new Uint8Array(length)
  copy.set(bytes.subarray(0, length))
  return copy
}
