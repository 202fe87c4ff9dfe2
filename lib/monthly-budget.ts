import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import type { Construct } from 'constructs';
import { nameOf } from './names';
import type { Settings } from './settings';

/** Percent of the budget, and of what: spent already, or what AWS expects of the whole month. */
const TOLD_AT = [
  { notificationType: 'ACTUAL', threshold: 80 },
  { notificationType: 'ACTUAL', threshold: 100 },
  { notificationType: 'FORECASTED', threshold: 100 },
] as const;

/** Of the whole account: an environment has one of its own. AWS looks a few times a day, and stops nothing. */
export function monthlyBudget(scope: Construct, settings: Settings): CfnBudget {
  const { alarmEmail, budgetUsd } = settings.operations;
  return new CfnBudget(scope, 'budget', {
    budget: {
      budgetName: nameOf(settings),
      budgetType: 'COST',
      timeUnit: 'MONTHLY',
      budgetLimit: { amount: budgetUsd, unit: 'USD' },
    },
    notificationsWithSubscribers: TOLD_AT.map((told) => ({
      notification: { ...told, comparisonOperator: 'GREATER_THAN', thresholdType: 'PERCENTAGE' },
      subscribers: [{ subscriptionType: 'EMAIL', address: alarmEmail }],
    })),
  });
}
