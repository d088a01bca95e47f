export { trapSystemEnv } from './env-system.js'
export { TestEnv } from './env-testing.js'
export { patientEnv } from './patient-env.js'
