import { createHash } from 'node:crypto';
import { Stack, Tags } from 'aws-cdk-lib';
import type { App } from 'aws-cdk-lib';
import type { Settings } from './settings';

export interface RpcStackProps {
  readonly description: string;
  /** The settings that decide on what others see of it. */
  readonly madeOf: readonly unknown[];
}

/** What all stacks of an environment have in common: its account and region, its zones, its protection. */
export class RpcStack extends Stack {
  /** Changes with the settings the stack is made of. */
  readonly fingerprint: string;

  constructor(
    app: App,
    /** Its name after the environment's, such as `network`. */
    readonly part: string,
    readonly settings: Settings,
    props: RpcStackProps,
  ) {
    super(app, `rpc-${settings.name}-${part}`, {
      description: props.description,
      env: { account: settings.account, region: settings.region },
      terminationProtection: settings.protect,
    });
    Tags.of(this).add('environment', settings.name);
    this.fingerprint = createHash('sha256').update(JSON.stringify(props.madeOf)).digest('hex').slice(0, 12);
  }

  /**
   * This stack is deployed after that one, and again whenever that one's settings change. The CLI skips a stack whose
   * text is the same, and a reference to another stack stays the same when what it points at is replaced.
   */
  protected follows(other: RpcStack): void {
    this.addStackDependency(other);
    const { metadata } = this.templateOptions;
    this.templateOptions.metadata = { ...metadata, [`follows-${other.part}`]: other.fingerprint };
  }

  /** From the settings: else the CDK asks AWS, and there is no synth without credentials. */
  override get availabilityZones(): string[] {
    return [...this.settings.zones];
  }
}
