import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { pathOf, resolveLocation } from '../src/location.js'

const cwd = '/home/a b'

test('the default is the directory firn_data of the current one', () => {
  const { url, shown } = resolveLocation({}, { cwd, env: {} })
  expect(fileURLToPath(url)).toBe('/home/a b/firn_data')
  expect(shown).toBe('./firn_data')
})

test('options win over FIRN_DB, which wins over the default', () => {
  const env = { FIRN_DB: 'file:/var/x' }
  expect(resolveLocation({}, { cwd, env }).url).toBe('file:/var/x')
  expect(resolveLocation({ db: 'memory:m' }, { cwd, env }).url).toBe('memory:m')
  expect(fileURLToPath(resolveLocation({ path: 'p' }, { cwd, env }).url)).toBe('/home/a b/p')
  expect(resolveLocation({}, { cwd, env: { FIRN_DB: '' } }).shown).toBe('./firn_data')
})

test('directories may have any characters in their names', () => {
  for (const name of ['50%', 'a?b', 'a#b', 'ü', 'a b', '..x']) {
    const { url } = resolveLocation({ path: name }, { cwd, env: {} })
    expect(url).not.toMatch(/[?#]/)
    expect(fileURLToPath(url)).toBe(`${cwd}/${name}`)
  }
})

test('relative file: locations start at the current directory and keep their parameters', () => {
  const { url } = resolveLocation({ db: 'file:./data?log=objects' }, { cwd, env: {} })
  expect(fileURLToPath(new URL(url).href.replace(/\?.*/, ''))).toBe('/home/a b/data')
  expect(new URL(url).searchParams.get('log')).toBe('objects')
})

test('--db and --path together are wrong usage', () => {
  expect(() => resolveLocation({ db: 'memory:', path: 'x' }, { cwd, env: {} })).toThrow(
    /one of them/,
  )
})

test('43: credentials in a location are not shown', () => {
  const { shown } = resolveLocation({ db: 'https://me:secret@host/path' }, { cwd, env: {} })
  expect(shown).toBe('https://host/path')
})

test('a ~ that no shell replaced is refused, wherever a path is given', () => {
  const refused = expect.objectContaining({ code: 'FIRN_INVALID_ARGUMENT' })
  for (const path of ['~', '~/x']) {
    expect(() => resolveLocation({ path }, { cwd, env: {} })).toThrow(refused)
    expect(() => pathOf(path, 'the path of the input', { cwd })).toThrow(/os\.homedir/)
  }
  // The engine refuses these.
  for (const db of ['file:~/x', 'file:%7e/x', 'file:~?log=objects']) {
    expect(resolveLocation({ db }, { cwd, env: {} }).url).toBe(db)
    expect(resolveLocation({}, { cwd, env: { FIRN_DB: db } }).url).toBe(db)
  }
  expect(resolveLocation({ db: 'file:~x' }, { cwd, env: {} }).url).toMatch(/b\/~x$/)
})
