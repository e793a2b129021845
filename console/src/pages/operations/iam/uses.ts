/** What works in a role, of the things that name theirs in their listings. */
import { getCrawlers, getJobs } from '../../../aws/glue';
import { listFunctions } from '../../../aws/lambda';
import { describeMachine, listMachines } from '../../../aws/states';
import { crawlerHref, functionHref, jobHref, machineHref } from '../../../lib/links';

export interface Use {
  kind: string;
  name: string;
  href: string;
}

/** Machines that are asked one by one. */
const MOST_MACHINES = 100;

/** What the caller may not list is left out. */
export async function usesOfRole(arn: string): Promise<Use[]> {
  const name = arn.split('/').at(-1);
  const isIt = (role: string | undefined) => role === arn || role === name;
  const lists = await Promise.allSettled([
    listFunctions().then((all) => all.filter(({ Role }) => isIt(Role)).map(({ FunctionName }): Use => ({ kind: 'Function', name: FunctionName, href: functionHref(FunctionName) }))),
    getJobs().then((all) => all.filter(({ Role }) => isIt(Role)).map(({ Name }): Use => ({ kind: 'Glue job', name: Name, href: jobHref(Name) }))),
    getCrawlers().then((all) => all.filter(({ Role }) => isIt(Role)).map(({ Name }): Use => ({ kind: 'Crawler', name: Name, href: crawlerHref(Name) }))),
    machinesIn(isIt),
  ]);
  return lists.flatMap((list) => (list.status === 'fulfilled' ? list.value : []));
}

async function machinesIn(isIt: (role: string | undefined) => boolean): Promise<Use[]> {
  const machines = (await listMachines()).slice(0, MOST_MACHINES);
  const details = await Promise.all(machines.map(({ stateMachineArn }) => describeMachine(stateMachineArn)));
  return details.filter(({ roleArn }) => isIt(roleArn)).map(({ name }) => ({ kind: 'State machine', name, href: machineHref(name) }));
}
