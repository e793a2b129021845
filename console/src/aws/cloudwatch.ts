/** CloudWatch metrics. Times are seconds since 1970. */
import { type CallOptions, collect, jsonService } from './call';

export const cloudwatch = jsonService('monitoring', 'GraniteServiceVersion20100801', '1.0');

export interface Dimension {
  Name: string;
  Value: string;
}

export interface Metric {
  Namespace: string;
  MetricName: string;
  Dimensions: Dimension[];
}

export interface MetricQuery {
  Id: string;
  MetricStat: { Metric: Metric; Period: number; Stat: string };
}

export interface MetricResult {
  Id: string;
  Label: string;
  Timestamps: number[];
  Values: number[];
}

/** Metrics that had points in the last two weeks, of one namespace or of all. */
export const listMetrics = (Namespace?: string, most = 20_000) =>
  collect(async (NextToken) => {
    const page = await cloudwatch<{ Metrics: Metric[]; NextToken?: string }>('ListMetrics', { Namespace, NextToken });
    return { items: page.Metrics, next: page.NextToken };
  }, most);

export interface DataRange {
  StartTime: number;
  EndTime: number;
}

/** The points of each query, oldest first. */
export async function getMetricData(MetricDataQueries: readonly MetricQuery[], range: DataRange, options: CallOptions = {}): Promise<MetricResult[]> {
  if (MetricDataQueries.length === 0) return [];
  const input = { MetricDataQueries, ...range, ScanBy: 'TimestampAscending' };
  return (await cloudwatch<{ MetricDataResults: MetricResult[] }>('GetMetricData', input, options)).MetricDataResults;
}
