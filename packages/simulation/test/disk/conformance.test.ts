import { commitLogConformance } from '@firn/commit-log/conformance'
import { FileCommitLog } from '@firn/commit-log/file'
import { objectStoreConformance } from '@firn/object-store/conformance'
import { FsObjectStore } from '@firn/object-store/fs'
import { Machine } from '../../src/disk/machine.js'
import { simFileSystem } from '../../src/disk/sim-file-system.js'
import { LiveWorld } from '../live-world.js'

// Firn's real code can't tell a simulated disk that works from the system's.

const calm = { meet: () => undefined, latencyMs: () => 1 }

objectStoreConformance('FsObjectStore on a simulated disk', () => {
  const { life, end } = new LiveWorld()
  const machine = new Machine()
  const another = () =>
    new FsObjectStore('/data', {
      env: life.env,
      fileSystem: simFileSystem(machine.userFor(life, calm)),
    })
  return { store: another(), another, dispose: async () => end() }
})

commitLogConformance('FileCommitLog on a simulated disk', async () => {
  const { life, end } = new LiveWorld()
  const user = new Machine().userFor(life, calm)
  return {
    open: () =>
      FileCommitLog.open('/data', {
        env: life.env,
        segmentBytes: 4096,
        fileSystem: simFileSystem(user),
      }),
    dispose: async () => end(),
  }
})
