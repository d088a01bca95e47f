import type { Change, Loss, Row, Write } from './history.js'
import type { KeyRange } from './key-range.js'
import { type Replay, rowsOf, type Timeline } from './replay.js'

/**
 * The timeline of a process whose buffered writes were lost later: the log up to that point, and
 * then its buffered writes. In the log, those versions belong to other commits.
 */
export class LostTimeline implements Timeline {
  readonly #replay: Replay
  readonly #loss: Loss

  constructor(replay: Replay, loss: Loss) {
    this.#replay = replay
    this.#loss = loss
  }

  get version(): number {
    const { after, writes } = this.#loss
    return writes.reduce((newest, write) => Math.max(newest, versionOf(write)), after)
  }

  timestampOf(version: number): number | undefined {
    const { after, writes } = this.#loss
    if (version <= after) return this.#replay.timestampOf(version)
    return writes.find((write) => versionOf(write) === version)?.commit?.timestamp
  }

  versionAtTime(timestamp: number): number {
    const { after, writes } = this.#loss
    const inLog = Math.min(after, this.#replay.versionAtTime(timestamp))
    return writes.reduce((newest, write) => {
      const isThen = (write.commit?.timestamp ?? 0) <= timestamp
      return isThen ? Math.max(newest, versionOf(write)) : newest
    }, inLog)
  }

  idOf(table: string, version: number): number | undefined {
    return this.#replay.idOf(table, this.#inLog(version))
  }

  tablesAt(version: number): string[] {
    return this.#replay.tablesAt(this.#inLog(version))
  }

  valueAt(table: string, key: string, version: number, present: number): string | undefined {
    const lost = this.#changes(table, version).findLast((change) => change.key === key)
    if (lost !== undefined) return lost.value
    return this.#replay.valueAt(table, key, this.#inLog(version), this.#inLog(present))
  }

  rowsAt(table: string, range: KeyRange, version: number, present: number): Row[] {
    const own = this.#changes(table, version).map(({ key }) => key)
    const keys = [...new Set([...this.#replay.keysOf(table), ...own])].sort()
    return rowsOf(keys, range, (key) => this.valueAt(table, key, version, present))
  }

  changesOf(version: number): readonly Change[] {
    const { after, writes } = this.#loss
    if (version <= after) return this.#replay.changesOf(version)
    return writes.filter((write) => versionOf(write) === version).flatMap(({ changes }) => changes)
  }

  /** The lost changes of a table up to a version, in their order. */
  #changes(table: string, version: number): Change[] {
    return this.#loss.writes
      .filter((write) => versionOf(write) <= version)
      .flatMap(({ changes }) => changes.filter((change) => change.table === table))
  }

  #inLog(version: number): number {
    return Math.min(version, this.#loss.after)
  }
}

function versionOf({ commit }: Write): number {
  return commit?.version ?? 0
}
