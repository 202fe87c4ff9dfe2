/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: {
    '^.+\\.[cm]?[jt]s$': [
      '@swc/jest',
      { jsc: { target: 'es2023', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  // `cookie` 2, which fastify's `inject` loads, is published as ES modules only.
  transformIgnorePatterns: ['/node_modules/(?!cookie/)'],
  maxWorkers: 2,
  // For a machine that is busy with other things; what hangs still fails.
  testTimeout: 20_000,
};
