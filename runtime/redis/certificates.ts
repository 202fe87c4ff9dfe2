import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { errorCode } from '../config/error-code';
import { ConfigError } from '../config/parse';

/** @throws ConfigError where the file holds no certificate that can be read; half a file is one of these */
export function readCertificates(file: string): string {
  const refuse = (got: string): never => {
    throw new ConfigError('the configuration', [`redis.caFile must be a file of certificates (PEM), got ${got}`]);
  };
  const text = readText(file, refuse);
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) return refuse('a file without any');
  for (const block of blocks) {
    try {
      new X509Certificate(block);
    } catch {
      return refuse('one that cannot be read');
    }
  }
  return text;
}

function readText(file: string, refuse: (got: string) => never): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    return refuse(errorCode(error));
  }
}
