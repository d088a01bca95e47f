import type { CommitLog, LogEntry } from '@firn/commit-log'
import { FileCommitLog } from '@firn/commit-log/file'
import { MeteredObjectStore, type ObjectStore } from '@firn/object-store'
import { FsObjectStore } from '@firn/object-store/fs'
import type { FileSystem } from '@firn/vfs'
import type { Decisions } from '../decisions.js'
import type { Life } from '../sim-process.js'
import type { Theme } from '../themes.js'
import type { World } from '../world.js'
import { SimDirectory } from './disk.js'
import { DiskFaults, type DiskFaultsOptions } from './disk-faults.js'
import { Machine } from './machine.js'
import { RecordedLog } from './recorded-log.js'
import { simFileSystem } from './sim-file-system.js'
import { drawSurvival } from './survival.js'

const DIRECTORY = '/data/db'
/** In most runs, a few hundred entries fill several segments. */
const SEGMENT_BYTES: readonly [number, ...number[]] = [16_384, 4096, 16_384, 262_144]

/** A disk gets many calls for each request to a service. */
const RATES: readonly [number, ...number[]] = [0, 0, 0.001, 0.004, 0.02]

/** Much can happen between two calls. */
const SLOW: readonly [number, ...number[]] = [0.1, 2, 8, 8]
/**
 * Rates for runs that are about crashes: syncs of the log fail in half of them, and in most nothing
 * else does.
 */
const SELDOM: readonly [number, ...number[]] = [0, 0, 0, 0, 0, 0, 0.004]
const LOG_SYNCS: NonNullable<DiskFaultsOptions['syncs']> = {
  path: '/log/',
  rates: [0, 0, 0.05, 0.15],
}

/** Files that are being written and will become objects. */
const UPLOADS = '/,tmp/'

/** Other files of the directory: the log and its lock, and the store's own. */
const NO_OBJECTS = /^(log|LOCK-.*|,tmp|,lock)$/

/** A database in a directory, like one at `file:`, on the simulated disk of one machine. */
export class EmbeddedDisk {
  readonly faults: DiskFaults
  readonly #segmentBytes: number
  readonly #machine: Machine = new Machine()
  /** Files by process: everything that opens the database in a process makes the same calls. */
  readonly #files: Map<Life, FileSystem> = new Map()
  readonly #payloads: Map<string, Uint8Array> = new Map()
  readonly #removed: Map<string, Uint8Array> = new Map()

  /** `uploadMs`: how much longer, at most, each call takes that makes a file of the store. */
  constructor(world: World, { limits = {}, crashesUponAnswers = false }: Theme, uploadMs = 0) {
    const bytes = limits['segment bytes'] ?? SEGMENT_BYTES
    this.#segmentBytes = world.decisions.pick('segment bytes', bytes)
    const slow = { path: UPLOADS, mostMs: uploadMs }
    const own = crashesUponAnswers
      ? { ms: SLOW, rates: SELDOM, syncs: LOG_SYNCS }
      : { rates: RATES }
    this.faults = new DiskFaults(world, { service: 'disk', ...own, slow })
  }

  /** Returns the store of a process. */
  storeFor(life: Life): ObjectStore {
    const fileSystem = this.#filesOf(life)
    // Metered, so that it isn't taken for a directory that another thread could open.
    return new MeteredObjectStore(new FsObjectStore(DIRECTORY, { env: life.env, fileSystem }))
  }

  /** Opens the log in a process. */
  async openLog(life: Life, mode: 'write' | 'read'): Promise<CommitLog> {
    const log = await FileCommitLog.open(DIRECTORY, {
      env: life.env,
      mode,
      fileSystem: this.#filesOf(life),
      segmentBytes: this.#segmentBytes,
    })
    return new RecordedLog(log, this.#payloads)
  }

  /** Reads the whole log, with the payloads that were truncated. */
  async readLog(life: Life): Promise<LogEntry[]> {
    const log = await this.openLog(life, 'read')
    const entries: LogEntry[] = []
    for await (const entry of log.readAfter(0)) {
      entries.push({ ...entry, payload: entry.payload ?? this.#payloads.get(entry.token) })
    }
    await log.close()
    return entries
  }

  /** Returns the bytes of an object, even if it was deleted since. */
  objectBytes(key: string): Uint8Array | undefined {
    return this.#bytesAt(pathOf(key)) ?? this.#removed.get(pathOf(key))
  }

  hasObject(key: string): boolean {
    return this.#bytesAt(pathOf(key)) !== undefined
  }

  objectKeys(): string[] {
    const keys: string[] = []
    const add = (directory: SimDirectory, prefix: string): void => {
      for (const [name, node] of directory.entries) {
        if (NO_OBJECTS.test(prefix + name)) continue
        if (node instanceof SimDirectory) add(node, `${prefix}${name}/`)
        else keys.push(prefix + name)
      }
    }
    add(this.#machine.disk.directory(DIRECTORY, 'scandir'), '')
    return keys
  }

  /** Crashes the machine. All its processes must be dead. */
  crash(decisions: Decisions): void {
    this.#machine.crash(drawSurvival(decisions, this.#machine.disk.order))
  }

  #filesOf(life: Life): FileSystem {
    let files = this.#files.get(life)
    if (files === undefined) {
      const user = this.#machine.userFor(life, this.faults.weatherFor(life))
      const onRemove = (path: string): void => {
        const bytes = this.#bytesAt(path)
        if (bytes !== undefined) this.#removed.set(path, bytes)
      }
      files = simFileSystem(user, onRemove)
      this.#files.set(life, files)
    }
    return files
  }

  #bytesAt(path: string): Uint8Array | undefined {
    const { disk } = this.#machine
    if (disk.find(path) === undefined) return undefined
    const file = disk.file(path, 'open')
    return file.read(0, file.length)
  }
}

/** Names of the engine's objects are their keys; see FORMAT.md of `@firn/object-store`. */
function pathOf(key: string): string {
  return `${DIRECTORY}/${key}`
}
