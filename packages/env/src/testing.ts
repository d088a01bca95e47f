export { TestEnv } from './env-testing.js'
