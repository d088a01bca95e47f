import { expect, test } from 'vitest'
import { brokenRule, problemsOfRules } from '../src/rules.js'
import { RULED } from '../src/tables.js'

/** A log of these commits, by what they put, from version 1 on. */
function logOf(...commits: Record<string, string>[]) {
  const changes = commits.map((puts) =>
    Object.entries(puts).map(([key, value]) => ({ table: RULED, key, value })),
  )
  return {
    version: commits.length,
    changesOf: (version: number) => changes[version - 1] ?? [],
  }
}

const PAID = { 'account-0': '70:1', 'account-2': '130:2' }
const TURNED = { 'place-0': 'place-2:3', 'place-2': 'place-1:4', 'place-1': 'place-3:5' }

test('transactions that see each other break no rule', () => {
  const paidBack = { 'account-0': '100:8', 'account-2': '100:9' }
  const log = logOf({}, PAID, TURNED, { 'list-0': ':6' }, { 'list-0': ':6;:7' }, paidBack)
  expect(problemsOfRules(log)).toEqual([])
  expect(brokenRule(new Map(Object.entries({ ...PAID, ...TURNED })))).toBeUndefined()
})

test('an update that is lost is found, wherever money, ways or items are missed', () => {
  // Both had read that account 0 holds 100.
  const twice = { 'account-0': '90:6', 'account-1': '110:7' }
  expect(problemsOfRules(logOf(PAID, twice))).toEqual([
    'the accounts hold 430 together, not 400, at 2',
  ])
  const skipping = { 'place-1': 'place-3:6', 'place-3': 'place-2:7', 'place-2': 'place-4:8' }
  expect(problemsOfRules(logOf(TURNED, skipping))).toEqual([
    'from place-0 one gets to 4 of 6 places, at 2',
  ])
  expect(problemsOfRules(logOf({ 'list-1': ':1' }, { 'list-1': ':2' }))).toEqual([
    'list-1 loses something at 2: :1, then :2',
  ])
})

test('a read of half a transaction is found', () => {
  expect(brokenRule(new Map([['account-0', '70:1']]))).toBe(
    'the accounts hold 370 together, not 400',
  )
  expect(brokenRule(new Map([['place-0', 'place-2:3']]))).toBe(
    'from place-0 one gets to 5 of 6 places',
  )
})
