import type { ReadOptions } from '@firn/engine'
import type { At } from '../history.js'
import type { ReadRequest, Session } from '../session.js'
import type { Operation } from './operation.js'

export const get: Operation = {
  name: 'get',
  weight: 10,
  writes: false,
  async run(session) {
    const { table, key } = pick(session)
    await session.read({ what: 'get', table }, async () => ({
      kind: 'values',
      table,
      keys: [key],
      values: [await session.table(table).get(key)],
    }))
  },
}

/** A get that looks at the log first. */
export const freshGet: Operation = {
  name: 'fresh get',
  weight: 4,
  writes: false,
  async run(session) {
    const { table, key } = pick(session)
    await session.read({ what: 'fresh get', table, fresh: true }, async () => ({
      kind: 'values',
      table,
      keys: [key],
      values: [await session.table(table).get(key, { fresh: true })],
    }))
  },
}

/** A get of any moment. */
export const getAt: Operation = {
  name: 'get at',
  weight: 6,
  writes: false,
  async run(session) {
    const { table, key } = pick(session)
    const request = at({ what: 'get at', table }, session.pickMoment())
    await session.read(request, async () => ({
      kind: 'values',
      table,
      keys: [key],
      values: [await session.table(table).get(key, optionsOf(request))],
    }))
  },
}

export const getMany: Operation = {
  name: 'get many',
  weight: 5,
  writes: false,
  async run(session) {
    const { table } = pick(session)
    const keys = Array.from({ length: session.decisions.between('keys', 1, 10) }, () =>
      session.pickKey(),
    )
    const past = session.decisions.choose('past', 3) === 2 ? session.pickMoment() : undefined
    const request = at({ what: 'get many', table }, past)
    await session.read(request, async () => ({
      kind: 'values',
      table,
      keys,
      values: await session.table(table).getMany(keys, optionsOf(request)),
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
    await session.read({ what: 'has', table }, async () => ({
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

function optionsOf(request: ReadRequest): ReadOptions {
  return request.at === undefined ? {} : { at: request.at }
}
