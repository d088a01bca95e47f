export type * from './commit-log.js'
export type * from './state.js'
