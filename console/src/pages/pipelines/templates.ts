/** Definitions to begin with. */
interface Template {
  id: string;
  label: string;
  description: string;
  definition: object;
}

const RETRY = [{ ErrorEquals: ['States.ALL'], IntervalSeconds: 5, MaxAttempts: 2, BackoffRate: 2 }];

export const TEMPLATES: readonly Template[] = [
  {
    id: 'simple',
    label: 'One step after the other',
    description: 'Pass, wait, and done',
    definition: {
      Comment: 'One step after the other',
      StartAt: 'Prepare',
      States: {
        Prepare: { Type: 'Pass', Result: { rows: 42 }, ResultPath: '$.prepared', Next: 'Wait a moment' },
        'Wait a moment': { Type: 'Wait', Seconds: 3, Next: 'Done' },
        Done: { Type: 'Succeed' },
      },
    },
  },
  {
    id: 'job',
    label: 'Run a Glue job, then a query',
    description: 'Each waits for its end, is tried again, and has a way out of errors',
    definition: {
      Comment: 'A job, and a query over what it wrote',
      StartAt: 'Run the job',
      States: {
        'Run the job': {
          Type: 'Task',
          Resource: 'arn:aws:states:::glue:startJobRun.sync',
          Parameters: { JobName: 'my-job' },
          Retry: RETRY,
          Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'It failed' }],
          Next: 'Run the query',
        },
        'Run the query': {
          Type: 'Task',
          Resource: 'arn:aws:states:::athena:startQueryExecution.sync',
          Parameters: { QueryString: 'SELECT count(*) FROM my_table', WorkGroup: 'primary' },
          Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'It failed' }],
          End: true,
        },
        'It failed': { Type: 'Fail', Error: 'PipelineFailed', Cause: 'The job or the query did not succeed' },
      },
    },
  },
  {
    id: 'parallel',
    label: 'Two things beside each other',
    description: 'Branches of a Parallel, and a Choice afterwards',
    definition: {
      StartAt: 'Beside each other',
      States: {
        'Beside each other': {
          Type: 'Parallel',
          Branches: [
            { StartAt: 'Left', States: { Left: { Type: 'Pass', Result: 1, End: true } } },
            { StartAt: 'Right', States: { Right: { Type: 'Pass', Result: 2, End: true } } },
          ],
          Next: 'Which one',
        },
        'Which one': { Type: 'Choice', Choices: [{ Variable: '$[0]', NumericGreaterThan: 1, Next: 'Left won' }], Default: 'Right won' },
        'Left won': { Type: 'Succeed' },
        'Right won': { Type: 'Succeed' },
      },
    },
  },
  {
    id: 'map',
    label: 'The same for each item',
    description: 'A Map that calls a function for each item of a list',
    definition: {
      Comment: 'Start it with {"files": ["a.csv", "b.csv"]}',
      StartAt: 'Each file',
      States: {
        'Each file': {
          Type: 'Map',
          ItemsPath: '$.files',
          MaxConcurrency: 4,
          ItemProcessor: {
            StartAt: 'Clean',
            States: {
              Clean: {
                Type: 'Task',
                Resource: 'arn:aws:states:::lambda:invoke',
                Parameters: { FunctionName: 'my-function', 'Payload.$': '$' },
                Retry: RETRY,
                End: true,
              },
            },
          },
          End: true,
        },
      },
    },
  },
];
