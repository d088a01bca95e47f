export { absolutePath } from './absolute-path.js'
export { cannotSyncDirectory } from './directory-sync.js'
export {
  type AnnounceOptions,
  announce,
  type LifeSign,
  livenessOf,
  type Owner,
  parseOwner,
} from './owner.js'
export { type PinnedDirectory, pinDirectory } from './pinned-directory.js'
export { type Place, placeOf } from './place.js'
export {
  isSameProcess,
  isSameProcessSpace,
  type Liveness,
  livenessOfPid,
  ownIdentity,
  type ProcessIdentity,
} from './process-identity.js'
