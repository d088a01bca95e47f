import { fileURLToPath } from 'node:url'

// Every package's tests in one run, for `npm test`. It isn't at the top of the workspace, since
// vitest would find it there from within a package as well: a package's tests run alone.
export default {
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    projects: ['packages/*'],
    maxWorkers: '100%',
    silent: 'passed-only',
    slowTestThreshold: 5000,
  },
}
