import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PUSH = join(__dirname, '..', '..', 'bin', 'push-image.sh');
const DIGEST = `sha256:${'ab'.repeat(32)}`;
const REPOSITORY = '111122223333.dkr.ecr.ap-northeast-1.amazonaws.com/assets';

/** AWS's CLI, which hands out credentials and a password; no role, no credentials. */
const AWS = `#!/bin/sh
echo "aws $*" >> "$LOG"
case "$*" in
  *role-that-is-not*) exit 1 ;;
  "sts assume-role"*) printf 'ID\\tKEY\\tTOKEN\\n' ;;
  "ecr get-login-password"*) test "$AWS_SESSION_TOKEN" = TOKEN && echo PASSWORD ;;
esac`;

/** A registry that has the image once it was copied. */
const SKOPEO = `#!/bin/sh
echo "skopeo $*" >> "$LOG"
case "$1" in
  login) test "$(cat)" = PASSWORD ;;
  copy) touch "$LOG.copied" ;;
  inspect) test -e "$LOG.copied" ;;
esac`;

describe('push-image', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'push-'));
    for (const [name, script] of [['aws', AWS] as const, ['skopeo', SKOPEO] as const]) {
      writeFileSync(join(folder, name), script);
      chmodSync(join(folder, name), 0o755);
    }
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function push(role = 'arn:aws:iam::111122223333:role/images'): {
    code: number | null;
    output: string;
    log: string[];
  } {
    const log = join(folder, 'log');
    writeFileSync(log, '');
    const { status, stdout, stderr } = spawnSync(PUSH, ['image.tar', DIGEST, REPOSITORY, role, 'ap-northeast-1'], {
      env: { PATH: `${folder}:${process.env['PATH'] ?? ''}`, LOG: log },
      encoding: 'utf8',
    });
    return { code: status, output: stdout + stderr, log: readFileSync(log, 'utf8').trim().split('\n') };
  }

  it('copies the image as it is, as the role for images, and looks whether it arrived', () => {
    const { code, log } = push();
    expect(code).toBe(0);
    expect(log[0]).toMatch(/^aws sts assume-role --role-arn arn:aws:iam::111122223333:role\/images /);
    expect(log).toContain(
      'skopeo login --username AWS --password-stdin 111122223333.dkr.ecr.ap-northeast-1.amazonaws.com',
    );
    expect(log).toContain(
      `skopeo copy --preserve-digests oci-archive:image.tar docker://${REPOSITORY}:proxy-abababababab`,
    );
    expect(log.at(-1)).toBe(`skopeo inspect --raw docker://${REPOSITORY}@${DIGEST}`);
  });

  it('copies it once', () => {
    push();
    const { code, output, log } = push();
    expect({ code, output }).toEqual({ code: 0, output: `${DIGEST} is there already\n` });
    expect(log.filter((line) => line.startsWith('skopeo copy'))).toEqual([]);
  });

  it('fails where it may not, and tells no credentials', () => {
    const { code, output, log } = push('role-that-is-not');
    expect(code).not.toBe(0);
    expect(log).toHaveLength(1);
    expect(output + push().output).not.toMatch(/TOKEN|PASSWORD/);
  });
});
