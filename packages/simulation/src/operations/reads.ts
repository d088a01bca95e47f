import type { CallOptions } from '../client/reused-inputs.js'
import type { At } from '../history.js'
import type { ReadRequest } from '../recorded-read.js'
import type { Session } from '../session.js'
import type { Operation } from './operation.js'

export const get: Operation = {
  name: 'get',
  weight: 10,
  writes: false,
  async run(session) {
    const { table, key } = pick(session)
    await session.read({ what: 'get', table, single: true }, async () => ({
      kind: 'values',
      table,
      keys: [key],
      values: [await session.table(table).get(key)],
    }))
  },
}

/** A get that reads the log first. */
export const freshGet: Operation = {
  name: 'fresh get',
  weight: 4,
  writes: false,
  async run(session) {
    const { table, key } = pick(session)
    const signal = session.mayAbandon()
    await session.read({ what: 'fresh get', table, fresh: true, single: true }, async () => ({
      kind: 'values',
      table,
      keys: [key],
      values: [await session.table(table).get(key, { fresh: true, ...signalled(signal) })],
    }))
  },
}

/** A get without a promise: correct, or refused because something it needs isn't in memory. */
export const getSync: Operation = {
  name: 'get sync',
  weight: 4,
  writes: false,
  async run(session) {
    const { table, key } = pick(session)
    const allowed = ['FIRN_NOT_RESIDENT']
    const request = { what: 'get sync', table, stale: true, single: true, allowed }
    await session.read(request, async () => ({
      kind: 'values',
      table,
      keys: [key],
      values: [session.table(table).getSync(key)],
    }))
  },
}

/** A get at any moment. */
export const getAt: Operation = {
  name: 'get at',
  weight: 6,
  writes: false,
  async run(session) {
    const { table, key } = pick(session)
    const moment = session.pickMoment()
    const request = at({ what: 'get at', table, single: moment === undefined }, moment)
    const options = { ...optionsOf(request), ...signalled(session.mayAbandon()) }
    await session.read(request, async () => ({
      kind: 'values',
      table,
      keys: [key],
      values: [await session.table(table).get(key, options)],
    }))
  },
}

export const getMany: Operation = {
  name: 'get many',
  weight: 5,
  writes: false,
  async run(session) {
    const { table } = pick(session)
    // Sometimes more keys than are read at a time.
    const [least, most] = session.decisions.weigh('many', [3, 1]) === 1 ? [40, 80] : [1, 10]
    const keys = Array.from({ length: session.decisions.between('keys', least, most) }, (_, i) =>
      session.pickKey(i),
    )
    const past = session.decisions.choose('past', 3) === 2 ? session.pickMoment() : undefined
    const signal = session.mayAbandon()
    // Without options, keys in memory are read at once.
    const options =
      past === undefined && signal === undefined
        ? undefined
        : { ...(past === undefined ? {} : { at: past }), ...signalled(signal) }
    const request = at({ what: 'get many', table, single: options === undefined }, past)
    await session.read(request, async () => ({
      kind: 'values',
      table,
      keys,
      values: await session.table(table).getMany(keys, options),
    }))
  },
}

export const has: Operation = {
  name: 'has',
  weight: 2,
  writes: false,
  async run(session) {
    const { table, key } = pick(session)
    const range = { gte: key, lte: key }
    await session.read({ what: 'has', table, single: true }, async () => ({
      kind: 'count',
      table,
      range,
      count: (await session.table(table).has(key)) ? 1 : 0,
    }))
  },
}

function pick(session: Session): { table: string; key: string } {
  return { table: session.pickTable(), key: session.pickKey() }
}

function at(request: ReadRequest, moment: At): ReadRequest {
  return moment === undefined ? request : { ...request, at: moment }
}

function optionsOf(request: ReadRequest): CallOptions {
  return request.at === undefined ? {} : { at: request.at }
}

function signalled(signal: AbortSignal | undefined): Pick<CallOptions, 'signal'> {
  return signal === undefined ? {} : { signal }
}
