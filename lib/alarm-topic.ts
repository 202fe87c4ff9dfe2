import { Key } from 'aws-cdk-lib/aws-kms';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { nameOf } from './names';
import { removalPolicy } from './removal-policy';
import type { Settings } from './settings';

const CLOUDWATCH = 'cloudwatch.amazonaws.com';

/**
 * Where alarms go: one topic, one mail address, which has to confirm once. AWS's own key would not do: its policy lets
 * CloudWatch not use it, and alarms would be lost without a word.
 */
export class AlarmTopic extends Construct {
  readonly topic: Topic;

  constructor(scope: Construct, id: string, settings: Settings) {
    super(scope, id);
    const ours = { StringEquals: { 'aws:SourceAccount': settings.account } };
    const key = new Key(this, 'key', {
      description: `Alarms of ${nameOf(settings)}`,
      enableKeyRotation: true,
      removalPolicy: removalPolicy(settings),
    });
    key.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal(CLOUDWATCH)],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        resources: ['*'],
        conditions: ours,
      }),
    );
    // By TLS only; and with a policy of its own, a topic no longer takes what it takes without one.
    this.topic = new Topic(this, 'topic', { masterKey: key, enforceSSL: true });
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal(CLOUDWATCH)],
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: ours,
      }),
    );
    this.topic.addSubscription(new EmailSubscription(settings.operations.alarmEmail));
  }
}
