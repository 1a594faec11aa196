import { readFileSync } from 'node:fs';
import { VERSION } from '../common/program.ts';
import { isQuestion } from './config/commands.ts';
import { PROGRAM } from './config/help.ts';
import { type ParsedCommand, parseCommandLine } from './config/parse.ts';
import { renderProblems } from './config/problems.ts';
import type { Program, Task } from './program.ts';
import { explain, runProgram } from './run-program.ts';
import { runTask } from './run-task.ts';

/** Loads what a role needs only when it runs: an agent on a small machine has no memory for the rest. */
async function construct(command: ParsedCommand): Promise<Program | Task> {
  // What is recorded is somebody's browsing history: files are made for their owner alone.
  process.umask(0o077);
  switch (command.command) {
    case 'agent':
      return (await import('./agent.ts')).agentProgram(command.values);
    case 'master':
      return (await import('./master.ts')).masterProgram(command.values);
    case 'demo':
      return (await import('./demo.ts')).demoProgram(command.values);
    case 'simulate':
      return (await import('./simulate.ts')).simulateProgram(command.values);
    case 'export':
      return (await import('./export.ts')).exportTask(command.values);
    case 'import':
      return (await import('./import.ts')).importTask(command.values);
    case 'facts rebuild':
      return (await import('./facts.ts')).rebuildTask(command.values);
    case 'backup':
      return (await import('./backup.ts')).backupTask(command.values);
    case 'restore':
      return (await import('./restore.ts')).restoreTask(command.values);
    case 'compact':
      return (await import('./compact.ts')).compactTask(command.values);
    case 'top':
      return (await import('./answers/top.ts')).topTask(command.values);
    case 'query':
      return (await import('./answers/query.ts')).queryTask(command.values);
    case 'verify':
      return (await import('./answers/verify.ts')).verifyTask(command.values);
    case 'tokens create':
      return (await import('./tokens.ts')).createTask(command.values);
    case 'tokens list':
      return (await import('./tokens.ts')).listTask(command.values);
    case 'tokens revoke':
      return (await import('./tokens.ts')).revokeTask(command.values);
  }
}

/** Runs the command line; the only place that ends the process. */
export async function run(argv: readonly string[]): Promise<void> {
  process.exitCode = await runCommand(argv);
  // Sockets that a peer keeps half open must not keep a stopped program alive.
  process.exit();
}

async function runCommand(argv: readonly string[]): Promise<number> {
  const rules = isQuestion(argv[0]) ? (await import('./config/question-rules.ts')).questionRules : undefined;
  const line = parseCommandLine([...argv], process.env, (path) => readFileSync(path, 'utf8'), rules);
  switch (line.kind) {
    case 'help':
      console.log(line.help);
      return 0;
    case 'version':
      console.log(VERSION);
      return 0;
    case 'problems':
      console.error(renderProblems(PROGRAM, line.command, line.problems));
      return 2;
    case 'run':
      return await start(line);
  }
}

async function start(
  command: Extract<ReturnType<typeof parseCommandLine>, { kind: 'run' }>,
): Promise<number> {
  for (const warning of command.warnings) console.error(`warning: ${warning}`);
  let program: Program | Task;
  try {
    program = await construct(command);
  } catch (error) {
    console.error(explain(error));
    return 2;
  }
  if ('run' in program) return await runTask(program);
  if ('check' in command.values && command.values.check) {
    for (const component of [...program.components].reverse()) await component.stop();
    console.log('everything could be constructed; nothing was started');
    return 0;
  }
  return await runProgram(program);
}
