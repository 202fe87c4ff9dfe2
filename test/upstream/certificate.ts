import { execFileSync } from 'node:child_process';

export interface Certificate {
  /** PEM. */
  readonly key: string;
  /** PEM. */
  readonly cert: string;
}

/** A self-signed certificate for a name or an address, by the openssl program; good for a day. */
export function selfSigned(altName: `DNS:${string}` | `IP:${string}`): Certificate {
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const subject = ['-subj', '/CN=test', '-addext', `subjectAltName=${altName}`, '-days', '1'];
  const pem = execFileSync('openssl', [...args, ...subject, '-keyout', '-', '-out', '-'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const certAt = pem.indexOf('-----BEGIN CERTIFICATE-----');
  return { key: pem.slice(0, certAt), cert: pem.slice(certAt) };
}
