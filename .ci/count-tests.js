// Sums up vitest's runs: `node count-tests.js <step…>`, where <step>.log is what a step printed and
// <step>.failed exists if it failed. Prints one line: `N passed, N failed` (`, N skipped`).
import { existsSync, readFileSync } from 'node:fs'
import { stripVTControlCharacters } from 'node:util'

const total = { passed: 0, failed: 0, skipped: 0 }

for (const step of process.argv.slice(2)) {
  let failures = 0
  // `      Tests  2 failed | 58 passed | 1 skipped (61)`, behind the package's name in pnpm's output.
  const log = stripVTControlCharacters(readFileSync(`${step}.log`, 'utf8'))
  for (const [, counts] of log.matchAll(
    /^(?:\S+ test(?::long)?: )?\s*Tests {2}(.*)\(\d+\)\s*$/gm,
  )) {
    for (const [, count, outcome] of counts.matchAll(/(\d+) (passed|failed|skipped|todo)/g)) {
      total[outcome === 'todo' ? 'skipped' : outcome] += Number(count)
      if (outcome === 'failed') failures += Number(count)
    }
  }
  // A run that broke before or between its tests counts as one that failed.
  if (existsSync(`${step}.failed`) && failures === 0) total.failed++
}

const skipped = total.skipped === 0 ? '' : `, ${total.skipped} skipped`
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`)
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1
