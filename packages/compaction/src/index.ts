export { DamagedInputError } from './errors.js'
export { type LeveledOptions, planLeveled } from './leveled.js'
export { type MergeCommitFilesOptions, mergeCommitFiles } from './merge-commit-files.js'
export {
  type CompactionPlan,
  type CompactionResult,
  type DropPlan,
  describePlan,
  type MergePlan,
  type MovePlan,
  type OtherFile,
  type PlannedTable,
  planInputs,
} from './plan.js'
export {
  type CompactionProgress,
  type RunCompactionOptions,
  runCompaction,
} from './run-compaction.js'
