import { problemsOfTransaction } from './check-transaction.js'
import type { Change, History, Read, Seen, Write } from './history.js'
import { rangeInWords } from './key-range.js'
import { LostTimeline } from './lost-timeline.js'
import { withOwn } from './own-writes.js'
import type { Replay, Timeline } from './replay.js'
import { problemsOfRules } from './rules.js'

/**
 * Checks what clients saw against the log, whose order counts as the truth:
 *
 * - an acknowledged write is in the log once and whole, at the version and time that its writer was
 *   told, and after everything that had been acknowledged when it began;
 * - a refused write is nowhere; a write with an unknown outcome is there once and whole, or not at
 *   all;
 * - a crash may lose buffered writes, from the newest backwards; a lost write is nowhere;
 * - the log holds nothing that no client wrote;
 * - every version keeps the rules of rules.ts;
 * - every read shows the database as of one version, out of those that it was allowed to show.
 *
 * Returns a description of everything that doesn't hold.
 */
export function check(history: History, replay: Replay): string[] {
  const places = new Places(replay)
  return [
    ...history.writes.flatMap((write) => problemsOfWrite(write, places, replay)),
    ...places.unclaimed(history.writes, replay),
    ...problemsOfRules(replay),
    ...history.reads.flatMap((read) => problemsOfRead(read, timelineOf(read, history, replay))),
  ]
}

/**
 * Returns what a read could see: until a loss, its process alone sees the writes that will be lost.
 */
function timelineOf({ timeline }: Read, { losses }: History, replay: Replay): Timeline {
  const loss = timeline === undefined ? undefined : losses[timeline]
  return loss === undefined ? replay : new LostTimeline(replay, loss)
}

/** Finds where in the log each change is. */
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

  /** Describes what is in the log without a writer, and deletes that are there too often. */
  unclaimed(writes: readonly Write[], replay: Replay): string[] {
    const claimed = new Set<readonly number[]>()
    const deletes = new Map<readonly number[], { least: number; most: number; change: Change }>()
    for (const { changes, replaced, outcome, commit } of writes) {
      for (const change of [...changes, ...replaced]) {
        const places = this.#list(change)
        claimed.add(places)
        if (change.value !== undefined) continue
        const count = deletes.get(places) ?? { least: 0, most: 0, change }
        deletes.set(places, count)
        const maybeReplaced =
          commit !== undefined && replay.isReplacedIn(commit.version, change, replaced)
        const certain = outcome === 'acknowledged' && !replaced.includes(change) && !maybeReplaced
        if (certain) count.least++
        if (isPossible(outcome)) count.most++
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

function isPossible(outcome: Write['outcome']): boolean {
  return outcome === 'acknowledged' || outcome === 'unknown'
}

function problemsOfWrite(write: Write, places: Places, replay: Replay): string[] {
  const puts = write.changes.filter(({ value }) => value !== undefined)
  const found = puts.map((change) => places.of(change))
  const who = `${write.process}'s ${write.what} (${write.changes.length} changes, ${write.outcome})`
  const doubled = found.find((versions) => versions.length > 1)
  if (doubled !== undefined) return [`${who} is in the log more than once: ${doubled.join(', ')}`]
  const versions = [...new Set(found.flat())]
  if (!isPossible(write.outcome) && versions.length > 0) {
    const why = write.outcome === 'lost' ? 'was lost' : `failed with ${write.code}`
    return [`${who} ${why}, but is in the log at ${versions.join(', ')}`]
  }
  if (versions.length > 0) {
    const missing = puts.filter((_, i) => found[i]?.length === 0)
    const isTorn = missing.some(
      (change) => !replay.isReplacedIn(versions[0] as number, change, write.replaced),
    )
    if (isTorn || versions.length > 1) {
      return [`${who} is torn: it is in the log in part, at ${versions.join(', ')}`]
    }
  }
  const [version] = versions
  if (version !== undefined && version <= write.after) {
    return [`${who} has version ${version}, but began after ${write.after} was acknowledged`]
  }
  const problems =
    version === undefined || write.transaction === undefined
      ? []
      : problemsOfTransaction(who, version, write, write.transaction, replay, isSeenAt)
  const known = write.outcome === 'acknowledged'
  return known ? [...problems, ...problemsOfCommit(write, who, places, replay)] : problems
}

function problemsOfCommit(write: Write, who: string, places: Places, replay: Replay): string[] {
  const { version, timestamp } = write.commit as { version: number; timestamp: number }
  if (write.changes.length === 0) return []
  const missing = write.changes.find(
    (change) =>
      !places.of(change).includes(version) && !replay.isReplacedIn(version, change, write.replaced),
  )
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

function problemsOfRead(read: Read, timeline: Timeline): string[] {
  const { from } = read
  const to = Math.min(read.to, timeline.version)
  const who = `${read.process}'s ${read.what}`
  if (read.to > timeline.version) {
    return [
      `${who}: its process had seen version ${read.to}, the log ends with ${timeline.version}`,
    ]
  }
  if (from > to) return [`${who} may show ${from} at the oldest, but its process was at ${to}`]
  const table = 'table' in read.seen ? read.seen.table : undefined
  let last: Moment | undefined
  for (let present = from; present <= to; present++) {
    const asked = versionOf(read, present, timeline)
    // The version doesn't exist yet.
    if (asked > present) continue
    const id = table === undefined ? undefined : timeline.idOf(table, present)
    if (last !== undefined && asked === last.asked && id === last.id) continue
    last = { asked, present, id }
    if (matches(read.seen, last, timeline)) return []
  }
  if (read.growing && matchesGrowing(read, to, timeline)) return []
  return [explain(who, read, { asked: versionOf(read, to, timeline), present: to }, timeline)]
}

/** Whether the database shows this at a version. */
function isSeenAt(seen: Seen, version: number, timeline: Timeline): boolean {
  return matches(seen, { asked: version, present: version }, timeline)
}

/** The moment that a read shows: a version, as it is known at a later one. */
interface Moment {
  asked: number
  present: number
  /** The id of the table that had the name at that time. */
  id?: number | undefined
}

/** The version that a read shows if the present is `version`. */
function versionOf(read: Read, version: number, timeline: Timeline): number {
  const { at, bound = Number.POSITIVE_INFINITY } = read
  if (at === undefined) return version
  if ('version' in at) return Math.min(bound, at.version)
  const timestamp = 'timestamp' in at ? at.timestamp : at.dateMs * 1000
  return Math.min(bound, version, timeline.versionAtTime(timestamp))
}

function matches(seen: Seen, { asked, present }: Moment, known: Timeline): boolean {
  const timeline = withOwn(seen, known)
  switch (seen.kind) {
    case 'version':
      return seen.version === asked
    case 'tables':
      return sameItems(seen.names, timeline.tablesAt(asked))
    case 'no table':
      return timeline.idOf(seen.table, asked) === undefined
    case 'values':
      return seen.keys.every(
        (key, i) => timeline.valueAt(seen.table, key, asked, present) === seen.values[i],
      )
    case 'count':
      return timeline.rowsAt(seen.table, seen.range, asked, present).length === seen.count
    case 'keys':
    case 'values of rows': {
      const expected = timeline.rowsAt(seen.table, seen.range, asked, present)
      const place = seen.kind === 'keys' ? 0 : 1
      return sameItems(
        seen.items,
        expected.map((row) => row[place]),
      )
    }
    case 'rows': {
      const expected = timeline.rowsAt(seen.table, seen.range, asked, present)
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

/**
 * Whether each key has a value that it had at some time while its process was at these versions.
 */
function matchesGrowing({ seen, from }: Read, to: number, timeline: Timeline): boolean {
  const had = (table: string, key: string): Set<string | undefined> => {
    const values = new Set<string | undefined>()
    for (let version = from; version <= to; version++) {
      values.add(timeline.valueAt(table, key, version - 1, version))
      for (const change of timeline.changesOf(version)) {
        if (change.table === table && change.key === key) values.add(change.value)
      }
    }
    return values
  }
  if (seen.kind === 'values') {
    return seen.keys.every((key, i) => had(seen.table, key).has(seen.values[i]))
  }
  if (seen.kind !== 'count' || seen.range.gte === undefined) return false
  const values = had(seen.table, seen.range.gte)
  return seen.count === 0 ? values.has(undefined) : [...values].some((value) => value !== undefined)
}

function sameItems(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((item, i) => item === other[i])
}

function explain(who: string, read: Read, moment: Moment, timeline: Timeline): string {
  const { from, to, at, seen } = read
  const allowed =
    at === undefined
      ? `one of the versions ${from} to ${to}`
      : `${JSON.stringify(at)} (${moment.asked}), as known at ${from} to ${to}`
  return `${who} of ${shown(seen)} doesn't show ${allowed}; at ${moment.asked} it is ${expected(seen, moment, timeline)}`
}

function shown(seen: Seen): string {
  switch (seen.kind) {
    case 'version':
      return `version ${seen.version}`
    case 'tables':
      return `the tables ${seen.names.join(', ')}`
    case 'no table':
      return `no table ${seen.table}`
    case 'values':
      return `${seen.table}: ${JSON.stringify(seen.keys)} = ${JSON.stringify(seen.values)}`
    case 'count':
      return `${seen.count} keys of ${seen.table} ${rangeInWords(seen.range)}`
    case 'keys':
    case 'values of rows':
      return `${seen.kind} of ${seen.table} ${rangeInWords(seen.range)}: ${JSON.stringify(seen.items)}`
    case 'rows':
      return `${seen.whole ? 'all' : 'the first'} ${seen.rows.length} rows of ${seen.table} ${rangeInWords(seen.range)}: ${JSON.stringify(seen.rows)}`
  }
}

function expected(seen: Seen, { asked, present }: Moment, known: Timeline): string {
  const timeline = withOwn(seen, known)
  switch (seen.kind) {
    case 'version':
      return 'that version'
    case 'tables':
    case 'no table':
      return `the tables ${timeline.tablesAt(asked).join(', ')}`
    case 'values':
      return JSON.stringify(
        seen.keys.map((key) => timeline.valueAt(seen.table, key, asked, present) ?? null),
      )
    default:
      return JSON.stringify(timeline.rowsAt(seen.table, seen.range, asked, present))
  }
}
