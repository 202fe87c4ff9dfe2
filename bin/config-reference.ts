import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configReference } from '../runtime/config/reference';

// Writes docs/configuration.md; a test fails when that was forgotten after a change of the schema.
writeFileSync(join(__dirname, '..', 'docs', 'configuration.md'), configReference());
