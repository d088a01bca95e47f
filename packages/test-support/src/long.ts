/** Whether tests take their long form: more cases, and more of the slow ones. */
export const LONG: boolean = process.env['FIRN_TEST_LONG'] === '1'
