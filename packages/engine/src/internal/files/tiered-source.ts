import { Flight, separateSignals } from '@firn/env'
// Reads a file's bytes through a disk cache.
//
// 1. A read becomes the chunks that it touches: aligned pieces, so that reads at any place and
//    length share them.
// 2. Chunks that another read is loading are waited for. The others are one load: chunks on disk
//    are read there, and one ranged read of the source covers the rest, from the first to the last
//    missing one.
// 3. Chunks from the source are put on disk while reads go on. Until they are there, later reads
//    still find the load.
// 4. A fresh read (the reply before didn't pass its checksum) is a load of its own that bypasses
//    the disk, and replaces what is there. If the source's reply or the file has the wrong length,
//    nothing is kept and the caller's own request goes to the source: damage then looks as it does
//    without a disk.

import type { SourceReadOptions, SstSource } from '@firn/sst'
import { CHUNK_BYTES, type Chunks, type DiskTier } from './disk-tier.js'

/** Loaded chunks, and a promise that settles when those from the source are on disk or dropped. */
interface LoadedChunks {
  chunks: Chunks
  kept: Promise<void>
}

export class TieredSource implements SstSource {
  readonly #source: SstSource
  readonly #tier: DiskTier
  readonly #id: string
  readonly #size: number
  readonly #isLive: () => boolean
  readonly #flights: Map<number, Flight<LoadedChunks>> = new Map()

  /** `isLive`: whether the file's chunks are still worth keeping. */
  constructor(
    source: SstSource,
    tier: DiskTier,
    file: { id: string; bytes: number },
    isLive: () => boolean,
  ) {
    this.#source = source
    this.#tier = tier
    this.#id = file.id
    this.#size = file.bytes
    this.#isLive = isLive
  }

  async read(offset: number, length: number, options: SourceReadOptions = {}): Promise<Uint8Array> {
    const bytes = await this.#read(offset, offset + length, options)
    return bytes ?? this.#source.read(offset, length, options)
  }

  async readTail(
    length: number,
    options: SourceReadOptions = {},
  ): Promise<{ bytes: Uint8Array; size: number }> {
    const size = this.#size
    const bytes = await this.#read(Math.max(0, size - length), size, options)
    return bytes === undefined ? this.#source.readTail(length, options) : { bytes, size }
  }

  async close(): Promise<void> {
    await this.#source.close?.()
  }

  /** Returns `undefined` if only the source itself can answer. */
  async #read(
    start: number,
    end: number,
    { signal, fresh = false }: SourceReadOptions,
  ): Promise<Uint8Array | undefined> {
    signal?.throwIfAborted()
    if (!(start >= 0 && start < end && end <= this.#size)) return undefined
    const offsets: number[] = []
    for (let at = start - (start % CHUNK_BYTES); at < end; at += CHUNK_BYTES) offsets.push(at)
    const loads = await this.#chunks(offsets, fresh, signal)
    const bytes = new Uint8Array(end - start)
    for (const at of offsets) {
      const chunk = loads.find((load) => load.has(at))?.get(at)
      if (chunk === undefined) return undefined
      const from = Math.max(start, at)
      bytes.set(chunk.subarray(from - at, end - at), from - start)
    }
    return bytes
  }

  /**
   * Returns the chunks, from running loads and one new load for the rest; all from a new one if
   * fresh.
   */
  async #chunks(
    offsets: readonly number[],
    fresh: boolean,
    signal: AbortSignal | undefined,
  ): Promise<Chunks[]> {
    const flights: Set<Flight<LoadedChunks>> = new Set()
    const absent: number[] = []
    for (const at of offsets) {
      const flight = fresh ? undefined : this.#flights.get(at)
      if (flight === undefined) absent.push(at)
      else flights.add(flight)
    }
    if (absent.length > 0) flights.add(this.#start(absent, fresh, signal !== undefined))
    const { signals, end } = separateSignals(signal, flights.size)
    try {
      const loads = await Promise.all([...flights].map((flight, i) => flight.join(signals[i])))
      return loads.map(({ chunks }) => chunks)
    } finally {
      end()
    }
  }

  #start(offsets: readonly number[], fresh: boolean, abortable: boolean): Flight<LoadedChunks> {
    const forget = (): void => {
      for (const at of offsets) if (this.#flights.get(at) === flight) this.#flights.delete(at)
    }
    const work = async (signal: AbortSignal | undefined): Promise<LoadedChunks> => {
      const loaded = this.#load(offsets, fresh, signal)
      loaded.then(({ kept }) => kept).then(forget, forget)
      return loaded
    }
    const flight = new Flight(work, { abortable, onAbandoned: forget })
    for (const at of offsets) this.#flights.set(at, flight)
    return flight
  }

  async #load(
    offsets: readonly number[],
    fresh: boolean,
    signal: AbortSignal | undefined,
  ): Promise<LoadedChunks> {
    const chunks: Map<number, Uint8Array> = new Map()
    const look = async (at: number): Promise<void> => {
      const chunk = await this.#tier.get(this.#id, at, this.#endOf(at) - at)
      if (chunk !== undefined) chunks.set(at, chunk)
    }
    if (!fresh) await Promise.all(offsets.map(look))
    const missing = offsets.filter((at) => !chunks.has(at))
    if (missing.length === 0) return { chunks, kept: Promise.resolve() }
    signal?.throwIfAborted()
    const fetched = await this.#fetch(missing, { fresh, signal })
    for (const [at, chunk] of fetched) chunks.set(at, chunk)
    const kept = this.#isLive() ? this.#tier.keep(this.#id, fetched, fresh) : Promise.resolve()
    return { chunks, kept }
  }

  /** Fetches the chunks with one read of the source; returns none if its reply can't be right. */
  async #fetch(offsets: readonly number[], options: SourceReadOptions): Promise<Chunks> {
    const start = offsets[0] ?? 0
    const end = this.#endOf(offsets.at(-1) ?? 0)
    const length = end - start
    let bytes: Uint8Array
    if (end < this.#size) bytes = await this.#source.read(start, length, options)
    else {
      const tail = await this.#source.readTail(length, options)
      if (tail.size !== this.#size) return new Map()
      bytes = tail.bytes
    }
    if (bytes.length !== length) return new Map()
    return new Map(offsets.map((at) => [at, bytes.subarray(at - start, this.#endOf(at) - start)]))
  }

  #endOf(chunk: number): number {
    return Math.min(chunk + CHUNK_BYTES, this.#size)
  }
}
