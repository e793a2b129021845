/** Step Functions. Operations that are not here: `states<Output>('Name', input)`. */
import { collect, jsonService } from './call';
import type { Seconds } from './glue';

export const states = jsonService('states', 'AWSStepFunctions', '1.0');

export interface Machine {
  stateMachineArn: string;
  name: string;
  type: 'STANDARD' | 'EXPRESS';
  creationDate: Seconds;
}

export interface MachineDetails extends Machine {
  status: string;
  definition: string;
  roleArn: string;
  description?: string;
  revisionId?: string;
}

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED' | 'PENDING_REDRIVE';

export interface Execution {
  executionArn: string;
  stateMachineArn: string;
  name: string;
  status: ExecutionStatus;
  startDate: Seconds;
  stopDate?: Seconds;
}

export interface ExecutionDetails extends Execution {
  input?: string;
  output?: string;
  error?: string;
  cause?: string;
  redriveStatus?: string;
  redriveCount?: number;
}

/** An event of an execution's history; its details stand in a member named after its type. */
export interface HistoryEvent {
  id: number;
  previousEventId?: number;
  timestamp: Seconds;
  type: string;
  [details: string]: unknown;
}

export const listMachines = () =>
  collect(async (nextToken) => {
    const page = await states<{ stateMachines: Machine[]; nextToken?: string }>('ListStateMachines', { nextToken });
    return { items: page.stateMachines, next: page.nextToken };
  });

export const describeMachine = (stateMachineArn: string) =>
  states<MachineDetails>('DescribeStateMachine', { stateMachineArn });

/** One page of a machine's executions, the newest first. */
export const listExecutionPage = (stateMachineArn: string, more: { nextToken?: string | undefined; maxResults: number; statusFilter?: ExecutionStatus }) =>
  states<{ executions: Execution[]; nextToken?: string }>('ListExecutions', { stateMachineArn, ...more });

/** A machine's executions, the newest first. */
export const listExecutions = (stateMachineArn: string, most = 100) =>
  collect(async (nextToken) => {
    const page = await listExecutionPage(stateMachineArn, { nextToken, maxResults: Math.min(most, 1000) });
    return { items: page.executions, next: page.nextToken };
  }, most);

export const describeExecution = (executionArn: string) =>
  states<ExecutionDetails>('DescribeExecution', { executionArn });

export const getHistory = (executionArn: string) =>
  collect(async (nextToken) => {
    const input = { executionArn, nextToken, maxResults: 1000, includeExecutionData: true };
    const page = await states<{ events: HistoryEvent[]; nextToken?: string }>('GetExecutionHistory', input);
    return { items: page.events, next: page.nextToken };
  });

export const startExecution = (stateMachineArn: string, input: string, name?: string) =>
  states<{ executionArn: string }>('StartExecution', { stateMachineArn, input, name }).then((a) => a.executionArn);

/** What a synchronous execution of an express machine answers. */
export interface SyncExecution {
  executionArn: string;
  status: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT';
  startDate: Seconds;
  stopDate: Seconds;
  output?: string;
  error?: string;
  cause?: string;
}

export const startSyncExecution = (stateMachineArn: string, input: string) =>
  states<SyncExecution>('StartSyncExecution', { stateMachineArn, input });

/** One page of a history from its end, the newest event first. */
export const getHistoryBack = (executionArn: string, nextToken: string | undefined, maxResults: number) =>
  states<{ events: HistoryEvent[]; nextToken?: string }>('GetExecutionHistory', {
    executionArn,
    nextToken,
    maxResults,
    reverseOrder: true,
    includeExecutionData: true,
  });

export const stopExecution = (executionArn: string, cause?: string) => states('StopExecution', { executionArn, cause });

export const redriveExecution = (executionArn: string) => states('RedriveExecution', { executionArn });

/** The definition that an execution runs by, which may be older than the machine's. */
export const machineOfExecution = (executionArn: string) =>
  states<Pick<MachineDetails, 'stateMachineArn' | 'name' | 'definition' | 'roleArn'>>('DescribeStateMachineForExecution', { executionArn });

export const createMachine = (input: Pick<MachineDetails, 'name' | 'type' | 'definition' | 'roleArn'>) =>
  states<{ stateMachineArn: string }>('CreateStateMachine', input).then((answer) => answer.stateMachineArn);

/** Changes what is given; executions that run go on by what they began with. */
export const updateMachine = (stateMachineArn: string, change: Partial<Pick<MachineDetails, 'definition' | 'roleArn'>>) =>
  states<{ revisionId?: string }>('UpdateStateMachine', { stateMachineArn, ...change });

export const deleteMachine = (stateMachineArn: string) => states('DeleteStateMachine', { stateMachineArn });

export interface Diagnostic {
  severity: 'ERROR' | 'WARNING';
  code: string;
  message: string;
  /** A JSON pointer. */
  location?: string;
}

export const validateDefinition = (definition: string, type: Machine['type']) =>
  states<{ diagnostics: Diagnostic[]; truncated: boolean }>('ValidateStateMachineDefinition', { definition, type, severity: 'WARNING' });
