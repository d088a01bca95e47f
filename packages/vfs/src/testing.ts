export {
  FaultyFileSystem,
  type FileCall,
  type FileCallKind,
  type FileFault,
} from './faulty-file-system.js'
export { makeNodeFileSystem } from './node-file-system.js'
