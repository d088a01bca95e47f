import type { At, Change, History, Read, Seen, Write } from './history.js'
import { rangeInWords } from './key-range.js'
import type { Replay } from './replay.js'

/**
 * Holds what clients saw against what the log says, whose order is taken for the truth:
 *
 * - a write that was acknowledged is in the log once, whole, at the version and time that its writer was
 *   told, and after everything that anybody had been told of when it began;
 * - one that was refused is nowhere; one whose end isn't known is there once, whole, or not at all;
 * - nothing is in the log that nobody wrote;
 * - every read shows the database as of one version, out of those that it was allowed to show.
 *
 * Gives what doesn't hold, in words.
 */
export function check(history: History, replay: Replay): string[] {
  const places = new Places(replay)
  return [
    ...history.writes.flatMap((write) => problemsOfWrite(write, places, replay)),
    ...places.unclaimed(history.writes),
    ...history.reads.flatMap((read) => problemsOfRead(read, replay)),
  ]
}

/** Where in the log each change is. */
class Places {
  /** Versions of puts by their value, which no two puts share. */
  readonly #puts: Map<string, number[]> = new Map()
  /** Versions of deletes by table and key. */
  readonly #deletes: Map<string, number[]> = new Map()

  constructor(replay: Replay) {
    for (let version = 1; version <= replay.version; version++) {
      for (const change of replay.changesOf(version)) this.#list(change).push(version)
    }
  }

  /** The versions in which a change is. */
  of(change: Change): readonly number[] {
    return this.#list(change)
  }

  /** What is in the log without anybody who wrote it, and deletes that are there too often. */
  unclaimed(writes: readonly Write[]): string[] {
    const claimed = new Set<readonly number[]>()
    const deletes = new Map<readonly number[], { least: number; most: number; change: Change }>()
    for (const { changes, outcome } of writes) {
      for (const change of changes) {
        const places = this.#list(change)
        claimed.add(places)
        if (change.value !== undefined) continue
        const count = deletes.get(places) ?? { least: 0, most: 0, change }
        deletes.set(places, count)
        if (outcome === 'acknowledged') count.least++
        if (outcome !== 'refused') count.most++
      }
    }
    const problems: string[] = []
    for (const [value, places] of this.#puts) {
      if (places.length > 0 && !claimed.has(places)) {
        problems.push(`the log holds ${JSON.stringify(value)}, which nobody wrote`)
      }
    }
    for (const [name, places] of this.#deletes) {
      if (places.length > 0 && !claimed.has(places)) {
        problems.push(`the log holds a delete of ${name}, which nobody made`)
      }
    }
    for (const [places, { least, most, change }] of deletes) {
      if (places.length >= least && places.length <= most) continue
      problems.push(
        `${change.table}/${change.key} is deleted ${places.length} times in the log, where ${least} deletes were acknowledged and ${most} at most can be there`,
      )
    }
    return problems
  }

  #list({ table, key, value }: Change): number[] {
    const places = value === undefined ? this.#deletes : this.#puts
    const name = value === undefined ? `${table}/${key}` : `${table}/${key}=${value}`
    let list = places.get(name)
    if (list === undefined) {
      list = []
      places.set(name, list)
    }
    return list
  }
}

function problemsOfWrite(write: Write, places: Places, replay: Replay): string[] {
  const puts = write.changes.filter(({ value }) => value !== undefined)
  const found = puts.map((change) => places.of(change))
  const who = `${write.process}'s ${write.what} (${write.changes.length} changes, ${write.outcome})`
  const doubled = found.find((versions) => versions.length > 1)
  if (doubled !== undefined) return [`${who} is in the log more than once: ${doubled.join(', ')}`]
  const versions = [...new Set(found.flat())]
  if (write.outcome === 'refused' && versions.length > 0) {
    return [`${who} failed with ${write.code}, but is in the log at ${versions.join(', ')}`]
  }
  if (write.outcome !== 'refused' && versions.length > 0) {
    const missing = found.some((list) => list.length === 0)
    if (missing || versions.length > 1) {
      return [`${who} is torn: it is in the log in part, at ${versions.join(', ')}`]
    }
  }
  const [version] = versions
  if (version !== undefined && version <= write.after) {
    return [`${who} has version ${version}, but began after ${write.after} was acknowledged`]
  }
  return write.commit === undefined ? [] : problemsOfCommit(write, who, places, replay)
}

function problemsOfCommit(write: Write, who: string, places: Places, replay: Replay): string[] {
  const { version, timestamp } = write.commit as { version: number; timestamp: number }
  if (write.changes.length === 0) return []
  const missing = write.changes.find((change) => !places.of(change).includes(version))
  if (missing !== undefined) {
    return [`${who} was told version ${version}, where ${missing.table}/${missing.key} isn't`]
  }
  if (version <= write.after) {
    return [`${who} has version ${version}, but began after ${write.after} was acknowledged`]
  }
  const known = replay.timestampOf(version)
  if (known !== timestamp) {
    return [`${who} was told timestamp ${timestamp} of version ${version}, which has ${known}`]
  }
  return []
}

function problemsOfRead(read: Read, replay: Replay): string[] {
  const { from, at, seen } = read
  const to = Math.min(read.to, replay.version)
  const who = `${read.process}'s ${read.what}`
  if (read.to > replay.version) {
    return [`${who}: its process had seen version ${read.to}, the log ends with ${replay.version}`]
  }
  if (at !== undefined && 'version' in at) {
    return matches(seen, at.version, replay) ? [] : [explain(who, read, at.version, replay)]
  }
  if (from > to) return [`${who} may show ${from} at the oldest, but its process was at ${to}`]
  let last = -1
  for (let version = from; version <= to; version++) {
    const asked = versionOf(at, version, replay)
    if (asked === last) continue
    last = asked
    if (matches(seen, asked, replay)) return []
  }
  return [explain(who, read, versionOf(at, to, replay), replay)]
}

/** The version that a read at a moment shows, where the present is `version`. */
function versionOf(at: At, version: number, replay: Replay): number {
  if (at === undefined) return version
  if ('version' in at) return at.version
  return Math.min(version, replay.versionAtTime(at.timestamp))
}

function matches(seen: Seen, version: number, replay: Replay): boolean {
  switch (seen.kind) {
    case 'version':
      return seen.version === version
    case 'values':
      return seen.keys.every(
        (key, i) => replay.valueAt(seen.table, key, version) === seen.values[i],
      )
    case 'count':
      return replay.rowsAt(seen.table, seen.range, version).length === seen.count
    case 'rows': {
      const expected = replay.rowsAt(seen.table, seen.range, version)
      if (seen.whole ? expected.length !== seen.rows.length : expected.length < seen.rows.length) {
        return false
      }
      return seen.rows.every(([key, value], i) => {
        const [expectedKey, expectedValue] = expected[i] ?? []
        return key === expectedKey && value === expectedValue
      })
    }
  }
}

function explain(
  who: string,
  { from, to, at, seen }: Read,
  version: number,
  replay: Replay,
): string {
  const allowed =
    at === undefined ? `one of the versions ${from} to ${to}` : `${JSON.stringify(at)} (${version})`
  return `${who} of ${shown(seen)} doesn't show ${allowed}; at ${version} it is ${expected(seen, version, replay)}`
}

function shown(seen: Seen): string {
  switch (seen.kind) {
    case 'version':
      return `version ${seen.version}`
    case 'values':
      return `${seen.table}: ${JSON.stringify(seen.keys)} = ${JSON.stringify(seen.values)}`
    case 'count':
      return `${seen.count} keys of ${seen.table} ${rangeInWords(seen.range)}`
    case 'rows':
      return `${seen.whole ? 'all' : 'the first'} ${seen.rows.length} rows of ${seen.table} ${rangeInWords(seen.range)}: ${JSON.stringify(seen.rows)}`
  }
}

function expected(seen: Seen, version: number, replay: Replay): string {
  switch (seen.kind) {
    case 'version':
      return 'that version'
    case 'values':
      return JSON.stringify(
        seen.keys.map((key) => replay.valueAt(seen.table, key, version) ?? null),
      )
    default:
      return JSON.stringify(replay.rowsAt(seen.table, seen.range, version))
  }
}
