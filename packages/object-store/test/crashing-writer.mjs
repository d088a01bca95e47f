// Dies in the middle of what its arguments say, as a killed process does.
import { nodeFileSystem } from '@firn/vfs'
import { FsObjectStore } from '../dist/fs.js'

const [directory, action] = process.argv.slice(2)
const die = () => process.kill(process.pid, 'SIGKILL')
const never = new Promise(() => {})

if (action === 'upload') {
  const store = new FsObjectStore(directory)
  const upload = await store.upload('half.txt')
  await upload.write(new Uint8Array(100_000))
  die()
} else {
  const store = new FsObjectStore(directory, {
    fileSystem: {
      ...nodeFileSystem,
      rename: () => {
        die()
        return never
      },
    },
  })
  await store.put('a.txt', new Uint8Array(1))
  await store.put('a.txt', new Uint8Array(2))
}
