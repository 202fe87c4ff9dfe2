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
  // Published as ES modules only: `cookie` 2, which fastify's `inject` loads, and Kubernetes' models.
  transformIgnorePatterns: ['/node_modules/(?!cookie/|@kubernetes/client-node/)'],
  maxWorkers: 2,
  // For a machine that is busy with other things; what hangs still fails.
  testTimeout: 20_000,
};
