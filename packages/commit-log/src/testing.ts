export {
  type AppendFault,
  FaultyCommitLog,
  type FaultyCommitLogOptions,
  type ReadFault,
} from './faulty-commit-log.js'
