import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { tempDirectory } from '@firn/test-support'
import { afterAll, expect, test } from 'vitest'
import { readKeptRun } from '../src/kept-run.js'

const folder = tempDirectory(afterAll)
const dist = join(import.meta.dirname, '../dist')

/**
 * The program, with a bug: a store that forgets conditions, so that writers overwrite each other's
 * entries.
 */
const BUG = `import { Bucket } from ${JSON.stringify(pathToFileURL(join(dist, 'bucket.js')).href)}
const { put } = Bucket.prototype
Bucket.prototype.put = function (key, bytes) { return put.call(this, key, bytes) }`

function simulate(args: readonly string[], { bug = false } = {}) {
  const preload = join(folder, 'bug.mjs')
  writeFileSync(preload, BUG)
  const node = bug ? ['--import', pathToFileURL(preload).href] : []
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...node, join(dist, 'main.js'), ...args],
    {
      encoding: 'utf8',
      cwd: folder,
    },
  )
  return { status, stdout, stderr }
}

test('seeds without a failure end with 0 and a summary', { timeout: 60_000 }, () => {
  const { status, stdout, stderr } = simulate(['--seeds', '2', '--from', '20'])
  expect(stderr).not.toMatch(/failed:/)
  expect(stdout).toMatch(
    /^2 runs in \d+ s \(\d+ a minute\), 0 failed\nevents: \d+\noperations: .*put \d+/,
  )
  expect(status).toBe(0)
})

test('a bug is found, told with its commands, shrunk, and replayed from its file', {
  timeout: 120_000,
}, () => {
  const many = simulate(['--seeds', '4'], { bug: true })
  expect(many.status).toBe(1)
  const seed = /^seed (\d+) failed: /m.exec(many.stderr)?.[1] ?? ''
  expect(many.stdout).toContain(`failed: `)
  const shrinking =
    /shrink: node packages\/simulation\/dist\/main\.js (.*)/.exec(many.stderr)?.[1] ?? ''
  expect(many.stderr).toContain(
    `replay: node packages/simulation/dist/main.js --seed ${seed} --trace`,
  )

  const shrunk = simulate(shrinking.split(' '), { bug: true })
  expect(shrunk.status).toBe(1)
  const file = join(folder, `seed-${seed}.json`)
  const { decisions, found } = readKeptRun(file)
  expect(decisions?.size).toBeGreaterThan(0)
  expect(decisions?.size).toBeLessThanOrEqual(30)

  const replayed = simulate(['--replay', file, '--trace'], { bug: true })
  expect(replayed.status).toBe(1)
  expect(replayed.stderr).toContain(found)
  expect(replayed.stdout).toMatch(/^\d+\.\d+ \S+ begins /m)

  const mended = simulate(['--replay', file])
  expect(mended.stderr).toBe('')
  expect(mended.status).toBe(0)
})
