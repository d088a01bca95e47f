export { BrokenPipeError, type Input, type Io, type Sink } from './io.js'
export { run } from './run.js'
