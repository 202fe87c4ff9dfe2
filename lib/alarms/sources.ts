/** Where a metric comes from: its namespace in CloudWatch, and what a person is told. */
export const SOURCES = {
  loadBalancer: { namespace: 'AWS/ApplicationELB', told: "the load balancer's own metrics" },
  logs: { namespace: 'RpcBalancer', told: 'log lines of the pods, counted by a metric filter' },
  containers: { namespace: 'ContainerInsights', told: "Container Insights, by the CloudWatch agent's pods" },
  cache: { namespace: 'AWS/ElastiCache', told: "the cache's own metrics, node by node" },
  gateways: { namespace: 'AWS/NATGateway', told: "the NAT gateways' own metrics" },
} as const;

export type AlarmSource = keyof typeof SOURCES;
